package ingest

import (
	"bytes"
	"crypto/sha256"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"picday/internal/layout"
	testphoto "picday/internal/test/photo"
	"picday/store/pictures"
)

var whole = testphoto.Make(testphoto.Spec{Width: 640, Height: 440, Thumbnail: true, Seed: 4})

func TestVerdicts(t *testing.T) {
	part := func(percent int) []byte { return whole[:len(whole)*percent/100] }
	spoilt := slices.Clone(whole)
	dht := bytes.LastIndex(spoilt, []byte{0xff, 0xc4})
	copy(spoilt[dht+5:], bytes.Repeat([]byte{0xff}, 16)) // more codes than a table can have
	narrow := testphoto.Make(testphoto.Spec{Width: 900, Height: 500, Orientation: 6})
	huge := slices.Clone(testphoto.Tiny(1))
	sof := bytes.Index(huge, []byte{0xff, 0xc0})
	copy(huge[sof+5:], []byte{0xff, 0xff, 0xff, 0xff}) // 65,535 x 65,535

	for name, c := range map[string]struct {
		path   string
		data   []byte
		reason layout.Reason
		flags  []string
	}{
		"photo":              {path: "acme/job1/x/a.jpg", data: whole},
		"group":              {path: "acme/job1/x/Group/a.JPEG", data: whole},
		"small, when turned": {path: "acme/job1/x/a.jpg", data: narrow, flags: []string{"small"}},
		"garbage behind":     {path: "acme/job1/x/a.jpg", data: append(slices.Clone(whole), "garbage \xff\xd8\xff"...)},
		"name not UTF-8":     {path: "acme/job1/x/a\xff\n.jpg", data: whole},
		"portrait":           {path: "lincoln/lincoln/user-pictures/0012.jpg", data: whole},
		"no album":           {path: "acme/job1/a.jpg", data: whole, reason: layout.NoAlbum},
		"unknown folder":     {path: "acme/job1/x/other/a.jpg", data: whole, reason: layout.UnknownFolder},
		"bad name":           {path: "lincoln/lincoln/user-pictures/anna.jpg", data: whole, reason: layout.BadName},
		"PNG":                {path: "acme/job1/x/a.jpg", data: []byte("\x89PNG\r\n\x1a\n and so on"), reason: layout.NotJPEG},
		"text":               {path: "acme/job1/x/a.txt", data: []byte("hello"), reason: layout.NotJPEG},
		"empty":              {path: "acme/job1/x/a.jpg", reason: layout.Incomplete},
		"10 %":               {path: "acme/job1/x/a.jpg", data: part(10), reason: layout.Incomplete},
		"50 %":               {path: "acme/job1/x/a.jpg", data: part(50), reason: layout.Incomplete},
		"99 %":               {path: "acme/job1/x/a.jpg", data: part(99), reason: layout.Incomplete},
		"damaged":            {path: "acme/job1/x/a.jpg", data: spoilt, reason: layout.Damaged},
		"too complex":        {path: "acme/job1/x/a.jpg", data: huge, reason: layout.TooComplex},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.write(c.path, c.data)
			if b.settle(c.path) {
				t.Fatal("again")
			}
			if got := b.reason(c.path); got != c.reason {
				t.Errorf("reason %q, want %q", got, c.reason)
			}
			p := b.photo(c.path)
			if (p != nil) != (c.reason == "") {
				t.Fatalf("published: %+v", p)
			}
			if p == nil {
				if n := len(b.kept("originals")) + len(b.kept("renditions")); n > 0 {
					t.Errorf("%d files kept of a problem", n)
				}
				return
			}
			if !slices.Equal(p.Flags, c.flags) && len(p.Flags)+len(c.flags) > 0 {
				t.Errorf("flags %v, want %v", p.Flags, c.flags)
			}
			data, err := os.ReadFile(b.Store.Files().Path(pictures.Original(p.SHA)))
			if err != nil || !bytes.Equal(data, c.data) || sha256.Sum256(data) != p.SHA {
				t.Errorf("the original is not what was uploaded: %v", err)
			}
			for _, r := range p.Renditions {
				if fi, err := os.Stat(b.Store.Files().Path(pictures.Rendition(p.SHA, r.Spec))); err != nil || fi.Size() != r.Bytes || fi.Mode() != 0o440 {
					t.Errorf("%s: %v %v", r.Name, fi, err)
				}
			}
			if len(p.Renditions) != 2 {
				t.Errorf("renditions: %v", p.Renditions)
			}
		})
	}
}

