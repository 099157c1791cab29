// Package pictures keeps the files of pictures: originals, and the renditions made
// of them. It knows no catalogue and so not which files are needed; store does.
//
// What the rules in store and ingest rely on:
//
//   - A name never shows a part of a file. Put names a file whose bytes are durable.
//   - A name is durable when Sync has returned. Until then a power cut may undo Put.
//   - Putting to a name that exists replaces the file. A name belongs to one
//     content or, for a rendition, one original and its settings.
//   - A file that was opened can be read to its end even if it is removed or
//     replaced meanwhile.
//   - An error that wraps ErrMissing says that there is no such file, and one that
//     wraps ErrDamaged that something else is there. Any other error is the disk's
//     and says nothing about the file.
//
// A second implementation needs Temp, Put, Sync, Open, Stat, Remove and List; all
// other methods are made of these or are about directories.
//
// Root has no more rights over these files than the owner of the directory (see
// package fsuid), and follows no links in it.
package pictures

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"picday/internal/durable"
	"picday/internal/fsuid"
)

// ErrMissing wraps the error of a file that is not there.
var ErrMissing = errors.New("missing")

// ErrDamaged wraps how a file differs from what it should be.
var ErrDamaged = errors.New("damaged")

// Files are the pictures in a directory. It may be used by several goroutines.
type Files struct {
	dir      string
	fileMode fs.FileMode
	dirMode  fs.FileMode
}

// In is the data directory's Files: they can be read by the group, and nobody can
// write to one that has its name.
func In(dataDir string) *Files { return &Files{dataDir, 0o440, 0o750} }

// Private is for a backup: only the owner can use its files.
func Private(dir string) *Files { return &Files{dir, 0o600, 0o700} }

// Path is where a file is on this machine.
func (f *Files) Path(name Name) string { return filepath.Join(f.dir, string(name)) }

// MakeDirs makes the directories that are missing, and all 512 that Put needs. It
// returns the paths of originals/ and renditions/ if it made them; they are not durable
// before their parent is synced.
func (f *Files) MakeDirs() (made []string, err error) {
	err = fsuid.In(f.dir, func() error {
		for _, d := range Dirs {
			fresh, err := f.mkdir(d)
			if err != nil {
				return err
			}
			if fresh && d != tempDir { // what is temporary is not worth a sentence
				made = append(made, filepath.Join(f.dir, d))
			}
		}
		for _, d := range []string{originalsDir, renditionsDir} {
			for i := range 256 {
				if _, err := f.mkdir(shard(d, byte(i))); err != nil {
					return err
				}
			}
			if err := durable.SyncDir(filepath.Join(f.dir, d)); err != nil {
				return err
			}
		}
		return nil
	})
	return made, err
}

// shard is the directory of the pictures whose hash begins with a byte.
func shard(dir string, first byte) string { return filepath.Join(dir, fmt.Sprintf("%02x", first)) }

func (f *Files) mkdir(dir string) (fresh bool, err error) {
	name := filepath.Join(f.dir, dir)
	if _, err := os.Lstat(name); err == nil {
		return false, nil
	}
	err = os.Mkdir(name, f.dirMode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// Temp opens a new file that Put can name later. Whoever has it calls Put or
// Discard.
func (f *Files) Temp() (temp *os.File, err error) {
	err = fsuid.In(f.dir, func() error {
		temp, err = durable.Temp(filepath.Join(f.dir, tempDir))
		return err
	})
	return temp, err
}

// Discard closes and deletes a file from Temp.
func (f *Files) Discard(temp *os.File) {
	_ = fsuid.In(f.dir, func() error {
		durable.Discard(temp)
		return nil
	})
}

// ClearTemp removes the files of Temp that an interrupted process has left.
func (f *Files) ClearTemp() error {
	temp := filepath.Join(f.dir, tempDir)
	left, err := os.ReadDir(temp)
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := os.Remove(filepath.Join(temp, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Put makes the bytes of a file from Temp durable and gives it its name. If it
// fails the file is gone, and what had the name before is as it was.
func (f *Files) Put(temp *os.File, name Name) error {
	return fsuid.In(f.dir, func() error { return durable.Commit(temp, f.Path(name), f.fileMode) })
}

// Write puts a file with these bytes.
func (f *Files) Write(name Name, data []byte) error {
	temp, err := f.Temp()
	if err != nil {
		return err
	}
	if _, err := temp.Write(data); err != nil {
		f.Discard(temp)
		return err
	}
	return f.Put(temp, name)
}

// Sync makes the names durable, each directory once.
func (f *Files) Sync(names ...Name) error {
	var dirs []string
	for _, n := range names {
		dirs = append(dirs, filepath.Dir(f.Path(n)))
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	return fsuid.In(f.dir, func() error {
		for _, d := range dirs {
			if err := durable.SyncDir(d); err != nil {
				return err
			}
		}
		return nil
	})
}

// SyncAll makes all names durable.
func (f *Files) SyncAll() error {
	return fsuid.In(f.dir, func() error {
		for _, d := range []string{originalsDir, renditionsDir} {
			for i := range 256 {
				if err := durable.SyncDir(filepath.Join(f.dir, shard(d, byte(i)))); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Open opens a file for reading.
func (f *Files) Open(name Name) (*os.File, error) {
	file, err := fsuid.Open(f.Path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	case errors.Is(err, fsuid.ErrNotPlain):
		return nil, fmt.Errorf("%w: %w", ErrDamaged, fsuid.ErrNotPlain)
	}
	return file, err
}

// Stat looks at what has a name: a link itself, not what it leads to.
func (f *Files) Stat(name Name) (fi fs.FileInfo, err error) {
	err = fsuid.In(f.dir, func() error {
		fi, err = os.Lstat(f.Path(name))
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return fi, err
}

// Has tells whether there is a plain file of that size. Whether its bytes are the
// right ones Read tells.
func (f *Files) Has(name Name, size int64) bool {
	fi, err := f.Stat(name)
	return err == nil && fi.Mode().IsRegular() && fi.Size() == size
}

// Remove deletes a file. That it is not there is no error. The deletion is not
// durable: after a power cut the file may be back.
func (f *Files) Remove(name Name) error {
	return fsuid.In(f.dir, func() error {
		if err := os.Remove(f.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// List names all that is where the files of pictures are whose hash begins with
// that byte, also what is none of ours. If another thing is in the place of a
// directory, such as a link, that is an error: behind it are somebody else's files.
func (f *Files) List(first byte) (names []Name, err error) {
	err = fsuid.In(f.dir, func() error {
		for _, d := range []string{originalsDir, renditionsDir} {
			dir := shard(d, first)
			entries, err := f.readDir(d, dir)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			for _, e := range entries {
				names = append(names, Name(filepath.Join(dir, e.Name())))
			}
		}
		return nil
	})
	return names, err
}

func (f *Files) readDir(parent, dir string) ([]fs.DirEntry, error) {
	for _, d := range []string{parent, dir} {
		name := filepath.Join(f.dir, d)
		fi, err := os.Lstat(name)
		if err != nil {
			return nil, err
		}
		if !fi.IsDir() {
			return nil, fmt.Errorf("%s is no directory: look who put it there, and move it away", name)
		}
	}
	return os.ReadDir(filepath.Join(f.dir, dir))
}
