package backup

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// A bed is a data directory whose pictures are on disk, and a place for its
// backup. Each picture is shown in an account of its own.
type bed struct {
	*testing.T
	s    *store.Store
	dir  string
	next uint64
}

func newBed(t *testing.T) *bed {
	t.Helper()
	s, _, err := store.Create(t.Context(), memory(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &bed{T: t, s: s, dir: filepath.Join(memory(t), "backup")}
}

// memory is a directory that needs no disk, if there is one: making 512
// directories durable takes longer than the rest of a test.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "picday-backup-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func shaOf(content string) store.SHA { return sha256.Sum256([]byte(content)) }

var small = rendition.Spec{Name: "thumb", Longest: 400, Quality: 80}

// publish publishes a picture in a new account.
func (b *bed) publish(account, content string) {
	b.Helper()
	o := store.Original{
		SHA: shaOf(content), Bytes: int64(len(content)), Width: 800, Height: 600,
		Renditions: []store.Rendition{{Spec: small, Width: 4, Height: 3, Bytes: 1, Hash: shaOf(".")}},
	}
	files := b.s.Files()
	b.must(errors.Join(files.Write(pictures.Original(o.SHA), []byte(content)), files.Write(pictures.Rendition(o.SHA, small), []byte("."))))
	b.next++
	id := upload.Identity{Volume: 7, Ino: b.next, Size: o.Bytes, Ctime: int64(b.next)}
	b.must(b.s.Update(b.Context(), func(tx *store.Tx) error {
		a, err := tx.AddAccount(store.Account{Name: account, Layout: layout.Jobs})
		if err == nil {
			err = tx.AddJob(a, "job1")
		}
		if err != nil {
			return err
		}
		place := store.Place{Path: "job1/x/a.jpg", Shown: "job1/x/a.jpg", Job: "job1", Album: "x", Area: "individuals"}
		_, err = tx.Publish(store.Arrival{Account: a, Place: place, Identity: id, Original: o}, nil)
		return err
	}))
}

// end deletes an account and its picture, as the daemon would in time.
func (b *bed) end(account string) {
	b.Helper()
	a, err := b.s.All().Account(b.Context(), account)
	b.must(err)
	b.must(b.s.Update(b.Context(), func(tx *store.Tx) error {
		if err := tx.RemoveAccount(a, true); err != nil {
			return err
		}
		if _, _, err := tx.EmptyTrash(a.ID, store.SweepPosition{}, 1000); err != nil {
			return err
		}
		n, err := tx.Collect(100)
		if n != 1 {
			b.Errorf("%d pictures were collected", n)
		}
		return err
	}))
}

// overwrite exchanges a file behind picday's back.
func (b *bed) overwrite(name, content string) {
	b.Helper()
	b.must(errors.Join(os.Remove(name), os.WriteFile(name, []byte(content), 0o600)))
}

func (b *bed) backup(change func(*Backup)) (Manifest, error) {
	b.Helper()
	run := &Backup{Store: b.s, Dir: b.dir}
	if change != nil {
		change(run)
	}
	b.must(run.Begin())
	defer run.End()
	return run.Take(b.Context(), "test")
}

// whole requires that the backup has every byte its catalogue points to.
func (b *bed) whole() *store.Store {
	b.Helper()
	m, err := ReadManifest(b.Context(), b.dir)
	b.must(err)
	snap, err := OpenCatalogue(b.Context(), b.dir, m)
	b.must(err)
	b.Cleanup(func() { snap.Close() })
	b.complete(snap)
	return snap
}

func (b *bed) complete(s *store.Store) {
	b.Helper()
	for o, err := range s.Pictures(b.Context()) {
		b.must(err)
		for _, f := range o.Files() {
			if err := s.Files().Read(b.Context(), f, io.Discard); err != nil {
				b.Errorf("%s: %v", f.Name, err)
			}
		}
	}
}

func (b *bed) count(snap *store.Store, n int) {
	b.Helper()
	if have, _, err := snap.PictureCount(b.Context()); have != n || err != nil {
		b.Errorf("%d pictures, want %d; %v", have, n, err)
	}
}
