package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/fsuid"
	"picday/internal/layout"
	"picday/store/pictures"
)

// A hostile is a data directory that belongs to a user other than root, and next to it a
// file and a directory of root that this user cannot access.
type hostile struct {
	*testing.T
	dir, secret, secretDir string
	content                []byte
}

const strangerUID = 54321

func newHostile(t *testing.T) *hostile {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be deceived")
	}
	top, err := os.MkdirTemp("/dev/shm", "picday-stranger-")
	if err != nil {
		top = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	h := &hostile{T: t, dir: top + "/data", secret: top + "/secret/shadow", secretDir: top + "/secret"}
	h.must(os.Chmod(top, 0o755))
	h.must(os.Mkdir(h.dir, 0o750))
	h.must(os.Chown(h.dir, strangerUID, strangerUID))
	h.must(os.Mkdir(h.secretDir, 0o700))
	h.content = bytes.Repeat([]byte("root:secret\n"), 20)
	h.must(os.WriteFile(h.secret, h.content, 0o600))
	return h
}

func (h *hostile) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *hostile) create() *Store {
	h.Helper()
	s, _, err := Create(h.Context(), h.dir)
	h.must(err)
	h.Cleanup(func() { s.Close() })
	return s
}

// instead replaces a file of the data directory by what make makes.
func (h *hostile) instead(name string, make func(string) error) {
	h.Helper()
	h.must(os.RemoveAll(filepath.Join(h.dir, name)))
	h.must(make(filepath.Join(h.dir, name)))
}

func (h *hostile) link(to string) func(string) error {
	return func(name string) error {
		return errors.Join(os.Symlink(to, name), os.Lchown(name, strangerUID, strangerUID))
	}
}

func queue(name string) error { return syscall.Mkfifo(name, 0o666) }

// untouched fails if anything of root's was changed, given away or added to.
func (h *hostile) untouched() {
	h.Helper()
	text, err := os.ReadFile(h.secret)
	h.must(err)
	fi, err := os.Lstat(h.secret)
	h.must(err)
	st := fi.Sys().(*syscall.Stat_t)
	if !bytes.Equal(text, h.content) || st.Uid != 0 || st.Gid != 0 || fi.Mode().Perm() != 0o600 {
		h.Errorf("root's file is %.40q…, %v of %d:%d", text, fi.Mode(), st.Uid, st.Gid)
	}
	if all, err := os.ReadDir(h.secretDir); err != nil || len(all) != 1 {
		h.Errorf("root's directory: %v, %v", all, err)
	}
}

// soon runs fn, which must return without waiting for anybody, for example for the writer
// of a named pipe.
func (h *hostile) soon(what string, fn func(context.Context) error) error {
	h.Helper()
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	go func() { done <- fn(ctx) }()
	select {
	case err := <-done:
		return err
	case <-time.After(50 * time.Second):
		h.Fatalf("%s hangs", what)
		return nil
	}
}

func addOne(s *Store) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.Update(ctx, func(tx *Tx) error {
			_, err := tx.AddAccount(Account{Name: "acme", Layout: layout.Jobs})
			return err
		})
	}
}

