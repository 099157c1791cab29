package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shelf is a world with all directories, whose pictures are on disk, and a
// place for its backup.
type shelf struct {
	*world
	dir string
}

func newShelf(t *testing.T) *shelf {
	w := newWorld(t, Jobs)
	w.s.Close()
	w.s = newStore(t)
	w.tx(func(tx *Tx) (err error) {
		w.acct, err = tx.AddAccount(Account{Name: "acme", Layout: Jobs})
		return errors.Join(err, tx.AddJob(w.acct, "job1"))
	})
	return &shelf{w, filepath.Join(t.TempDir(), "backup")}
}

func (s *shelf) publish(path, content string) {
	s.put(path, content)
	s.settle()
	o := s.keep(content)
	s.tx(func(tx *Tx) error {
		// The world's pictures have no true size.
		_, err := tx.Exec(`UPDATE original SET bytes = ? WHERE sha256 = ?`, len(content), o.SHA[:])
		return errors.Join(err, tx.SetRenditions(o.SHA, o.Renditions))
	})
}

// end deletes a photo and all that is left of it, as the daemon would in time.
func (s *shelf) end(path string) {
	s.rm(path)
	s.settle()
	s.expire()
	s.tx(func(tx *Tx) error { _, _, err := tx.Empty(s.acct.ID, Cursor{}, 1000); return err })
	s.collect()
}

func (s *shelf) backup(change func(*Backup)) (Manifest, error) {
	s.Helper()
	b := &Backup{Store: s.s, Dir: s.dir}
	if change != nil {
		change(b)
	}
	s.must(b.Begin())
	defer b.End()
	return b.Take(s.Context(), "test")
}

// whole requires that the backup has every byte its catalogue points to.
func (s *shelf) whole() *Store {
	s.Helper()
	m, err := ReadBackup(s.Context(), s.dir)
	s.must(err)
	snap, err := OpenBackup(s.Context(), s.dir, m)
	s.must(err)
	s.Cleanup(func() { snap.Close() })
	s.must(snap.eachPicture(s.Context(), func(o Original) error {
		for _, f := range o.Files() {
			if err := f.Examine(s.Context(), filepath.Join(s.dir, f.Path), nil); err != nil {
				s.Errorf("%s: %v", f.Path, err)
			}
		}
		return nil
	}))
	return snap
}

func (s *shelf) count(snap *Store, n int) {
	s.Helper()
	if have, _, err := snap.PictureCount(s.Context()); have != n || err != nil {
		s.Errorf("%d pictures, want %d; %v", have, n, err)
	}
}

// Between the catalogue's moment and the copying of a picture the daemon
// deletes that picture, and takes another.
func TestBackupWhileTheDaemonCollects(t *testing.T) {
	s := newShelf(t)
	s.publish(aJPG, "A")
	s.publish(bJPG, "B")
	rounds := 0
	m, err := s.backup(func(b *Backup) {
		b.afterSnapshot = func() {
			if rounds++; rounds == 1 {
				s.end(aJPG)
				s.publish("job1/x/c.jpg", "C")
			}
		}
	})
	s.must(err)
	if rounds != 2 || len(m.Lost) > 0 {
		t.Errorf("%d rounds, lost %v", rounds, m.Lost)
	}
	snap := s.whole()
	s.count(snap, 2)
	if _, found, _ := snap.Original(t.Context(), shaOf("C")); !found {
		t.Error("what came in the first round is not in the second")
	}
}

func TestBackupIsIncrementalAndPruned(t *testing.T) {
	s := newShelf(t)
	s.publish(aJPG, "A")
	s.publish(bJPG, "B")
	m, err := s.backup(nil)
	s.must(err)
	if m.CopiedFiles != 4 || m.Originals != 2 || m.Photos != 2 || m.Bytes != 2 {
		t.Errorf("%+v", m)
	}
	s.end(aJPG)
	s.publish("job1/x/c.jpg", "C")
	m, err = s.backup(nil)
	s.must(err)
	if m.CopiedFiles != 2 {
		t.Errorf("%+v", m)
	}
	s.count(s.whole(), 2)
	old := filepath.Join(s.dir, originalName(shaOf("A")))
	if _, err := os.Stat(old); err != nil {
		t.Error("deleted from the backup without being asked to:", err)
	}
	b := &Backup{Store: s.s, Dir: s.dir}
	s.must(b.Begin())
	defer b.End()
	if n, _, err := b.Prune(t.Context(), m); n != 2 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	s.whole()
	if err := (&Backup{Store: s.s, Dir: s.dir}).Begin(); !errors.Is(err, ErrInUse) {
		t.Errorf("two at once: %v", err)
	}
}