// A file that is not regular is a problem, and is neither opened nor waited for. Nor is one
// that takes the place of the settled file before it is opened.
func TestSpecialFilesAreNotOpened(t *testing.T) {
	b := newBed(t)
	const path = "acme/job1/x/a.jpg"
	make := map[string]func() error{
		"link out":  func() error { return os.Symlink("/etc/passwd", b.at(path)) },
		"link in":   func() error { return os.Symlink("b.jpg", b.at(path)) },
		"dead link": func() error { return os.Symlink("nothing", b.at(path)) },
		"FIFO":      func() error { return syscall.Mkfifo(b.at(path), 0o600) },
		"socket":    func() error { return syscall.Mknod(b.at(path), syscall.S_IFSOCK|0o600, 0) },
		"directory": func() error { return os.Mkdir(b.at(path), 0o700) },
	}
	b.write("acme/job1/x/b.jpg", whole)
	for name, special := range make {
		os.Remove(b.at(path))
		b.must(special())
		if name != "directory" {
			if b.settle(path); b.reason(path) != layout.Unreadable {
				t.Errorf("%s: %q", name, b.reason(path))
			}
		}
		os.Remove(b.at(path))
		b.write(path, whole)
		f := b.file(path)
		b.must(os.Remove(b.at(path)))
		b.must(special())
		v := b.take(t.Context(), f)
		if again := b.apply(v); !again && b.reason(path) != layout.Unreadable {
			t.Errorf("%s in the place of a file: %+v", name, v)
		}
		if b.photo(path) != nil {
			t.Errorf("%s was published", name)
		}
	}
}

// No file outside of the account is read if a link takes the place of a directory.
func TestParentLinkIsNotFollowed(t *testing.T) {
	b := newBed(t)
	outside := t.TempDir()
	b.must(os.WriteFile(outside+"/a.jpg", whole, 0o600))
	b.write("acme/job1/y/a.jpg", testphoto.Tiny(3))
	f := b.file("acme/job1/y/a.jpg")
	b.must(os.RemoveAll(b.at("acme/job1/y")))
	b.must(os.Symlink(outside, b.at("acme/job1/y")))
	b.apply(b.take(t.Context(), f))
	if b.photo("acme/job1/y/a.jpg") != nil {
		t.Error("a file outside was read")
	}
}

// A file that changes before or while it is read is not taken, and is sent again.
func TestFileThatChangesIsSentAgain(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	for name, change := range map[string]func(){
		"somebody writes":      func() { b.held = true },
		"appended since":       func() { b.write(path, append(slices.Clone(whole), 0)) },
		"replaced since":       func() { b.must(os.Remove(b.at(path))); b.write(path, testphoto.Tiny(1)) },
		"gone since":           func() { b.must(os.Remove(b.at(path))) },
		"its folder is gone":   func() { b.must(os.RemoveAll(b.at("acme/job1/x"))) },
		"its folder is a file": func() { b.must(os.RemoveAll(b.at("acme/job1/x"))); b.write("acme/job1/x", nil) },
	} {
		b.must(os.RemoveAll(b.at("acme/job1/x")))
		b.write(path, whole)
		f := b.file(path)
		change()
		if v := b.take(t.Context(), f); !v.again || v.apply != nil {
			t.Errorf("%s: %+v", name, v)
		}
		b.held = false
	}
	// A writer is found before the file is read, or after.
	b.must(os.RemoveAll(b.at("acme/job1/x")))
	b.write(path, whole)
	for asked := range 2 {
		n := 0
		b.Ingester.held = func(*os.File) (bool, error) { n++; return n > asked, nil }
		if v := b.take(t.Context(), b.file(path)); !v.again || v.apply != nil || n != asked+1 {
			t.Errorf("held at question %d: %+v", asked, v)
		}
	}
	if n := len(b.kept("originals")) + len(b.kept("renditions")); n > 0 || b.photo(path) != nil {
		t.Errorf("%d files kept", n)
	}
}

