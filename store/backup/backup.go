// Package backup copies a catalogue, with all that it points to, into a directory,
// and puts such a copy into the place of an empty catalogue. It promises that
// whatever ends a run, the backup before is whole; and that nothing is read back
// that others than root could have changed.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"picday/internal/durable"
	"picday/internal/fsuid"
	"picday/store"
	"picday/store/pictures"
)

// A Backup is one run of backing a catalogue up to a directory. The directory has
// originals/ and renditions/ as in the data directory, to which files are added and
// from which only Prune deletes, and a folder with everything that changes: the
// catalogue, the link key and what Machine adds. manifest.json names the valid
// folder. It is replaced last, so the previous backup is valid until then.
type Backup struct {
	Store *store.Store
	Dir   string
	// Machine, unless nil, adds files to the folder. Lock, unless nil, keeps
	// accounts from being changed between the copy of the catalogue and Machine.
	Lock    func(context.Context) (release func(), err error)
	Machine func(folder string, snapshot *store.Store) error
	// Check also reads the files that are in the backup already, and copies those
	// again that are damaged.
	Check    bool
	Progress func(pictures, of int) // may be nil

	files         *pictures.Files // in Dir
	unlock        func()
	afterSnapshot func() // for tests; the daemon may collect pictures at this point
}

// Begin makes and checks the directory and locks it. If it succeeds, End must be
// called.
func (b *Backup) Begin() (err error) {
	if err := os.Mkdir(b.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	mark := filepath.Join(b.Dir, markFile)
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
	if b.unlock, err = fsuid.Lock(mark); err != nil {
		return fmt.Errorf("another backup to %s is running: %w", b.Dir, err)
	}
	defer func() {
		if err != nil {
			b.End() // so that the next try of this process is not refused
		}
	}()
	b.files = pictures.Private(b.Dir)
	if _, err := b.files.MakeDirs(); err != nil {
		return err
	}
	if err := b.files.ClearTemp(); err != nil {
		return err
	}
	// A run that was killed leaves its folder, and files whose names nobody has made
	// durable.
	folders, err := b.folders()
	if _, serr := os.Lstat(filepath.Join(b.Dir, manifestFile)); err == nil && (len(folders) > 1 || len(folders) == 1 && serr != nil) {
		err = b.files.SyncAll()
	}
	return err
}

// closeDir lets nobody else read the directory, because whoever reads the link key
// can compute every link.
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
	if err := CheckRootOwned(b.Dir); err != nil {
		return fmt.Errorf("%w: nothing would be restored from there: %w", ErrNotBackup, err)
	}
	if fi, err = os.Stat(b.Dir); err == nil && fi.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%w: %s cannot be closed to everybody but root, and password hashes go into it: use a file system with Unix permissions", ErrNotBackup, b.Dir)
	}
	return err
}

// End unlocks the directory.
func (b *Backup) End() {
	if b.unlock != nil {
		b.unlock()
	}
}

// maxRounds is far more than is ever needed. Every round but the first copies only
// what was added since, which is done so quickly that hardly any picture is deleted
// meanwhile.
const maxRounds = 20