// A picture that the data directory has not, or has wrong, is no reason not to
// save the others; a good copy from before is never replaced by a bad one.
func TestBackupOfADamagedShelf(t *testing.T) {
	s := newShelf(t)
	s.publish(aJPG, "A")
	s.publish(bJPG, "B")
	s.publish("job1/x/c.jpg", "C")
	s.publish("job1/x/d.jpg", "D")
	s.must(os.WriteFile(s.s.OriginalPath(shaOf("B")), []byte("X"), 0o600))
	s.must(os.Remove(s.s.OriginalPath(shaOf("C"))))
	s.must(os.Remove(s.s.RenditionPath(shaOf("D"), small)))
	m, err := s.backup(nil)
	s.must(err)
	if len(m.Lost) != 3 {
		t.Errorf("lost: %v", m.Lost)
	}
	m, err = ReadBackup(t.Context(), s.dir)
	s.must(err)
	snap, err := OpenBackup(t.Context(), s.dir, m)
	s.must(err)
	defer snap.Close()
	if o, _, err := snap.Original(t.Context(), shaOf("D")); err != nil || len(o.Renditions) != 0 {
		t.Errorf("the lost rendition of D would not be made anew: %+v %v", o, err)
	}
	for _, c := range "BC" {
		if _, err := os.Stat(filepath.Join(s.dir, originalName(shaOf(string(c))))); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%c is in the backup: %v", c, err)
		}
	}
	s.must(os.WriteFile(s.s.OriginalPath(shaOf("A")), []byte("X"), 0o600))
	if _, err = s.backup(nil); err != nil {
		t.Error(err)
	}
	if data, _ := os.ReadFile(filepath.Join(s.dir, originalName(shaOf("A")))); string(data) != "A" {
		t.Errorf("the good copy became %q", data)
	}
	// Damage in the backup is found on demand and mended.
	s.must(os.WriteFile(s.s.OriginalPath(shaOf("A")), []byte("A"), 0o600))
	s.must(os.WriteFile(filepath.Join(s.dir, originalName(shaOf("A"))), []byte("Y"), 0o600))
	_, err = s.backup(func(b *Backup) { b.Again = true })
	s.must(err)
	if data, _ := os.ReadFile(filepath.Join(s.dir, originalName(shaOf("A")))); string(data) != "A" {
		t.Errorf("the damaged copy stayed %q", data)
	}
}

// Whatever ends a backup, the one before is as good as ever.
func TestBackupThatFails(t *testing.T) {
	s := newShelf(t)
	s.publish(aJPG, "A")
	good, err := s.backup(nil)
	s.must(err)
	s.publish(bJPG, "B")
	fault := errors.New("fault")
	for name, change := range map[string]func(*Backup){
		"while the machine is captured": func(b *Backup) { b.Machine = func(string, *Store) error { return fault } },
		"while pictures are copied":     func(b *Backup) { b.afterSnapshot = func() { os.RemoveAll(filepath.Join(s.dir, tempDir)) } },
	} {
		if _, err := s.backup(change); err == nil {
			t.Errorf("%s: no error", name)
		}
		if m, err := ReadBackup(t.Context(), s.dir); err != nil || m.Folder != good.Folder {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
		s.count(s.whole(), 1)
	}
	// Killed: its folder is left, and goes with the next backup.
	s.must(os.Mkdir(filepath.Join(s.dir, folderPrefix+"killed"), 0o700))
	_, err = s.backup(nil)
	s.must(err)
	s.count(s.whole(), 2)
	if left, _ := filepath.Glob(filepath.Join(s.dir, folderPrefix+"*")); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestNotABackup(t *testing.T) {
	s := newShelf(t)
	s.must(os.MkdirAll(s.dir, 0o755))
	s.must(os.WriteFile(filepath.Join(s.dir, "letter.txt"), nil, 0o644))
	if err := (&Backup{Store: s.s, Dir: s.dir}).Begin(); !errors.Is(err, ErrNotBackup) || !strings.Contains(err.Error(), "letter.txt") {
		t.Error(err)
	}
	if fi, _ := os.Stat(s.dir); fi.Mode().Perm() != 0o755 {
		t.Error("somebody else's directory was changed")
	}
	s.must(os.Remove(filepath.Join(s.dir, "letter.txt")))
	if _, err := ReadBackup(t.Context(), s.dir); !errors.Is(err, ErrNotBackup) {
		t.Error(err)
	}
	s.publish(aJPG, "A")
	m, err := s.backup(nil)
	s.must(err)
	if fi, _ := os.Stat(s.dir); fi.Mode().Perm() != 0o700 {
		t.Error("open to others")
	}
	name := filepath.Join(s.dir, m.Folder, linkKeyFile)
	key, err := os.ReadFile(name)
	s.must(err)
	key[0] ^= 1
	s.must(os.WriteFile(name, key, 0o600))
	if _, err := ReadBackup(t.Context(), s.dir); !errors.Is(err, ErrNotBackup) {
		t.Errorf("a flipped bit: %v", err)
	}
}