// A half overwritten file is incomplete. scp and reput overwrite without truncating, so an
// interruption leaves the new beginning and the old end, with a real EOI.
func TestHalfOverwrittenIsIncomplete(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.write(path, whole)
	b.settle(path)
	old := b.photo(path)
	over := testphoto.Make(testphoto.Spec{Width: 640, Height: 440, Thumbnail: true, Seed: 5})
	for _, percent := range []int{50, 90, 99} {
		f, err := os.OpenFile(b.at(path), os.O_WRONLY, 0)
		b.must(err)
		_, err = f.Write(over[:min(len(over), len(whole))*percent/100])
		b.must(err)
		b.must(f.Close())
		b.settle(path)
		if now := b.photo(path); b.reason(path) != layout.Incomplete || now == nil || now.SHA != old.SHA {
			t.Errorf("%d %%: %q, %+v", percent, b.reason(path), now)
		}
	}
	// Once the upload is resumed and truncated, the new picture has the old link.
	b.write(path, over)
	b.settle(path)
	if now := b.photo(path); now == nil || now.SHA != sha256.Sum256(over) || now.Link != old.Link || b.reason(path) != "" {
		t.Errorf("whole: %q %+v", b.reason(path), now)
	}
	// An edit of the metadata in place is complete; it leaves size and end as they were.
	one, two := testphoto.Vary(over, 1), testphoto.Vary(over, 2)
	b.write(path, one)
	b.settle(path)
	b.write(path, two)
	b.settle(path)
	if now := b.photo(path); now == nil || now.SHA != sha256.Sum256(two) || b.reason(path) != "" {
		t.Errorf("edited: %q %+v", b.reason(path), now)
	}
}

// After a rename, touch or chmod no picture is rendered again.
func TestNothingIsRenderedTwice(t *testing.T) {
	const path, moved = "acme/job1/x/a.jpg", "acme/job1/y/group/b.jpg"
	b := newBed(t)
	b.write(path, whole)
	b.settle(path)
	link := b.photo(path).Link
	before := b.kept("renditions")
	then := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	b.must(os.Chtimes(b.at(path), then, then))
	b.settle(path)
	b.must(os.Chmod(b.at(path), 0o444))
	b.settle(path)
	b.must(os.MkdirAll(b.at("acme/job1/y/group"), 0o755))
	b.must(os.Rename(b.at(path), b.at(moved)))
	b.settle(moved)
	b.gone(path)
	b.must(os.Rename(b.at("acme/job1/y"), b.at("acme/job1/z")))
	b.settle("acme/job1/z/group/b.jpg")
	b.write("lincoln/lincoln/user-pictures/1.jpg", whole) // the same picture in another account
	b.settle("lincoln/lincoln/user-pictures/1.jpg")
	after := b.kept("renditions")
	for name, fi := range after {
		if was := before[name]; was == nil || !os.SameFile(was, fi) || was.ModTime() != fi.ModTime() {
			t.Errorf("%s was made again", name)
		}
	}
	if p := b.photo("acme/job1/z/group/b.jpg"); p == nil || p.Link != link || len(after) != 2 || len(b.kept("originals")) != 1 {
		t.Errorf("%+v, %d renditions", p, len(after))
	}
	if p := b.photo("lincoln/lincoln/user-pictures/1.jpg"); p == nil || p.Link == link {
		t.Errorf("%+v", p)
	}
}