// The owner of the data directory can put links, named pipes and triggers where root's
// tool opens and writes the catalogue. Nothing outside of the directory is changed.
func TestRootIsSafeFromAHostileCatalogue(t *testing.T) {
	for _, name := range []string{CatalogueFile, CatalogueFile + "-wal", CatalogueFile + "-shm", LinkKeyFile, "picdayd.lock"} {
		for kind, make := range map[string]func(h *hostile) func(string) error{
			"link":  func(h *hostile) func(string) error { return h.link(h.secret) },
			"queue": func(*hostile) func(string) error { return queue },
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				h := newHostile(t)
				h.must(h.create().Close())
				h.instead(name, make(h))
				err := h.soon("opening", func(ctx context.Context) error {
					s, err := Open(ctx, h.dir)
					if err != nil {
						return err
					}
					defer s.Close()
					if err := addOne(s)(ctx); err != nil {
						return err
					}
					unlock, err := LockDataDir(h.dir)
					if err == nil {
						unlock()
					}
					return err
				})
				if err == nil && name != CatalogueFile+"-shm" { // it is simply made anew
					t.Error("nothing was noticed")
				}
				h.untouched()
			})
		}
	}
	t.Run("trigger", func(t *testing.T) {
		h := newHostile(t)
		s := h.create()
		h.must(addOne(s)(t.Context()))
		db, err := sql.Open("sqlite3", filepath.Join(h.dir, CatalogueFile))
		h.must(err)
		defer db.Close()
		_, err = db.Exec(`CREATE TRIGGER mine AFTER UPDATE OF allow_from ON account BEGIN UPDATE account SET allow_from = '["0.0.0.0/0"]'; END`)
		h.must(err)
		a, err := s.All().Account(t.Context(), "acme")
		h.must(err)
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.SetAllow(a, nil) }); !errors.Is(err, ErrForeignSchema) {
			t.Errorf("while it is open: %v", err)
		}
		if _, err := Open(t.Context(), h.dir); !errors.Is(err, ErrForeignSchema) || !strings.Contains(err.Error(), `"mine"`) {
			t.Errorf("opened: %v", err)
		}
		_, err = db.Exec(`DROP TRIGGER mine; DROP TABLE withheld; CREATE VIEW withheld AS SELECT * FROM account`)
		h.must(err)
		if _, err := Open(t.Context(), h.dir); !errors.Is(err, ErrForeignSchema) {
			t.Errorf("a view in place of a table: %v", err)
		}
	})
}

// The owner of the data directory can replace what root's tool reads, copies and deletes
// there by links and named pipes.
func TestRootIsSafeFromAHostileDataDirectory(t *testing.T) {
	h := newHostile(t)
	s := h.create()
	ctx := t.Context()
	p := Photo{SHA: SHA(sha256.Sum256(h.content)), Bytes: int64(len(h.content))}
	name := string(pictures.Original(p.SHA))
	write := func(content []byte) func(string) error {
		return func(name string) error { return os.WriteFile(name, content, 0o644) }
	}
	rotten := bytes.Clone(h.content)
	rotten[7] ^= 1
	for what, make := range map[string]func(string) error{
		"a link to a root-only file": h.link(h.secret), "a queue": queue, "a directory": func(n string) error { return os.Mkdir(n, 0o755) },
		"nothing": func(string) error { return nil }, "a rotten one": write(rotten),
	} {
		h.instead(name, make)
		if err := h.soon(what, func(ctx context.Context) error { return s.WriteOriginal(ctx, p, io.Discard) }); !errors.Is(err, pictures.ErrDamaged) {
			t.Errorf("%s in place of the original: %v", what, err)
		}
		to := pictures.Private(t.TempDir())
		_, err := to.MakeDirs()
		h.must(err)
		err = h.soon(what, func(ctx context.Context) error { return to.Copy(ctx, s.files, pictures.OriginalFile(p.SHA, p.Bytes)) })
		if _, serr := to.Stat(pictures.Original(p.SHA)); err == nil || serr == nil {
			t.Errorf("%s in place of the original: copied to the backup, %v", what, err)
		}
	}
	h.instead(name, write(h.content))
	h.must(s.WriteOriginal(ctx, p, io.Discard))

	// Deleting what nothing points to.
	old := time.Now().Add(-2 * time.Hour)
	for _, f := range []string{name, filepath.Dir(name) + "/stranger.txt"} {
		h.instead(f, write(h.content))
		h.must(os.Chtimes(filepath.Join(h.dir, f), old, old))
	}
	h.instead(filepath.Dir(name)+"/"+strings.Repeat("ab", 32)+".jpg", h.link(h.secret))
	if n, err := s.RemoveOrphans(ctx); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	left, err := os.ReadDir(filepath.Dir(filepath.Join(h.dir, name)))
	if h.must(err); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
	h.must(os.Chtimes(h.secret, old, old))
	h.instead("renditions/00", h.link(h.secretDir))
	if _, err := s.RemoveOrphans(ctx); err == nil || !strings.Contains(err.Error(), "renditions/00") {
		t.Errorf("a link in place of a directory: %v", err)
	}
	h.untouched()

	// Making what is missing.
	h.must(s.Close())
	h.instead("originals", h.link(h.secretDir))
	if _, _, err := Create(ctx, h.dir); err == nil {
		t.Error("a link in place of the originals")
	}
	h.untouched()
	if _, _, strange, err := fsuid.Stranger(h.secretDir); strange || err != nil {
		t.Errorf("root's own directory is strange: %v", err)
	}
}
