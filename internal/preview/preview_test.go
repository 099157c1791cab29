package preview

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
	"picday/internal/test/uploads"
	"picday/store"
)

type bed struct {
	*uploads.Site
	*Maker
	made atomic.Int32 // pictures that were decoded
	most atomic.Int32 // at once
	now  atomic.Int32
	hold chan struct{} // not nil: a picture is decoded once it is closed
}

func newBed(t *testing.T) *bed {
	b := &bed{Site: uploads.New(t)}
	b.Maker = New(Options{UploadDir: b.UploadDir, Volumes: b.Volumes, Limits: photo.DefaultLimits, Within: time.Hour, Render: func(ctx context.Context, account string, f *os.File, facts photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
		if account != "" {
			t.Errorf("decoded on behalf of %q", account)
		}
		b.made.Add(1)
		b.most.Store(max(b.most.Load(), b.now.Add(1)))
		defer b.now.Add(-1)
		if b.hold != nil {
			select {
			case <-b.hold:
			case <-ctx.Done():
				return photo.Meta{}, photo.Picture{}, ctx.Err()
			}
		}
		meta := photo.ReadMeta(f)
		p, err := photo.Render(f, meta, facts, photo.DefaultLimits, sizes)
		return meta, p, err
	}})
	return b
}

// problem makes a file of acme a problem and returns its row.
func (b *bed) problem(path string, content []byte) store.Problem {
	b.Helper()
	b.Write("acme/"+path, string(content))
	b.Site.Problem("acme/"+path, layout.UnknownFolder, 0)
	return b.row(path)
}

func (b *bed) row(path string) store.Problem {
	b.Helper()
	all, err := b.Store.All().Problems(context.Background(), store.ProblemQuery{Account: "acme", RawPath: path})
	b.Must(err)
	if len(all) != 1 {
		b.Fatalf("%s: %d problems", path, len(all))
	}
	return all[0]
}

func (b *bed) none(what string, p store.Problem) {
	b.Helper()
	if jpeg, err := b.Make(context.Background(), b.Acme, p); !errors.Is(err, store.ErrNotFound) {
		b.Errorf("%s: %d bytes, %v", what, len(jpeg), err)
	}
}

// A file in a wrong folder is shown small, without its metadata, also in an active job.
func TestAPreview(t *testing.T) {
	b := newBed(t)
	p := b.problem("job1/A/odd/x.jpg", testphoto.Make(testphoto.Spec{Width: 1200, Height: 900, Make: "Canon", Model: "Canon EOS R6"}))
	look := func() {
		t.Helper()
		jpeg, err := b.Make(t.Context(), b.Acme, p)
		b.Must(err)
		var s photo.Scan
		_, _ = s.Write(jpeg)
		if f := s.Facts(); !f.Whole || f.Width != 480 || f.Height != 360 || bytes.Contains(jpeg, []byte("Canon")) {
			t.Errorf("%d x %d of %d bytes", f.Width, f.Height, len(jpeg))
		}
	}
	look()
	b.SetJobState("job1", store.Active)
	b.Must(os.MkdirAll(b.Trees.ActiveBase("acme"), 0o755))
	b.Must(os.Rename(b.Trees.Job("acme", "job1"), b.Trees.ActiveJob("acme", "job1")))
	look()
}

