package ingest

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// A bed is a real upload tree, a real data directory, and an ingester between them. A test
// passes it the files that a watcher would send.
type bed struct {
	testing.TB
	*Ingester
	cfg     config.Config
	held    bool
	watcher fakeWatcher
}

// fakeWatcher sends what a test puts in, and records the calls of Look.
type fakeWatcher struct {
	settled <-chan upload.File
	done    func(f upload.File, again bool)
	hints   <-chan upload.Gone
	look    func(path string) // called by Look; may be nil
	looks   []string
}

func (w *fakeWatcher) Settled() <-chan upload.File    { return w.settled }
func (w *fakeWatcher) Gone() <-chan upload.Gone       { return w.hints }
func (w *fakeWatcher) Done(f upload.File, again bool) { w.done(f, again) }

func (w *fakeWatcher) Look(_, path string) {
	w.looks = append(w.looks, path)
	if w.look != nil {
		w.look(path)
	}
}

func newBed(t testing.TB) *bed {
	b := &bed{TB: t, cfg: config.Default()}
	b.cfg.UploadDir, b.cfg.DataDir = t.TempDir(), memory(t)
	b.open()
	_, err := b.Store.AdoptVolume(t.Context(), b.cfg.UploadDir, false)
	b.must(err)
	for _, d := range []string{"acme/job1/x", "lincoln/lincoln/user-pictures"} {
		b.must(os.MkdirAll(b.at(d), 0o755))
	}
	b.must(b.Store.Update(t.Context(), func(tx *store.Tx) error {
		acme, err := tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs})
		_, lerr := tx.AddAccount(store.Account{Name: "lincoln", Layout: layout.Portraits})
		return errors.Join(err, lerr, tx.AddJob(acme, "job1"))
	}))
	b.reloadAccounts()
	t.Cleanup(func() {
		b.Store.Close()
		b.noTempFiles()
	})
	return b
}

// memory returns a directory in memory, if there is one, because to make the 512
// directories of pictures durable takes longer than the rest of a test.
func memory(t testing.TB) string {
	dir, err := os.MkdirTemp(cmp.Or(os.Getenv("PICDAY_FAULTS_DATA"), "/dev/shm"), "picday-ingest-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// open opens the data directory and makes an ingester, as a daemon does when it starts.
func (b *bed) open() {
	s, _, err := store.Create(context.Background(), b.cfg.DataDir)
	b.must(err)
	b.must(s.Files().ClearTemp())
	b.Ingester = New(Options{
		Store: s, Writer: s.NewWriter(), Config: b.cfg, Log: zerolog.Nop(),
		Volumes: upload.NewVolumes(b.at(store.MarkerFile)),
		Watcher: &b.watcher,
	})
	b.Ingester.held = func(*os.File) (bool, error) { return b.held, nil }
}

// restart closes the data directory, at whatever step the ingester was, and opens it again.
func (b *bed) restart() {
	b.must(b.Store.Close())
	b.open()
	b.reloadAccounts()
}

func (b *bed) reloadAccounts() {
	all, err := b.Store.All().Accounts(context.Background())
	b.must(err)
	b.SetAccounts(all)
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bed) at(path string) string { return filepath.Join(b.cfg.UploadDir, path) }

func (b *bed) write(path string, data []byte) {
	b.Helper()
	b.must(os.MkdirAll(filepath.Dir(b.at(path)), 0o755))
	b.must(os.WriteFile(b.at(path), data, 0o600))
}

// file returns what the watcher would send for a path, which begins with the account.
func (b *bed) file(path string) upload.File {
	b.Helper()
	fi, err := os.Lstat(b.at(path))
	b.must(err)
	account, rest, _ := cut(path)
	return upload.File{Account: account, Path: rest, Identity: b.identityOf(fi, account, rest), Regular: fi.Mode().IsRegular()}
}

func cut(path string) (account, rest string, ok bool) {
	for i := range path {
		if path[i] == '/' {
			return path[:i], path[i+1:], true
		}
	}
	return path, "", false
}

// settle does everything that Run does with one file.
func (b *bed) settle(path string) (again bool) {
	b.Helper()
	f := b.file(path)
	v, ok := b.withoutReading(b.Context(), f)
	if !ok {
		v = b.take(b.Context(), f)
	}
	return b.apply(v)
}

func (b *bed) apply(v verdict) (again bool) {
	b.Helper()
	if v.apply != nil {
		b.must(b.Store.Files().Sync(v.files...))
		b.must(b.Store.Update(b.Context(), v.apply))
	}
	if v.release != nil {
		v.release()
	}
	return v.again
}

func (b *bed) gone(path string) {
	b.Helper()
	account, rest, _ := cut(path)
	a, _ := b.account(account)
	b.must(b.Store.Update(b.Context(), func(tx *store.Tx) error {
		return b.withDisk(nil, func(d store.Disk) error {
			_, _, err := tx.Missing(a.Account, rest, "", 1000, d)
			return err
		})
	}))
}

// photo returns the photo that is published for a path, nil if there is none.
func (b *bed) photo(path string) *store.Photo {
	b.Helper()
	account, rest, _ := cut(path)
	all, err := b.Store.All().Photos(b.Context(), store.PhotoQuery{Account: account, Path: rest})
	b.must(err)
	if len(all) == 0 {
		return nil
	}
	return &all[len(all)-1]
}

func (b *bed) reason(path string) layout.Reason {
	b.Helper()
	account, rest, _ := cut(path)
	all, err := b.Store.All().Problems(b.Context(), store.ProblemQuery{Account: account, Order: store.ProblemsByPath})
	b.must(err)
	for _, p := range all {
		if p.RawPath == rest {
			return p.Reason
		}
	}
	return ""
}

// kept lists the files below a subdirectory of the data directory.
func (b *bed) kept(dir string) map[string]os.FileInfo {
	b.Helper()
	files := map[string]os.FileInfo{}
	b.must(filepath.WalkDir(filepath.Join(b.cfg.DataDir, dir), func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[p], err = d.Info()
		return err
	}))
	return files
}

// noTempFiles checks that no temporary file is left.
func (b *bed) noTempFiles() {
	b.Helper()
	if left := b.kept("tmp"); len(left) > 0 {
		b.Errorf("left in tmp: %v", left)
	}
}
