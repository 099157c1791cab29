package ingest

import (
	"context"
	"os"
	"strings"
	"testing"

	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store/pictures"
)

// After a change of the configuration, new renditions are made of old photos. The old
// renditions are deleted once nothing points to them.
func TestRederive(t *testing.T) {
	b := newBed(t)
	for i, path := range []string{"acme/job1/x/1.jpg", "acme/job1/x/2.jpg", "lincoln/lincoln/user-pictures/3.jpg"} {
		b.write(path, testphoto.Tiny(i))
		b.settle(path)
	}
	before := b.photo("acme/job1/x/1.jpg")
	broken := b.photo("acme/job1/x/2.jpg")

	b.cfg.Images.Renditions = []rendition.Spec{{Name: "large", Longest: 300, Quality: 85}, {Name: "icon", Longest: 64, Quality: 70}}
	b.restart()
	// No renditions are made of an original that was changed on disk.
	b.must(os.Chmod(b.Store.Files().Path(pictures.Original(broken.SHA)), 0o600))
	b.must(os.WriteFile(b.Store.Files().Path(pictures.Original(broken.SHA)), testphoto.Tiny(77), 0o600))

	// After an interruption, the next start continues with the second picture.
	rendered := 0
	for range 2 {
		ctx, stop := context.WithCancel(b.Context())
		render, first := b.Render, rendered == 0
		b.Render = func(c context.Context, account string, f *os.File, facts photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
			if rendered++; first {
				stop()
			}
			return render(context.WithoutCancel(c), account, f, facts, sizes)
		}
		b.running(func(chan<- upload.File, <-chan bool) { b.must(b.Rederive(ctx)) })
		stop()
		if first {
			b.restart()
		}
	}
	if rendered != 2 {
		t.Errorf("rendered %d pictures, not each once", rendered)
	}
	if done, total := b.Backlog(); done != total {
		t.Errorf("done %d of %d", done, total)
	}

	after := b.photo("acme/job1/x/1.jpg")
	if after.Link != before.Link || !after.IngestedAt.Equal(before.IngestedAt) || len(after.Renditions) != 2 {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if r := after.Renditions[0]; r.Name != "large" || r.Width != 300 {
		t.Errorf("%+v", r)
	}
	if kept := b.photo("acme/job1/x/2.jpg"); kept.Renditions[0].Width != broken.Renditions[0].Width {
		t.Errorf("made of a damaged original: %+v", kept)
	}
	// Two pictures have two new renditions each, and one has its two old ones.
	files := b.kept("renditions")
	if len(files) != 6 {
		t.Errorf("%d files: %v", len(files), files)
	}
	for _, p := range []string{"acme/job1/x/1.jpg", "acme/job1/x/2.jpg", "lincoln/lincoln/user-pictures/3.jpg"} {
		p := b.photo(p)
		for _, r := range p.Renditions {
			if name := b.Store.Files().Path(pictures.Rendition(p.SHA, r.Spec)); files[name] == nil || files[name].Size() != r.Bytes {
				t.Errorf("%s is not as the catalogue says", strings.TrimPrefix(name, b.cfg.DataDir))
			}
		}
	}
}

// A picture that arrives again before Rederive has processed it leaves no rendition of the
// old configuration behind.
func TestArrivedAgainBeforeItsTurn(t *testing.T) {
	b := newBed(t)
	b.write("acme/job1/x/1.jpg", testphoto.Tiny(1))
	b.settle("acme/job1/x/1.jpg")
	b.cfg.Images.Renditions = []rendition.Spec{{Name: "large", Longest: 300, Quality: 85}, {Name: "icon", Longest: 64, Quality: 70}}
	b.restart()
	b.write("acme/job1/x/2.jpg", testphoto.Tiny(1))
	b.settle("acme/job1/x/2.jpg")
	files := b.kept("renditions")
	for _, path := range []string{"acme/job1/x/1.jpg", "acme/job1/x/2.jpg"} {
		p := b.photo(path)
		for _, r := range p.Renditions {
			if files[b.Store.Files().Path(pictures.Rendition(p.SHA, r.Spec))] == nil {
				t.Errorf("%s has %+v, which is no file", path, r)
			}
		}
	}
	b.running(func(chan<- upload.File, <-chan bool) { b.must(b.Rederive(t.Context())) })
	if files := b.kept("renditions"); len(files) != 2 {
		t.Errorf("%d files: %v", len(files), files)
	}
}
