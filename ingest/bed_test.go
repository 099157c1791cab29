package ingest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/durable"
	"picday/internal/volume"
	"picday/store"
)

// A bed is a real upload tree, a real data directory, and an ingester between
// them that is told of files by hand.
type bed struct {
	*testing.T
	*Ingester
	cfg   config.Config
	held  bool
	looks []string
}

func newBed(t *testing.T) *bed {
	b := &bed{T: t, cfg: config.Default()}
	b.cfg.UploadDir, b.cfg.DataDir = t.TempDir(), memory(t)
	b.open()
	_, err := b.Store.AdoptVolume(t.Context(), b.cfg.UploadDir, false)
	b.must(err)
	for _, d := range []string{"acme/job1/x", "lincoln/lincoln/user-pictures"} {
		b.must(os.MkdirAll(b.at(d), 0o755))
	}
	b.must(b.Store.Update(t.Context(), func(tx *store.Tx) error {
		acme, err := tx.AddAccount(store.Account{Name: "acme", Layout: store.Jobs})
		_, lerr := tx.AddAccount(store.Account{Name: "lincoln", Layout: store.Portraits})
		return errors.Join(err, lerr, tx.AddJob(acme, "job1"))
	}))
	b.accountsAgain()
	t.Cleanup(func() {
		b.Store.Close()
		b.nothingHalf()
	})
	return b
}

// memory is a directory that needs no disk, if there is one: making its 512
// directories durable takes longer than the rest of a test.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "picday-ingest-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// open is what a daemon does when it starts.
func (b *bed) open() {
	s, _, err := store.Create(context.Background(), b.cfg.DataDir)
	b.must(err)
	b.must(store.ClearTemp(b.cfg.DataDir))
	b.Ingester = New(Options{
		Store: s, Writer: s.NewWriter(), Config: b.cfg, Log: zerolog.Nop(),
		Volumes: volume.New(b.at(store.MarkerFile)),
		Held:    func(*os.File) (bool, error) { return b.held, nil },
		Look:    func(_, path string) { b.looks = append(b.looks, path) },
	})
}

// restart ends this daemon's life, however far it came, and starts another.
func (b *bed) restart() {
	b.must(b.Store.Close())
	b.open()
	b.accountsAgain()
}

func (b *bed) accountsAgain() {
	all, err := b.Store.Accounts(context.Background())
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

// file is what the watcher would hand over: path begins with the account.
func (b *bed) file(path string) File {
	b.Helper()
	fi, err := os.Lstat(b.at(path))
	b.must(err)
	account, rest, _ := cut(path)
	return File{Account: account, Path: rest, Identity: b.identityOf(fi, account, rest), Regular: fi.Mode().IsRegular()}
}

func cut(path string) (account, rest string, ok bool) {
	for i := range path {
		if path[i] == '/' {
			return path[:i], path[i+1:], true
		}
	}
	return path, "", false
}

// settle does all that Run does with one file.
func (b *bed) settle(path string) (again bool) {
	b.Helper()
	f := b.file(path)
	v, ok := b.glance(b.Context(), f)
	if !ok {
		v = b.take(b.Context(), f)
	}
	return b.apply(v)
}

func (b *bed) apply(v verdict) (again bool) {
	b.Helper()
	if v.apply != nil {
		for _, d := range v.dirs {
			b.must(durable.SyncDir(d))
		}
		b.must(b.Store.Update(b.Context(), v.apply))
	}
	if v.after != nil {
		v.after()
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

// photo is the one published for a path, nil if none.
func (b *bed) photo(path string) *store.Photo {
	b.Helper()
	account, rest, _ := cut(path)
	var found *store.Photo
	b.must(b.Store.Photos(b.Context(), store.PhotoFilter{Account: account, Path: rest}, func(p store.Photo) error {
		found = &p
		return nil
	}))
	return found
}

func (b *bed) reason(path string) store.Reason {
	b.Helper()
	account, rest, _ := cut(path)
	all, err := b.Store.Problems(b.Context(), account)
	b.must(err)
	for _, p := range all {
		if p.RawPath == rest {
			return p.Reason
		}
	}
	return ""
}

// kept lists our own files below one of the directories of pictures.
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

// nothingHalf checks that no temporary file is left.
func (b *bed) nothingHalf() {
	b.Helper()
	if left := b.kept("tmp"); len(left) > 0 {
		b.Errorf("left in tmp: %v", left)
	}
}
