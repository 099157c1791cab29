package web

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// picture publishes a real picture of one colour, and returns its photo.
func (b *adminBed) picture(acct store.Account, at store.Place, width, height int, c color.Color, camera store.Camera) store.Photo {
	b.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	y, cb, cr := color.RGBToYCbCr(rgb(c))
	for _, p := range []struct {
		plane []byte
		value byte
	}{{m.Y, y}, {m.Cb, cb}, {m.Cr, cr}} {
		for i := range p.plane {
			p.plane[i] = p.value
		}
	}
	var data bytes.Buffer
	b.must(jpeg.Encode(&data, m, nil))
	sha := store.SHA(sha256.Sum256(append(data.Bytes(), at.Path...)))
	o := store.Original{SHA: sha, Bytes: int64(data.Len()), Width: width, Height: height, Camera: camera}
	for _, spec := range specs {
		b.must(os.WriteFile(b.s.Files().Path(pictures.Rendition(sha, spec)), data.Bytes(), 0o440))
		o.Renditions = append(o.Renditions, store.Rendition{Spec: spec, Width: width, Height: height, Bytes: int64(data.Len()), Hash: sha256.Sum256(data.Bytes())})
	}
	b.tx(func(tx *store.Tx) error {
		_, err := tx.Publish(store.Arrival{
			Account: acct, Place: at, Original: o,
			Identity: upload.Identity{Volume: 1, Ino: b.ino.Add(1), Size: o.Bytes, Ctime: time.Now().UnixNano()},
		}, gone{})
		return err
	})
	all, err := b.s.All().Photos(b.Context(), store.PhotoQuery{Account: acct.Name, RawPath: at.Path})
	b.must(err)
	return all[0]
}

func rgb(c color.Color) (r, g, bl byte) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return n.R, n.G, n.B
}

func (b *adminBed) portrait(id string, width, height int, c color.Color) store.Photo {
	b.Helper()
	return b.picture(b.acct, store.Place{Path: b.path(id), Shown: b.path(id), Person: id}, width, height, c, store.Camera{})
}

// files reads a zip.
func (b *adminBed) files(data []byte) map[string][]byte {
	b.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	b.must(err)
	all := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		b.must(err)
		var content bytes.Buffer
		_, err = content.ReadFrom(r)
		b.must(err)
		all[f.Name] = content.Bytes()
	}
	return all
}

// An export from the pages names who is left out and why, and is the zip that a program
// takes; twice it is the same bytes.
func TestAnExportOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	b.addOperator("max", b.other.ID)
	cookie, stranger := b.session("eva"), b.session("max")
	at, file := placeURL("export", "lincoln", ""), placeURL("downloads", "lincoln", "")+"/export.zip"
	if html := b.page(cookie, at); !strings.Contains(html, "There is nobody to export.") {
		t.Error(html)
	}
	if w := b.ask("GET", file, nil, "Cookie", cookie); w.Code != http.StatusNotFound {
		t.Errorf("nobody: %d", w.Code)
	}
	b.take("", fourPeople)
	b.portrait("12", 640, 960, color.RGBA{200, 0, 0, 255})
	b.portrait("13", 960, 640, color.RGBA{0, 200, 0, 255})
	b.portrait("15", 100, 150, color.RGBA{0, 0, 200, 255})
	html := b.page(cookie, at)
	for _, want := range []string{"Bo Berg (13)", "the photo is not upright", "too few for 480×600", "there is no photo", `<dd>1</dd>`, `<dd>3</dd>`, `href="` + file + `?format=flat"`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in\n%s", want, html)
		}
	}
	if html := b.page(cookie, at+"?format=flat&size=80x120"); strings.Contains(html, "too few") || !strings.Contains(html, "size=80x120") {
		t.Error(html)
	}
	for _, query := range []string{"?format=none", "?size=600x480", "?size=x", "?kb=-1", "?kb=x"} {
		for _, path := range []string{at, file} {
			if w := b.ask("GET", path+query, nil, "Cookie", cookie); w.Code != http.StatusBadRequest {
				t.Errorf("%s%s: %d", path, query, w.Code)
			}
		}
	}
	for query, want := range map[string]string{
		"": "[12.jpg]", "?format=powerschool": "[12.jpg map.txt]", "?format=destiny": "[00001.jpg idlink.txt]", "?size=80x120&kb=20": "[12.jpg 15.jpg]",
		"?format=pspi": "[LINCOLN/COPYRIGHT.TXT LINCOLN/FOLDER1/L0000001.JPG LINCOLN/FOLDER1/S0000001.JPG LINCOLN/INDEX.TXT LINCOLN/MASTER.TXT LINCOLN/READ-ME.TXT]",
	} {
		first, second := b.ask("GET", file+query, nil, "Cookie", cookie), b.ask("GET", file+query, nil, "Cookie", cookie)
		if first.Code != http.StatusOK || !bytes.Equal(first.Body.Bytes(), second.Body.Bytes()) {
			t.Errorf("%s: %d, or not the same bytes twice", query, first.Code)
			continue
		}
		all := b.files(first.Body.Bytes())
		if got := fmt.Sprint(sortedNames(all)); got != want {
			t.Errorf("%s: %s instead of %s", query, got, want)
		}
		for name, data := range all {
			if strings.HasSuffix(strings.ToLower(name), ".jpg") {
				if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
					t.Errorf("%s %s: %v", query, name, err)
				}
			}
		}
	}
	if html := b.page(cookie, "/activity?event=downloaded"); !strings.Contains(html, "1 person exported as pspi, 3 left out") || !strings.Contains(html, "by eva") {
		t.Error(html)
	}
	for _, path := range []string{at, file} {
		if w := b.ask("GET", path, nil, "Cookie", stranger); w.Code != http.StatusNotFound {
			t.Errorf("%s of another account: %d", path, w.Code)
		}
	}
	// A picture that cannot be read cuts the answer: nobody takes it for a whole zip.
	p := b.photo("12")
	b.must(os.Remove(b.s.Files().Path(pictures.Rendition(p.SHA, specs[1])))) // the smallest that is large enough
	func() {
		defer func() {
			if r := recover(); r != http.ErrAbortHandler { //nolint:errorlint // it is what is panicked with
				t.Errorf("not cut: %v", r)
			}
		}()
		b.ask("GET", file, nil, "Cookie", cookie)
	}()
}

func sortedNames(all map[string][]byte) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
