package ingest

import (
	"context"
	"os"
	"testing"

	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// A picture at several paths is decoded once, also if it is read at the second path before
// the commit for the first.
func TestTheSamePictureIsDecodedOnce(t *testing.T) {
	b := newBed(t)
	render, rendered := b.Render, 0
	b.Render = func(ctx context.Context, account string, f *os.File, facts photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
		rendered++
		return render(ctx, account, f, facts, sizes)
	}
	verdicts := []verdict{}
	for _, path := range []string{"acme/job1/x/1.jpg", "acme/job1/x/2.jpg", "lincoln/lincoln/user-pictures/3.jpg"} {
		b.write(path, testphoto.Tiny(1))
		verdicts = append(verdicts, b.take(t.Context(), b.file(path)))
	}
	for _, v := range verdicts {
		b.apply(v)
	}
	b.write("acme/job1/x/4.jpg", testphoto.Tiny(1))
	b.settle("acme/job1/x/4.jpg")
	if rendered != 1 {
		t.Errorf("decoded %d times", rendered)
	}
	for _, path := range []string{"acme/job1/x/1.jpg", "acme/job1/x/2.jpg", "lincoln/lincoln/user-pictures/3.jpg", "acme/job1/x/4.jpg"} {
		if p := b.photo(path); p == nil || len(p.Renditions) != 2 {
			t.Errorf("%s: %+v", path, p)
		}
	}
	if len(b.derived) != 0 {
		t.Errorf("still remembered: %v", b.derived)
	}
}
