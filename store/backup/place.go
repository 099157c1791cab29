package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"picday/internal/failure"
)

// A PlaceError is returned for a directory that cannot be found.
type PlaceError struct{ Err error }

func (e *PlaceError) Error() string {
	return fmt.Sprintf("backup directory: %v: is its disk mounted?", e.Err)
}

func (e *PlaceError) Unwrap() error { return e.Err }

// Place is the directory for a backup, absolute and without symbolic links. It need
// not exist, but its parent must: a path of which more is missing is mistyped, or its
// disk is not mounted. A backup in the upload or the data directory, or around one, is
// refused: it would contain itself, or be shown to uploaders.
func Place(name, uploadDir, dataDir string) (string, error) {
	place, err := find(name)
	if err != nil {
		return "", failure.Usage(err)
	}
	for _, own := range []struct{ key, dir string }{{"upload_dir", uploadDir}, {"data_dir", dataDir}} {
		dir := own.dir
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
		if place == dir || strings.HasPrefix(place, dir+"/") || strings.HasPrefix(dir, place+"/") {
			return "", failure.Refusalf("%s and %s %s lie in one another: give a directory elsewhere, best on another disk", name, own.key, dir)
		}
	}
	return place, nil
}

func find(name string) (string, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return "", &PlaceError{err}
	}
	place, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		var parent string
		if parent, err = filepath.EvalSymlinks(filepath.Dir(dir)); err == nil {
			place = filepath.Join(parent, filepath.Base(dir))
		}
	}
	if err == nil {
		if fi, serr := os.Stat(place); serr == nil && !fi.IsDir() {
			err = syscall.ENOTDIR
		}
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return "", fmt.Errorf("%s is not a directory", name)
	}
	if err != nil {
		return "", &PlaceError{err}
	}
	return place, nil
}