// Nothing is shown of a file that is not the one of the row, is being written, lies outside
// of the account's tree, or does not decode.
func TestNoPreview(t *testing.T) {
	b := newBed(t)
	good := testphoto.Tiny(1)
	for name, content := range map[string][]byte{
		"empty": nil, "png": []byte("\x89PNG\r\n\x1a\nxxxxxxxxxxxxxxxx"), "cut": good[:len(good)/2],
		"damaged": append(bytes.Clone(good[:len(good)/2]), 0xff, 0xd9),
	} {
		b.none(name, b.problem("job1/A/odd/"+name+".jpg", content))
	}
	made := b.made.Load()

	gone := b.problem("job1/A/odd/gone.jpg", good)
	b.Remove("acme/job1/A/odd/gone.jpg")
	b.none("gone", gone)

	// The uploader puts another file, or a link, in the place of the one that the row is about.
	other := b.problem("job1/A/odd/other.jpg", good)
	b.Remove("acme/job1/A/odd/other.jpg")
	b.Write("acme/job1/A/odd/other.jpg", string(testphoto.Tiny(2)))
	b.none("another file", other)
	b.Write("lincoln/lincoln/user-pictures/12.jpg", string(good))
	b.Remove("acme/job1/A/odd/other.jpg")
	b.Must(os.Symlink(b.At("lincoln/lincoln/user-pictures/12.jpg"), b.At("acme/job1/A/odd/other.jpg")))
	b.none("a symbolic link", other)
	in := b.problem("job1/A/link/in.jpg", good)
	b.Must(os.RemoveAll(b.At("acme/job1/A/link")))
	b.Must(os.Symlink(b.At("lincoln/lincoln/user-pictures"), b.At("acme/job1/A/link")))
	b.none("a folder that is a link", in)
	fifo := b.problem("job1/A/odd/fifo.jpg", good)
	b.Remove("acme/job1/A/odd/fifo.jpg")
	b.Must(os.Mkdir(b.At("acme/job1/A/odd/fifo.jpg"), 0o755))
	b.none("a folder", fifo)
	for _, path := range []string{"../lincoln/lincoln/user-pictures/12.jpg", "job1/../../lincoln/lincoln/user-pictures/12.jpg", b.At("lincoln/lincoln/user-pictures/12.jpg"), "", "/"} {
		hostile := other
		hostile.RawPath = path
		b.none("a row that says "+path, hostile)
	}

	written := b.problem("job1/A/odd/written.jpg", good)
	f, err := os.OpenFile(b.At("acme/job1/A/odd/written.jpg"), os.O_WRONLY, 0)
	b.Must(err)
	b.none("open for writing", written)
	b.Must(f.Close())

	huge := b.problem("job1/A/odd/huge.jpg", good)
	b.Must(os.Truncate(b.At("acme/job1/A/odd/huge.jpg"), maxBytes+1))
	b.Site.Problem("acme/job1/A/odd/huge.jpg", layout.UnknownFolder, 0)
	b.none("changed", huge)
	b.none("huge", b.row("job1/A/odd/huge.jpg"))
	if b.made.Load() != made {
		t.Errorf("%d pictures were decoded that must not be", b.made.Load()-made)
	}
}

// A file that is opened for writing while it is decoded is not shown.
func TestNoPreviewOfWhatIsWrittenMeanwhile(t *testing.T) {
	b := newBed(t)
	p := b.problem("job1/A/odd/x.jpg", testphoto.Tiny(1))
	render := b.Render
	b.Render = func(ctx context.Context, account string, f *os.File, facts photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
		w, err := os.OpenFile(b.At("acme/job1/A/odd/x.jpg"), os.O_WRONLY, 0)
		b.Must(err)
		t.Cleanup(func() { w.Close() })
		return render(ctx, account, f, facts, sizes)
	}
	b.none("opened meanwhile", p)
	if b.made.Load() != 1 {
		t.Error("it was not decoded: this test cannot see what it is for")
	}
}

// One is made at a time, who goes away does not keep the others waiting, and an error of
// the machine is none of the file.
func TestPreviewsTakeTurns(t *testing.T) {
	b := newBed(t)
	p := b.problem("job1/A/odd/x.jpg", testphoto.Tiny(1))
	b.hold = make(chan struct{})
	const many = 20
	ended := make(chan error, many+1)
	for range many {
		go func() { _, err := b.Make(context.Background(), b.Acme, p); ended <- err }()
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := b.Make(ctx, b.Acme, p); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone away: %v", err)
	}
	close(b.hold)
	for range many {
		b.Must(<-ended)
	}
	if b.most.Load() != 1 || b.made.Load() < many {
		t.Errorf("%d pictures, %d at once", b.made.Load(), b.most.Load())
	}
	b.Render = func(context.Context, string, *os.File, photo.Facts, []rendition.Spec) (photo.Meta, photo.Picture, error) {
		return photo.Meta{}, photo.Picture{}, errors.New("decoder does not start")
	}
	if _, err := b.Make(t.Context(), b.Acme, p); err == nil || !strings.Contains(err.Error(), "does not start") {
		t.Errorf("an error of the machine: %v", err)
	}
}

// What takes longer than a preview may is not shown.
func TestAPreviewEnds(t *testing.T) {
	b := newBed(t)
	p := b.problem("job1/A/odd/x.jpg", testphoto.Tiny(1))
	b.hold = make(chan struct{})
	b.Within = time.Millisecond
	b.none("too slow", p)
}
