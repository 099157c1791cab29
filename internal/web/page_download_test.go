package web

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"picday/internal/test/catalogues"
	"picday/store"
	"picday/store/pictures"
)

// Names in a ZIP stay inside the folder where it is unpacked, are none that Windows does
// not take, and never overwrite another.
func TestNamesInAZipAreSafe(t *testing.T) {
	z := newZipNames()
	seen := map[string]bool{}
	for _, file := range append([]string{
		"..", ".", "", "../../etc/passwd", `..\..\x.jpg`, "CON.jpg", "con", "lpt1.tar.gz", "a.jpg", "A.JPG", "a.jpg", "ä.jpg", "a\u0308.jpg", "x.jpg.", "x.jpg ", "C:x.jpg",
		"a\x00b\nc.jpg", "\u202egpj.exe", strings.Repeat("ü", 200) + ".jpg", strings.Repeat("ü", 200) + ".jpg", "\xff.jpg", "NUL .txt", "COM¹",
	}, catalogues.Hostile...) {
		for _, album := range []string{"..", "A", "a", "aux", "/", "x?", "x*"} {
			name := z.in(file, "job1", album)
			if seen[strings.ToLower(name)] {
				t.Errorf("%q twice", name)
			}
			seen[strings.ToLower(name)] = true
			parts := strings.Split(name, "/")
			if len(parts) != 3 || parts[0] != "job1" || path.Clean(name) != name || strings.ContainsAny(name, "\\:*?\"<>|\x00\n\u202e") {
				t.Errorf("%q, %q: %q", file, album, name)
			}
			for _, p := range parts {
				stem, _, _ := strings.Cut(p, ".")
				if p == ".." || p == "." || p == "" || deviceNames[strings.ToUpper(strings.TrimSpace(stem))] || strings.TrimRight(p, ". ") != p || len(p) > longestInZip+8 {
					t.Errorf("%q, %q: %q", file, album, name)
				}
			}
		}
	}
}

