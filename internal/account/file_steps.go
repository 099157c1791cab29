package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"picday/internal/durable"
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

// putFile makes path hold data, durably and never only a part of it, or with nil
// removes it. No other writer is active under the lock, so leftovers of killed runs
// are removed.
func putFile(path string, data []byte, mode os.FileMode) error {
	if err := durable.RemoveLeftovers(path); err != nil {
		return err
	}
	if data == nil {
		return durable.Remove(path)
	}
	return durable.WriteFile(path, data, mode)
}

// fileStep makes a root-owned file hold want; nil means that it is absent.
func fileStep(what, path string, want []byte, mode os.FileMode) step {
	var before []byte
	var kept bool
	return step{
		what: what,
		satisfied: func(context.Context) (bool, error) {
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

// moveStep renames a key file, replacing one of the new name.
func moveStep(what, from, to string) step {
	var moved, replaced []byte
	return step{
		what: what,
		satisfied: func(context.Context) (bool, error) {
			_, err := os.Lstat(from)
			return err != nil, ignoreMissing(err)
		},
		do: func(context.Context) (err error) {
			if replaced, err = readFile(to); err != nil {
				return err
			}
			if moved, err = readFile(from); err != nil {
				return err
			}
			if err := putFile(to, moved, 0o644); err != nil {
				return err
			}
			return putFile(from, nil, 0)
		},
		undo: func(context.Context) error {
			if moved == nil {
				return nil
			}
			if err := putFile(from, moved, 0o644); err != nil {
				return err
			}
			return putFile(to, replaced, 0o644)
		},
	}
}
