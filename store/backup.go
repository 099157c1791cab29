package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"picday/internal/durable"
)

// A Backup is a directory with originals/ and renditions/ as in the data
// directory, which only ever get more, and a folder with everything that
// changes: the catalogue and what Machine adds. manifest.json names the folder
// that counts. It is replaced last, so the backup before is good until then.
type Backup struct {
	Store *Store
	Dir   string
	// Lock keeps accounts from being changed between the catalogue's moment and
	// Machine, which adds files to the folder beside the catalogue.
	Lock    func(context.Context) (release func(), err error)
	Machine func(folder string, snapshot *Store) error
	// Again reads also what is in the backup already, and copies anew what is
	// damaged there.
	Again    bool
	Progress func(pictures, of int)

	unlock        func()
	afterSnapshot func() // tests let the daemon collect here
}

// A Manifest says what is in a backup.
type Manifest struct {
	About       string            `json:"about"`
	Format      int               `json:"format"`
	Picday      string            `json:"picday"` // the version that made it
	Schema      int               `json:"schema"`
	MadeAt      time.Time         `json:"made_at"` // the moment of the catalogue
	Folder      string            `json:"folder"`
	Files       map[string]string `json:"files"` // in the folder, with their SHA-256
	Photos      int               `json:"photos"`
	Originals   int               `json:"originals"`
	Bytes       int64             `json:"bytes"` // of the originals
	Lost        []string          `json:"lost"`  // originals that the data directory has not, or damaged
	CopiedFiles int               `json:"copied_files"`
	CopiedBytes int64             `json:"copied_bytes"`
}

const (
	backupFormat = 1
	manifestFile = "manifest.json"
	backupMark   = ".picday-backup" // also the lock
	folderPrefix = "state-"
)

// ErrNotBackup is returned for a directory that is no finished backup, or is
// not fit to become one.
var ErrNotBackup = errors.New("no picday backup")

// Begin makes the directory fit and locks it. End must be called after it.
func (b *Backup) Begin() (err error) {
	if err := os.Mkdir(b.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	mark := filepath.Join(b.Dir, backupMark)
	if _, err := os.Lstat(mark); errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(b.Dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Name() != "lost+found" {
				return fmt.Errorf("%w: %s is not empty (%q is in it): give an empty directory, or one that picday has backed up to before", ErrNotBackup, b.Dir, e.Name())
			}
		}
	}
	if err := b.closeDir(); err != nil {
		return err
	}
	if b.unlock, err = lockFile(mark); err != nil {
		return fmt.Errorf("another backup to %s is running: %w", b.Dir, err)
	}
	if err := os.RemoveAll(filepath.Join(b.Dir, tempDir)); err != nil {
		return err
	}
	for _, d := range []string{tempDir, originalsDir, renditionsDir} {
		if err := os.Mkdir(filepath.Join(b.Dir, d), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// closeDir keeps everybody else out: whoever reads the link key can compute
// every link.
func (b *Backup) closeDir() error {
	fi, err := os.Stat(b.Dir)
	if err != nil {
		return err
	}
	if uid := int(fi.Sys().(*syscall.Stat_t).Uid); uid != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to uid %d, who could read what goes into it: run \"chown root %s\", or give another directory", ErrNotBackup, b.Dir, uid, b.Dir)
	}
	if err := os.Chmod(b.Dir, 0o700); err != nil {
		return err
	}
	if err := RootsAlone(b.Dir); err != nil {
		return fmt.Errorf("%w: nothing would be restored from there: %w", ErrNotBackup, err)
	}
	if fi, err = os.Stat(b.Dir); err == nil && fi.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%w: %s cannot be closed to everybody but root, and password hashes go into it: use a file system with Unix permissions", ErrNotBackup, b.Dir)
	}
	return err
}

// End lets go of the directory.
func (b *Backup) End() {
	if b.unlock != nil {
		b.unlock()
	}
}

// maxRounds is far more than ever needed: a round after the first copies only
// what came since, so hardly anything can be collected under its hands.
const maxRounds = 20

// Take makes the backup. The catalogue comes first, then the pictures that it
// points to: the other order would miss those that came in between. If
// the daemon collects one before it is copied, the catalogue is taken again.
func (b *Backup) Take(ctx context.Context, version string) (m Manifest, err error) {
	m = Manifest{
		About: "A backup of picday. To put it on a machine: picday restore DIR", Format: backupFormat, Picday: version,
		MadeAt: time.Now().UTC(), Files: map[string]string{}, Lost: []string{},
	}
	m.Folder = folderPrefix + m.MadeAt.Format("20060102T150405.000000000Z")
	folder := filepath.Join(b.Dir, m.Folder)
	defer func() {
		if err != nil {
			os.RemoveAll(folder)
		}
	}()
	for round := 1; ; round++ {
		if round > maxRounds {
			return m, errors.New("photos are deleted faster than they are copied: try again")
		}
		again, err := b.round(ctx, folder, &m)
		if err != nil {
			return m, err
		}
		if !again {
			break
		}
	}
	return m, b.commit(ctx, m, folder)
}

