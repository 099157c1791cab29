package account

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// PutBack gives an uploader a file back: it copies the picture in from to the
// path, as seen from the root of the SFTP view, in the name of the account.
// Folders that are gone are made again; a file that is there is never
// replaced. hidden says that the path's job is active. What the uploader made
// of his tree meanwhile cannot lead the copy out of it.
func (s *System) PutBack(name, path, from string, hidden bool) (fs.FileInfo, error) {
	u, err := mine(name)
	if err != nil {
		return nil, err
	}
	base := s.Base(name)
	if hidden {
		base = s.hiddenBase(name)
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	dir := filepath.Dir(path)
	elements := strings.Split(dir, "/")
	for i := range elements {
		parent := strings.Join(elements[:i+1], "/")
		if err := root.Mkdir(parent, 0o750); errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := root.Lchown(parent, u.uid, u.gid); err != nil {
			return nil, err
		}
	}
	// A dot file is noise to the daemon until it has its name.
	temp := dir + "/.picday-restore"
	if err := ignoreMissing(root.Remove(temp)); err != nil {
		return nil, err
	}
	if err := copyInto(root, temp, from, u.uid, u.gid); err != nil {
		return nil, err
	}
	defer root.Remove(temp)
	if err := root.Link(temp, path); errors.Is(err, fs.ErrExist) {
		return nil, refused("%s is there again already: delete or rename it first", path)
	} else if err != nil {
		return nil, err
	}
	if err := root.Remove(temp); err != nil {
		return nil, err
	}
	if err := syncDir(filepath.Join(base, dir)); err != nil {
		return nil, err
	}
	return root.Lstat(path)
}

func copyInto(root *os.Root, name, from string, uid, gid int) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chown(uid, gid), out.Sync(), out.Close())
}
