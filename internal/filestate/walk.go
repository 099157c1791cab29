package filestate

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"picday/internal/layout"
	"picday/internal/upload"
)

// Walk calls each for the directory dir below base and for all below it, with the
// names in the directory that it does not go into itself: everything but the
// directories that enter, which is asked by name, wants, and that are not as deep
// as a path may be. An error of reading a directory is given to each; what each
// returns ends the walk unless it is nil. No symbolic link is followed.
func Walk(base, dir string, enter func(name string) bool, each func(dir string, names []string, err error) error) error {
	names, below, err := list(base, dir, enter)
	if err := each(dir, names, err); err != nil {
		return err
	}
	for _, name := range below {
		if err := Walk(base, dir+"/"+name, enter, each); err != nil {
			return err
		}
	}
	return nil
}

func list(base, dir string, enter func(name string) bool) (names, below []string, err error) {
	entries, err := ReadDir(base, dir)
	for _, e := range entries {
		if e.IsDir() && enter(e.Name()) && !layout.Deepest(dir+"/"+e.Name()) {
			below = append(below, e.Name())
		} else {
			names = append(names, e.Name())
		}
	}
	return names, below, err
}

// ReadDir lists the directory dir below base, in no order. No symbolic link below
// base is followed.
func ReadDir(base, dir string) ([]fs.DirEntry, error) {
	if dir == "" {
		return os.ReadDir(base)
	}
	name := filepath.Join(base, dir)
	fd, err := upload.OpenAt(base, dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	return f.ReadDir(-1)
}
