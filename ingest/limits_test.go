package ingest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"picday/internal/testphoto"
	"picday/store"
)

// An account that is full goes on with the files it has; of those that are new one
// is listed, a scan tells of no other, and once there is room they are taken.
func TestTooManyFiles(t *testing.T) {
	b := newBed(t)
	b.Config.Upload.MaxFiles = 3
	at := func(n int) string { return fmt.Sprintf("acme/job1/x/%d.jpg", n) }
	put := func(n, picture int) {
		t.Helper()
		b.write(at(n), testphoto.Vary(testphoto.Tiny(0), picture))
		b.settle(at(n))
	}
	for n := range 6 {
		put(n, n)
	}
	b.write("acme/job1/top.jpg", nil) // also what is a problem by its path
	b.settle("acme/job1/top.jpg")
	b.write("lincoln/lincoln/user-pictures/7.jpg", testphoto.Tiny(7))
	b.settle("lincoln/lincoln/user-pictures/7.jpg")
	state := func() (s string) {
		for n := range 7 {
			switch {
			case b.photo(at(n)) != nil:
				s += "p"
			case b.reason(at(n)) != "":
				s += "!"
			default:
				s += "-"
			}
		}
		return s
	}
	check := func(when, want string) {
		t.Helper()
		if s := state(); s != want {
			t.Errorf("%s: %s instead of %s", when, s, want)
		}
	}
	check("full", "ppp!---")
	if r := b.reason(at(3)); r != store.TooManyFiles || b.reason("acme/job1/top.jpg") != "" || b.photo("lincoln/lincoln/user-pictures/7.jpg") == nil {
		t.Error(r, "or the others")
	}
	put(3, 33) // what is listed, and was written again
	if f := b.file(at(3)); f.Identity != b.known(at(3)) {
		t.Error("the problem is about the file as it was")
	}
	check("written again", "ppp!---")

	before := b.photo(at(0)).SHA
	put(0, 100)
	b.must(os.Rename(b.at(at(1)), b.at(at(6))))
	b.settle(at(6))
	check("overwritten and moved", "p-p!--p")
	if b.photo(at(0)).SHA == before {
		t.Error("not overwritten")
	}

	skips := func(n int) bool { f := b.file(at(n)); return b.LeftOut(f.Account, f.Path, f.Identity) }
	b.must(os.Rename(b.at(at(2)), b.at(at(1))))
	if !skips(4) || !skips(5) || skips(1) {
		t.Error(skips(4), skips(5), skips(1), "instead of all but what was moved")
	}
	b.settle(at(1))
	b.looks = nil
	b.must(b.makeRoom(b.Context(), time.Now()))
	if len(b.looks) > 0 {
		t.Errorf("without room: looked at %q", b.looks)
	}

	b.must(os.Remove(b.at(at(6))))
	b.gone(at(6))
	b.must(b.Store.Update(b.Context(), func(tx *store.Tx) error {
		return b.withDisk(nil, func(d store.Disk) error {
			_, _, err := tx.Withdraw(-time.Second, store.Cursor{}, 10, d)
			return err
		})
	}))
	go b.Writer.Run(b.Context())
	b.must(b.makeRoom(b.Context(), time.Now()))
	if len(b.looks) != 1 || b.looks[0] != "" || b.reason(at(3)) != "" || skips(4) {
		t.Errorf("with room: looked at %q, %q, %v", b.looks, b.reason(at(3)), skips(4))
	}
	b.settle(at(4))
	b.settle(at(5))
	check("room for one", "pp--p!-")
}

// A folder that is one too many is listed as that, the last of them, until it is
// said to be gone or looked into.
func TestTooManyFolders(t *testing.T) {
	b := newBed(t)
	for _, dir := range []string{"acme/job1/one", "acme/job1/two"} {
		b.must(os.Mkdir(b.at(dir), 0o755))
		f := b.file(dir)
		f.Dir = true
		v, _ := b.glance(b.Context(), f)
		b.apply(v)
	}
	if one, two := b.reason("acme/job1/one"), b.reason("acme/job1/two"); one != "" || two != store.TooManyFolders {
		t.Errorf("%q %q", one, two)
	}
	b.gone("acme/job1/two")
	if two := b.reason("acme/job1/two"); two != "" {
		t.Error(two)
	}
}

func (b *bed) known(path string) store.Identity {
	b.Helper()
	account, rest, _ := cut(path)
	a, _ := b.account(account)
	u, _, err := b.Store.UploadAt(b.Context(), a.ID, rest)
	b.must(err)
	return u.Identity
}