// Take makes the backup. It copies the catalogue before the pictures that it points
// to, because the other order would miss pictures that are added in between. If the
// daemon deletes a picture before it is copied, the catalogue is copied again.
func (b *Backup) Take(ctx context.Context, version string) (m Manifest, err error) {
	m = Manifest{
		About: "A backup of picday. To put it on a machine: picday restore DIR", Format: format, Picday: version,
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
	file := filepath.Join(folder, store.CatalogueFile)
	snap, err := b.snapshot(ctx, folder, file, m)
	if err != nil {
		return false, err
	}
	defer func() { snap.Close() }()
	counts, err := snap.All().Counts(ctx)
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
	c := &copying{Backup: b, snap: snap, m: m, toSync: map[string]pictures.Name{}}
	if again, err = c.all(ctx); again || err != nil {
		return again, err
	}
	m.Lost = m.Lost[:0]
	for _, f := range c.lost {
		m.Lost = append(m.Lost, string(f.Name))
	}
	slices.Sort(m.Lost)
	return false, store.ForgetInSnapshot(ctx, file, c.lost)
}

func (b *Backup) snapshot(ctx context.Context, folder, file string, m *Manifest) (*store.Store, error) {
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
	if err := b.Store.SaveLinkKey(folder); err != nil {
		return nil, err
	}
	snap, err := store.OpenSnapshot(ctx, file, b.Dir)
	if err == nil && b.Machine != nil {
		if err = b.Machine(folder, snap); err != nil {
			snap.Close()
		}
	}
	return snap, err
}

// commit makes the folder the valid one.
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
	for _, d := range []string{folder, b.Dir} {
		if err := durable.SyncDir(d); err != nil {
			return err
		}
	}
	if err := durable.WriteFile(filepath.Join(b.Dir, manifestFile), append(text, '\n'), 0o600); err != nil {
		return err
	}
	// Those of the previous backup and of runs that were killed.
	all, err := b.folders()
	for _, name := range all {
		if name != m.Folder {
			err = errors.Join(err, os.RemoveAll(filepath.Join(b.Dir, name)))
		}
	}
	return err
}

// folders are those of this backup and of runs before.
func (b *Backup) folders() (names []string, err error) {
	all, err := os.ReadDir(b.Dir)
	for _, e := range all {
		if strings.HasPrefix(e.Name(), folderPrefix) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// Prune deletes the files of pictures that have no row in the backup's catalogue.
func (b *Backup) Prune(ctx context.Context, m Manifest) (files int, bytes int64, err error) {
	snap, err := store.OpenSnapshot(ctx, filepath.Join(b.Dir, m.Folder, store.CatalogueFile), b.Dir)
	if err != nil {
		return 0, 0, err
	}
	defer snap.Close()
	err = snap.Orphans(ctx, func(name pictures.Name, fi fs.FileInfo) error {
		files, bytes = files+1, bytes+fi.Size()
		return b.files.Remove(name)
	})
	return files, bytes, err
}

// copying is one round over the pictures.
type copying struct {
	*Backup
	snap *store.Store
	m    *Manifest

	mu    sync.Mutex // guards the rest, and m's counts
	again bool
	lost  []pictures.File
	// toSync has one of the copied files of each directory.
	toSync map[string]pictures.Name
	done   int
}

// copiers is how many pictures are copied at the same time. A copier mostly waits
// for the fsync of its file.
const copiers = 4

func (c *copying) all(ctx context.Context) (again bool, err error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(copiers)
	for o, err := range c.snap.Pictures(gctx) {
		g.Go(func() error {
			if err != nil {
				return err
			}
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
	}
	err = g.Wait()
	// Also after an error: the next run finds these files, and copies only others.
	if serr := c.files.Sync(slices.Collect(maps.Values(c.toSync))...); err == nil {
		err = serr
	}
	return c.again && err == nil, err
}

func (c *copying) one(ctx context.Context, f pictures.File) error {
	if c.files.Has(f.Name, f.Bytes) {
		if !c.Check {
			return nil
		}
		if err := c.files.Read(ctx, f, io.Discard); !errors.Is(err, pictures.ErrDamaged) {
			return err
		}
	}
	err := c.files.Copy(ctx, c.Store.Files(), f)
	if errors.Is(err, pictures.ErrMissing) || errors.Is(err, pictures.ErrDamaged) {
		expected, there, eerr := c.Store.Expects(ctx, f)
		if eerr != nil {
			return eerr
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !expected || errors.Is(err, pictures.ErrMissing) && there {
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
	c.toSync[filepath.Dir(string(f.Name))] = f.Name
	c.m.CopiedFiles++
	c.m.CopiedBytes += f.Bytes
	return nil
}