// A ZIP has the bytes of each photo, of a job, an album or a selection, in each size; the
// activity tells who took it. One that was cut off is no ZIP.
func TestDownloads(t *testing.T) {
	b := fullBed(t)
	b.addOperator("max", b.other.ID)
	cookie := b.session("max")
	get := func(path string) *httptest.ResponseRecorder { return b.ask("GET", path, nil, "Cookie", cookie) }
	read := func(w *httptest.ResponseRecorder) (names []string) {
		t.Helper()
		z, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
		if w.Code != http.StatusOK || err != nil {
			t.Fatalf("%d %v %.100q", w.Code, err, w.Body)
		}
		for _, f := range z.File {
			r, err := f.Open()
			b.must(err)
			if _, err := io.Copy(io.Discard, r); err != nil { // checks the sum
				t.Error(f.Name, err)
			}
			names = append(names, f.Name)
		}
		return names
	}
	photos, err := b.s.View(b.other.ID).Photos(t.Context(), store.PhotoQuery{Account: "acme"})
	b.must(err)
	for _, p := range photos {
		b.must(os.MkdirAll(path.Dir(b.s.Files().Path(pictures.Original(p.SHA))), 0o750))
		b.write(b.s.Files().Path(pictures.Original(p.SHA)), p.Path) // what it was made of
	}
	both := []string{"job00001/Class 1/individuals/IMG_1.jpg", "job00001/Class 2/individuals/IMG_2.jpg"}
	for path, want := range map[string][]string{
		"/downloads/acme/job00001/photos.zip": both, "/downloads/acme/job00001/photos.zip?size=thumb": both,
		"/downloads/acme/job00001/photos.zip?album=Class+2": both[1:],
	} {
		if got := read(get(path)); !slices.Equal(got, want) {
			t.Errorf("%s: %q", path, got)
		}
	}
	ids := []string{fmt.Sprint(photos[0].ID), fmt.Sprint(photos[1].ID)}
	if got := read(b.ask("POST", "/photos/selected.zip", url.Values{"photo": ids}, "Cookie", cookie)); !slices.Equal(got, []string{"IMG_1.jpg", "IMG_2.jpg"}) {
		t.Errorf("selected: %q", got)
	}
	w := get("/downloads/acme/job00001/photos.csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][3] != "IMG_1.jpg" || rows[1][4] != b.gate.Site.PublicURL+"/"+photos[0].Link+".jpg" {
		t.Errorf("%v %q", err, w.Body)
	}
	activity := b.page(cookie, "/activity?event=downloaded")
	for _, want := range []string{"2 photos, originals", "2 photos, size thumb", "1 photo, originals", "2 links, as a list", "by max"} {
		if !strings.Contains(activity, want) {
			t.Errorf("activity without %q", want)
		}
	}
	for _, path := range []string{
		"/downloads/third/job00001/photos.zip", "/downloads/lincoln/x/photos.csv", "/downloads/acme/none/photos.zip", "/downloads/acme/job00001/photos.zip?size=none", "/downloads/acme/job00001/photos.zip?album=none",
	} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}

	// All or nothing, and nothing of another account.
	for _, form := range []url.Values{
		{"do": {"withdraw"}, "photo": append(slices.Clone(ids), fmt.Sprint(b.photo("13").ID))},
		{"do": {"withdraw"}, "photo": append(slices.Clone(ids), "999999")},
		{"do": {"withdraw"}},
		{"do": {"odd"}, "photo": ids},
		{"do": {"withdraw"}, "photo": make([]string, maxSelected+1)},
	} {
		if w := b.ask("POST", "/photos/selected", form, "Cookie", cookie); w.Code < 400 || w.Code >= 500 {
			t.Errorf("%v: %d", form["do"], w.Code)
		}
	}
	if w := b.ask("POST", "/photos/selected.zip", url.Values{"photo": {fmt.Sprint(b.photo("13").ID)}}, "Cookie", cookie); w.Code != http.StatusNotFound {
		t.Errorf("a photo of another account: %d", w.Code)
	}
	withdrawn := func() (n int) {
		n, err := b.s.View(b.other.ID).CountPhotos(t.Context(), store.PhotoQuery{Account: "acme", Show: store.ShowWithdrawn})
		b.must(err)
		return n
	}
	if n := withdrawn(); n != 0 || !b.photo("13").WithdrawnAt.IsZero() {
		t.Errorf("%d photos are withdrawn", n)
	}
	for do, want := range map[string]int{"withdraw": 2} {
		w := b.ask("POST", "/photos/selected", url.Values{"do": {do}, "photo": ids, "back": {"/jobs/acme/job00001/Class%201?sort=taken"}}, "Cookie", cookie)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/jobs/acme/job00001/Class%201?sort=taken&done=withdrawn-all" || withdrawn() != want {
			t.Errorf("%s: %d %v", do, w.Code, w.Header())
		}
	}
	if w := b.ask("POST", "/photos/selected", url.Values{"do": {"restore"}, "photo": ids, "back": {"//evil.example"}}, "Cookie", cookie); withdrawn() != 0 || w.Header().Get("Location") != "/?done=restored-all" {
		t.Errorf("restore: %d %v", w.Code, w.Header())
	}

	// A file that cannot be read cuts the ZIP off.
	b.must(os.Remove(b.s.Files().Path(pictures.Original(photos[1].SHA))))
	server := httptest.NewServer(b.gate)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/downloads/acme/job00001/photos.zip", nil)
	b.must(err)
	req.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		var data []byte
		data, err = io.ReadAll(res.Body)
		res.Body.Close()
		if _, zerr := zip.NewReader(bytes.NewReader(data), int64(len(data))); zerr == nil {
			t.Error("what was cut off is a whole ZIP")
		}
	}
	if err == nil {
		t.Error("the answer ended as a whole one")
	}
}
