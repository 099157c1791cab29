package ingest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"picday/internal/layout"
	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
)

// In an account at its limit, known files can change and move. One new file is listed as a
// problem, scans skip the others, and they are taken once the account is below its limit.
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
	b.write("acme/job1/top.jpg", nil) // a problem by its path is not listed either
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
	if r := b.reason(at(3)); r != layout.TooManyFiles || b.reason("acme/job1/top.jpg") != "" || b.photo("lincoln/lincoln/user-pictures/7.jpg") == nil {
		t.Error(r, "or the others")
	}
	put(3, 33) // the listed file is overwritten
	if f := b.file(at(3)); f.Identity != b.known(at(3)) {
		t.Error("the problem has the old identity of the file")
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

	skips := func(n int) bool {
		f := b.file(at(n))
		return b.Ingester.Skip(b.Context(), f.Account, f.Path, f.Identity)
	}
	b.must(os.Rename(b.at(at(2)), b.at(at(1))))
	if !skips(4) || !skips(5) || skips(1) {
		t.Error(skips(4), skips(5), skips(1), "instead of true true false")
	}
	b.settle(at(1))
	b.watcher.looks = nil
	b.must(b.rescanWaiting(b.Context(), time.Now()))
	if len(b.watcher.looks) > 0 {
		t.Errorf("at the limit: scanned %q", b.watcher.looks)
	}

	b.must(os.Remove(b.at(at(6))))
	b.gone(at(6))
	b.must(b.Store.Update(b.Context(), func(tx *store.Tx) error {
		return b.withDisk(nil, func(d store.Disk) error {
			_, _, err := tx.Withdraw(-time.Second, store.SweepPosition{}, 10, d)
			return err
		})
	}))
	go b.Writer.Run(b.Context())
	b.must(b.rescanWaiting(b.Context(), time.Now()))
	if len(b.watcher.looks) != 1 || b.watcher.looks[0] != "" || b.reason(at(3)) != "" || skips(4) {
		t.Errorf("below the limit: scanned %q, %q, %v", b.watcher.looks, b.reason(at(3)), skips(4))
	}
	b.settle(at(4))
	b.settle(at(5))
	check("room for one", "pp--p!-")
}

// The last folder beyond the limit is listed as a problem until it is reported as missing.
func TestTooManyFolders(t *testing.T) {
	b := newBed(t)
	for _, dir := range []string{"acme/job1/one", "acme/job1/two"} {
		b.must(os.Mkdir(b.at(dir), 0o755))
		f := b.file(dir)
		f.Dir = true
		v, _ := b.withoutReading(b.Context(), f)
		b.apply(v)
	}
	if one, two := b.reason("acme/job1/one"), b.reason("acme/job1/two"); one != "" || two != layout.TooManyFolders {
		t.Errorf("%q %q", one, two)
	}
	b.gone("acme/job1/two")
	if two := b.reason("acme/job1/two"); two != "" {
		t.Error(two)
	}
}

func (b *bed) known(path string) upload.Identity {
	b.Helper()
	account, rest, _ := cut(path)
	a, _ := b.account(account)
	u, _, err := b.Store.UploadAt(b.Context(), a.ID, rest)
	b.must(err)
	return u.Identity
}
