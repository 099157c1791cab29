package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// readFile returns nil, and no error, for a file that is not there.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{}
	}
	return data, err
}

// putFile makes path hold data, durably and never half, or with nil removes
// it. The temporary name is fixed, so that a killed run leaves at most one,
// and hidden, so that no Include or wildcard picks it up.
func putFile(path string, data []byte, mode os.FileMode) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if data == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return syncDir(filepath.Dir(path))
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode) // whatever the umask is
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// fileStep makes a root-owned file hold want; nil means that it is absent.
func fileStep(what, path string, want []byte, mode os.FileMode) step {
	var before []byte
	var kept bool
	return step{
		what: what,
		done: func(context.Context) (bool, error) {
			fi, err := os.Lstat(path)
			if errors.Is(err, fs.ErrNotExist) {
				return want == nil, nil
			}
			if err != nil || want == nil {
				return false, err
			}
			if !fi.Mode().IsRegular() {
				return false, fmt.Errorf("%s is not a plain file: move it away", path)
			}
			uid, gid := owner(fi)
			have, err := readFile(path)
			return bytes.Equal(have, want) && fi.Mode().Perm() == mode && uid == 0 && gid == 0, err
		},
		do: func(context.Context) (err error) {
			if before, err = readFile(path); err != nil {
				return err
			}
			kept = true
			return putFile(path, want, mode)
		},
		undo: func(context.Context) error {
			if !kept {
				return nil
			}
			return putFile(path, before, mode)
		},
	}
}