func (b *Backup) round(ctx context.Context, folder string, m *Manifest) (again bool, err error) {
	if err := os.RemoveAll(folder); err != nil {
		return false, err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return false, err
	}
	file := filepath.Join(folder, CatalogueFile)
	snap, err := b.snapshot(ctx, folder, file, m)
	if err != nil {
		return false, err
	}
	defer func() { snap.Close() }()
	counts, err := snap.Counts(ctx)
	if err == nil {
		m.Photos = counts.Photos
		m.Originals, m.Bytes, err = snap.PictureCount(ctx)
	}
	if err == nil {
		m.Schema, err = snap.SchemaVersion(ctx)
	}
	if err != nil {
		return false, err
	}
	if b.afterSnapshot != nil {
		b.afterSnapshot()
	}
	c := &copying{Backup: b, snap: snap, m: m, dirs: map[string]bool{}}
	if again, err = c.all(ctx); again || err != nil {
		return again, err
	}
	m.Lost = m.Lost[:0]
	for _, f := range c.lost {
		m.Lost = append(m.Lost, f.Path)
	}
	slices.Sort(m.Lost)
	return false, forgetRenditions(ctx, file, c.lost)
}

func (b *Backup) snapshot(ctx context.Context, folder, file string, m *Manifest) (*Store, error) {
	if b.Lock != nil {
		release, err := b.Lock(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	m.MadeAt = time.Now().UTC()
	if err := b.Store.Snapshot(ctx, file); err != nil {
		return nil, err
	}
	if b.Store.key == nil {
		return nil, errNoLinkKey
	}
	if err := durable.WriteFile(filepath.Join(folder, linkKeyFile), b.Store.key, 0o600); err != nil {
		return nil, err
	}
	snap, err := OpenSnapshot(ctx, file, b.Dir)
	if err == nil && b.Machine != nil {
		if err = b.Machine(folder, snap); err != nil {
			snap.Close()
		}
	}
	return snap, err
}

// commit makes the folder the one that counts.
func (b *Backup) commit(ctx context.Context, m Manifest, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if m.Files[e.Name()], err = hashFile(ctx, filepath.Join(folder, e.Name()), stateFiles[e.Name()]); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	for _, d := range []string{folder, filepath.Join(b.Dir, originalsDir), filepath.Join(b.Dir, renditionsDir), b.Dir} {
		if err := durable.SyncDir(d); err != nil {
			return err
		}
	}
	if err := durable.WriteFile(filepath.Join(b.Dir, manifestFile), append(text, '\n'), 0o600); err != nil {
		return err
	}
	// What was before, or was left by a run that was killed.
	all, err := os.ReadDir(b.Dir)
	for _, e := range all {
		if strings.HasPrefix(e.Name(), folderPrefix) && e.Name() != m.Folder {
			err = errors.Join(err, os.RemoveAll(filepath.Join(b.Dir, e.Name())))
		}
	}
	return err
}

// Prune deletes the pictures that the catalogue in the backup does not know.
func (b *Backup) Prune(ctx context.Context, m Manifest) (files int, bytes int64, err error) {
	snap, err := OpenSnapshot(ctx, filepath.Join(b.Dir, m.Folder, CatalogueFile), b.Dir)
	if err != nil {
		return 0, 0, err
	}
	defer snap.Close()
	err = snap.Orphans(ctx, func(path string, fi fs.FileInfo) error {
		files, bytes = files+1, bytes+fi.Size()
		return os.Remove(filepath.Join(b.Dir, path))
	})
	return files, bytes, err
}

// copying is one round over the pictures.
type copying struct {
	*Backup
	snap *Store
	m    *Manifest

	mu    sync.Mutex // guards the rest, and m's counts
	again bool
	lost  []PictureFile
	dirs  map[string]bool
	done  int
}

// copiers wait for the disk most of the time: for one sync of each file.
const copiers = 4

func (c *copying) all(ctx context.Context) (again bool, err error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(copiers)
	err = c.snap.eachPicture(gctx, func(o Original) error {
		g.Go(func() error {
			for _, f := range o.Files() {
				if err := c.one(gctx, f); err != nil {
					return err
				}
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.done++; c.Progress != nil {
				c.Progress(c.done, c.m.Originals)
			}
			return nil
		})
		return nil
	})
	if werr := g.Wait(); werr != nil {
		return false, werr // the cause of the other
	}
	for dir := range c.dirs {
		err = errors.Join(err, durable.SyncDir(dir))
	}
	return c.again, err
}

func (c *copying) one(ctx context.Context, f PictureFile) error {
	to := filepath.Join(c.Dir, f.Path)
	if fi, err := os.Lstat(to); err == nil && fi.Mode().IsRegular() && fi.Size() == f.Bytes {
		if !c.Again {
			return nil
		}
		if err := f.Examine(ctx, to, nil); !errors.Is(err, ErrDamaged) {
			return err
		}
	}
	if err := os.Mkdir(filepath.Dir(to), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	err := keepCopy(ctx, filepath.Join(c.Store.dir, f.Path), filepath.Join(c.Dir, tempDir), to, f, 0o600)
	if errors.Is(err, errVanished) || errors.Is(err, ErrDamaged) {
		expected, there, eerr := c.Store.Expects(ctx, f)
		if eerr != nil {
			return eerr
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !expected || errors.Is(err, errVanished) && there {
			c.again = true // collected, or made anew, since the catalogue was copied
		} else {
			c.lost = append(c.lost, f)
		}
		return nil
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dirs[filepath.Dir(to)] = true
	c.m.CopiedFiles++
	c.m.CopiedBytes += f.Bytes
	return nil
}
