package people

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/failure"
	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

type gone struct{}

func (gone) Look(context.Context, string, string) (store.Presence, upload.Identity) {
	return store.Absent, upload.Identity{}
}

func (gone) Find(context.Context, string, string, upload.Identity, store.SHA) (store.Presence, string) {
	return store.Absent, ""
}

func (gone) Verify(context.Context) error { return nil }

// publish publishes a photo of one colour.
func publish(t *testing.T, p Place, at store.Place, width, height int, c color.Color) {
	t.Helper()
	sha := sha256.Sum256([]byte(at.Path))
	spec := rendition.Spec{Name: "large", Longest: 1600, Quality: 85}
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Set(i%width, i/width, c)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Files.Path(pictures.Rendition(sha, spec)), b.Bytes(), 0o400); err != nil {
		t.Fatal(err)
	}
	err := p.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Publish(store.Arrival{
			Account: p.Account, Place: at, Identity: upload.Identity{Volume: 1, Ino: uint64(sha[0]), Size: 9, Ctime: int64(sha[1])},
			Original: store.Original{SHA: sha, Bytes: 9, Width: width, Height: height, Renditions: []store.Rendition{
				{Spec: spec, Width: width, Height: height, Bytes: int64(b.Len()), Hash: sha256.Sum256(b.Bytes())},
			}},
		}, gone{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The latest photo of everybody on the list is exported; who has none, and whose is not
// upright, is named.
func TestTheLatestPhotoIsExported(t *testing.T) {
	p := place(t, layout.Jobs)
	if _, err := run(t, Import{}, p, "ID;Last;First;Class;Grade\n01;Abel;Ann;5b;5\n02;Berg;Bo;5a;5\n03;Cole;Cy;5a;5\n"); err != nil {
		t.Fatal(err)
	}
	all, err := p.list(t.Context(), store.SubjectQuery{})
	if err != nil {
		t.Fatal(err)
	}
	v := p.View
	for i, shot := range []struct {
		who           string
		width, height int
		c             color.Color
	}{{"01", 640, 960, color.White}, {"01", 640, 960, color.Black}, {"02", 960, 640, color.White}} {
		path := fmt.Sprintf("job1/A/individuals/%d.jpg", i)
		publish(t, p, store.Place{Path: path, Shown: path, Job: "job1", Album: "A", Area: "individuals"}, shot.width, shot.height, shot.c)
		photo, err := v.Named(t.Context(), path, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if s.ExternalID == shot.who {
				err = p.Update(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Assign(store.Assignment{PhotoID: photo.ID, SubjectID: s.ID, Way: store.ByOperator})
					return err
				})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	said, err := (&Export{Format: "powerschool", To: dir + "/out.zip", Top: 25}).Run(t.Context(), p)
	want := "left out: Bo Berg (02): the photo is not upright: cut it by hand\nleft out: Cy Cole (03): there is no photo\n1 people exported to " + dir + "/out.zip, 2 left out"
	if err != nil || strings.Join(said, "\n") != want {
		t.Errorf("%s, %v", strings.Join(said, "\n"), err)
	}
	z, err := zip.OpenReader(dir + "/out.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("01.jpg")
	if err != nil {
		t.Fatal(err)
	}
	m, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := m.At(100, 100).RGBA(); r > 0x1000 || m.Bounds().Dx() != 200 {
		t.Errorf("it is not the latest photo, or %v", m.Bounds())
	}
	if said, err := (&Export{Format: "pspi", To: dir}).Run(t.Context(), p); err != nil || !strings.Contains(strings.Join(said, ""), "1 people exported to "+filepath.Join(dir, "JOB1")) {
		t.Error(said, err)
	}
	if _, err := (&Export{Format: "pspi", To: dir}).Run(t.Context(), p); !failure.IsRefusal(err) {
		t.Errorf("over another volume: %v", err)
	}
	for format, x := range map[string]Export{"xml": {}, "flat": {To: dir + "/x.zip", Size: "9x9"}, "destiny": {To: dir + "/x.zip", KB: 9}, "powerschool": {To: dir + "/x"}} {
		x.Format = format
		if _, err := x.Run(t.Context(), p); !failure.IsUsage(err) {
			t.Errorf("%s: %v", format, err)
		}
	}
	if said, err := (&Export{Format: "flat", DryRun: true, Size: "100x150", KB: 9}).Run(t.Context(), p); err != nil || said[len(said)-1] != "1 people would be exported, 2 left out" {
		t.Error(said, err)
	}
}

// A school without a list exports its portraits by their IDs.
func TestPortraitsAreExportedWithoutAList(t *testing.T) {
	p := place(t, layout.Portraits)
	publish(t, p, store.Place{Path: "acme/user-pictures/0123.jpg", Shown: "acme/user-pictures/0123.jpg", Person: "0123"}, 640, 960, color.White)
	to := t.TempDir() + "/till.zip"
	if said, err := (&Export{Format: "flat", To: to}).Run(t.Context(), p); err != nil || !strings.HasPrefix(said[0], "1 people exported") {
		t.Fatal(said, err)
	}
	z, err := zip.OpenReader(to)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "0123.jpg" {
		t.Errorf("%+v", z.File)
	}
}
