package backup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/fsuid"
	"picday/store"
	"picday/store/pictures"
)

// Between the catalogue's moment and the copying of a picture the daemon
// deletes that picture, and takes another.
func TestBackupWhileTheDaemonCollects(t *testing.T) {
	b := newBed(t)
	b.publish("a", "A")
	b.publish("b", "B")
	rounds := 0
	m, err := b.backup(func(r *Backup) {
		r.afterSnapshot = func() {
			if rounds++; rounds == 1 {
				b.end("a")
				b.publish("c", "C")
			}
		}
	})
	b.must(err)
	if rounds != 2 || len(m.Lost) > 0 {
		t.Errorf("%d rounds, lost %v", rounds, m.Lost)
	}
	snap := b.whole()
	b.count(snap, 2)
	if _, found, _ := snap.Original(t.Context(), shaOf("C")); !found {
		t.Error("what came in the first round is not in the second")
	}
}

func TestBackupIsIncrementalAndPruned(t *testing.T) {
	b := newBed(t)
	b.publish("a", "A")
	b.publish("b", "B")
	m, err := b.backup(nil)
	b.must(err)
	if m.CopiedFiles != 4 || m.Originals != 2 || m.Photos != 2 || m.Bytes != 2 {
		t.Errorf("%+v", m)
	}
	b.end("a")
	b.publish("c", "C")
	m, err = b.backup(nil)
	b.must(err)
	if m.CopiedFiles != 2 {
		t.Errorf("%+v", m)
	}
	b.count(b.whole(), 2)
	old := filepath.Join(b.dir, string(pictures.Original(shaOf("A"))))
	if _, err := os.Stat(old); err != nil {
		t.Error("deleted from the backup without being asked to:", err)
	}
	r := &Backup{Store: b.s, Dir: b.dir}
	report, err := r.Run(t.Context(), "test", true)
	if report.PrunedFiles != 2 || report.PrunedBytes != 2 || report.CopiedFiles != 0 || report.Photos != 2 || err != nil {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	b.whole()
	b.must(r.Begin())
	defer r.End()
	if _, err := (&Backup{Store: b.s, Dir: b.dir}).Run(t.Context(), "test", false); !errors.Is(err, fsuid.ErrLocked) {
		t.Errorf("two at once: %v", err)
	}
}

// A picture that the data directory has not, or has wrong, is no reason not to
// save the others; a good copy from before is never replaced by a bad one.
func TestBackupOfDamagedPictures(t *testing.T) {
	b := newBed(t)
	b.publish("a", "A")
	b.publish("b", "B")
	b.publish("c", "C")
	b.publish("d", "D")
	b.overwrite(b.s.Files().Path(pictures.Original(shaOf("B"))), "X")
	b.must(os.Remove(b.s.Files().Path(pictures.Original(shaOf("C")))))
	b.must(os.Remove(b.s.Files().Path(pictures.Rendition(shaOf("D"), small))))
	m, err := b.backup(nil)
	b.must(err)
	if len(m.Lost) != 3 {
		t.Errorf("lost: %v", m.Lost)
	}
	m, err = ReadManifest(t.Context(), b.dir)
	b.must(err)
	snap, err := OpenCatalogue(t.Context(), b.dir, m)
	b.must(err)
	defer snap.Close()
	if o, _, err := snap.Original(t.Context(), shaOf("D")); err != nil || len(o.Renditions) != 0 {
		t.Errorf("the lost rendition of D would not be made anew: %+v %v", o, err)
	}
	for _, c := range "BC" {
		if _, err := os.Stat(filepath.Join(b.dir, string(pictures.Original(shaOf(string(c)))))); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%c is in the backup: %v", c, err)
		}
	}
	b.overwrite(b.s.Files().Path(pictures.Original(shaOf("A"))), "X")
	if _, err = b.backup(nil); err != nil {
		t.Error(err)
	}
	if data, _ := os.ReadFile(filepath.Join(b.dir, string(pictures.Original(shaOf("A"))))); string(data) != "A" {
		t.Errorf("the good copy became %q", data)
	}
	// Damage in the backup is found on demand and mended.
	b.overwrite(b.s.Files().Path(pictures.Original(shaOf("A"))), "A")
	b.must(os.WriteFile(filepath.Join(b.dir, string(pictures.Original(shaOf("A")))), []byte("Y"), 0o600))
	_, err = b.backup(func(r *Backup) { r.Check = true })
	b.must(err)
	if data, _ := os.ReadFile(filepath.Join(b.dir, string(pictures.Original(shaOf("A"))))); string(data) != "A" {
		t.Errorf("the damaged copy stayed %q", data)
	}
}

// Whatever ends a backup, the one before is as good as ever.
func TestBackupThatFails(t *testing.T) {
	b := newBed(t)
	b.publish("a", "A")
	good, err := b.backup(nil)
	b.must(err)
	b.publish("b", "B")
	fault := errors.New("fault")
	for name, change := range map[string]func(*Backup){
		"while the machine is captured": func(r *Backup) { r.Machine = func(string, *store.Store) error { return fault } },
		"while pictures are copied":     func(r *Backup) { r.afterSnapshot = func() { os.RemoveAll(filepath.Join(b.dir, "tmp")) } },
	} {
		if _, err := b.backup(change); err == nil {
			t.Errorf("%s: no error", name)
		}
		if m, err := ReadManifest(t.Context(), b.dir); err != nil || m.Folder != good.Folder {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
		b.count(b.whole(), 1)
	}
	// Killed: its folder is left, and goes with the next backup.
	b.must(os.Mkdir(filepath.Join(b.dir, folderPrefix+"killed"), 0o700))
	_, err = b.backup(nil)
	b.must(err)
	b.count(b.whole(), 2)
	if left, _ := filepath.Glob(filepath.Join(b.dir, folderPrefix+"*")); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestNotABackup(t *testing.T) {
	b := newBed(t)
	b.must(os.MkdirAll(b.dir, 0o755))
	b.must(os.WriteFile(filepath.Join(b.dir, "letter.txt"), nil, 0o644))
	if err := (&Backup{Store: b.s, Dir: b.dir}).Begin(); !errors.Is(err, ErrNotBackup) || !strings.Contains(err.Error(), "letter.txt") {
		t.Error(err)
	}
	if fi, _ := os.Stat(b.dir); fi.Mode().Perm() != 0o755 {
		t.Error("somebody else's directory was changed")
	}
	b.must(os.Remove(filepath.Join(b.dir, "letter.txt")))
	if _, err := ReadManifest(t.Context(), b.dir); !errors.Is(err, ErrNotBackup) {
		t.Error(err)
	}
	b.publish("a", "A")
	m, err := b.backup(nil)
	b.must(err)
	if fi, _ := os.Stat(b.dir); fi.Mode().Perm() != 0o700 {
		t.Error("open to others")
	}
	name := filepath.Join(b.dir, m.Folder, store.LinkKeyFile)
	key, err := os.ReadFile(name)
	b.must(err)
	key[0] ^= 1
	b.must(os.WriteFile(name, key, 0o600))
	if _, err := ReadManifest(t.Context(), b.dir); !errors.Is(err, ErrNotBackup) {
		t.Errorf("a flipped bit: %v", err)
	}
}
