package account

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/internal/durable"
	"picday/internal/layout"
	"picday/store"
)

// Tree opens the directory in which a path of the account's SFTP view begins: for an
// active job another one than for a planned one. What is opened below it cannot lead
// out of it.
func (s *System) Tree(a store.Account, path string) (*os.Root, error) {
	return s.trees().Open(a, path)
}

// Owner returns the user and group of what an account uploads.
func (s *System) Owner(name string) (uid, gid int, err error) {
	u, err := ownUser(name)
	if err != nil {
		return 0, 0, err
	}
	return u.uid, u.gid, nil
}

// RestoreFile puts a file back for an uploader, at a path as seen from the root of
// the SFTP view, and owned by the account. content writes the file; if it fails,
// nothing is put back. Missing folders are made again, except those that only root
// may make. An existing file is never replaced, and no link is followed.
func (s *System) RestoreFile(a store.Account, path string, content func(io.Writer) error) (fs.FileInfo, error) {
	u, err := ownUser(a.Name)
	if err != nil {
		return nil, err
	}
	dir, file := filepath.Split(path)
	elements := strings.Split(strings.TrimSuffix(dir, "/"), "/")
	base, fixed := s.Base(a.Name), 2 // lincoln/user-pictures
	if a.Layout == layout.Jobs {
		fixed = 1 // the job's folder
		if err := s.jobPlaces(a.Name, elements[0]); err != nil {
			return nil, err
		}
		if exists(s.HiddenJobDir(a.Name, elements[0])) {
			base = s.hiddenBase(a.Name)
		}
	}
	at, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	defer func() { at.Close() }()
	for i, e := range elements {
		next, err := openOrMake(at, e, i < fixed, u)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(elements[:i+1]...), err)
		}
		at.Close()
		at = next
	}
	// The daemon ignores files whose name begins with a dot.
	const temp = ".picday-restore"
	if err := ignoreMissing(at.Remove(temp)); err != nil {
		return nil, err
	}
	defer at.Remove(temp)
	written, err := writeFile(at, temp, content, u)
	if err != nil {
		return nil, err
	}
	if err := at.Link(temp, file); errors.Is(err, fs.ErrExist) {
		return nil, refused("%s is there again already: delete or rename it first", path)
	} else if err != nil {
		return nil, err
	}
	if err := at.Remove(temp); err != nil {
		return nil, err
	}
	if d, err := at.Open("."); err == nil {
		err = errors.Join(durable.SyncOpenDir(d), d.Close())
		if err != nil {
			return nil, err
		}
	}
	fi, err := at.Lstat(file)
	if err == nil && !os.SameFile(fi, written) {
		err = refused("somebody is changing this folder right now: try again")
	}
	return fi, err
}

// openOrMake opens a directory that is no link. A missing one is made, unless only
// root may make it.
func openOrMake(at *os.Root, name string, roots bool, u *unixUser) (*os.Root, error) {
	fi, err := at.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) && !roots {
		if err := at.Mkdir(name, 0o750); err != nil {
			return nil, err
		}
		if err := at.Lchown(name, u.uid, u.gid); err != nil {
			return nil, err
		}
		fi, err = at.Lstat(name)
	}
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, refused("this is no folder any more: look what the uploader made of it")
	}
	next, err := at.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	// OpenRoot follows links that stay inside; Lstat does not.
	if now, err := next.Stat("."); err != nil || !os.SameFile(fi, now) {
		next.Close()
		return nil, refused("somebody is changing this folder right now: try again")
	}
	return next, nil
}

// writeFile makes a file that its uploader cannot open before it is complete.
func writeFile(root *os.Root, name string, content func(io.Writer) error, u *unixUser) (fi fs.FileInfo, err error) {
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err = content(out); err == nil {
		err = errors.Join(out.Chmod(0o640), out.Chown(u.uid, u.gid), out.Sync())
	}
	if err == nil {
		fi, err = out.Stat()
	}
	return fi, errors.Join(err, out.Close())
}
