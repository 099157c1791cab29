package account

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/store"
)

// PutBack gives an uploader a file back, at the path as seen from the root of the
// SFTP view, in the name of the account. content writes what is in it; if it
// fails, nothing is put back. Folders that are gone are made again, except those
// that only root may make; a file that is there is never replaced, and a link
// never followed, wherever it leads.
func (s *System) PutBack(a store.Account, path string, content func(io.Writer) error) (fs.FileInfo, error) {
	u, err := mine(a.Name)
	if err != nil {
		return nil, err
	}
	dir, file := filepath.Split(path)
	elements := strings.Split(strings.TrimSuffix(dir, "/"), "/")
	base, fixed := s.Base(a.Name), 2 // lincoln/user-pictures
	if a.Layout == store.Jobs {
		fixed = 1 // the job's folder, wherever it is now
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
		next, err := into(at, e, i < fixed, u)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(elements[:i+1]...), err)
		}
		at.Close()
		at = next
	}
	// A dot file is noise to the daemon until it has its name.
	const temp = ".picday-restore"
	if err := ignoreMissing(at.Remove(temp)); err != nil {
		return nil, err
	}
	defer at.Remove(temp)
	written, err := writeInto(at, temp, content, u)
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
		err = errors.Join(d.Sync(), d.Close())
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

// into opens a directory that is no link, and makes it if the uploader could
// have made it.
func into(at *os.Root, name string, roots bool, u *unixUser) (*os.Root, error) {
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

// writeInto makes a file that its uploader can touch only once it is right.
func writeInto(root *os.Root, name string, content func(io.Writer) error, u *unixUser) (fi fs.FileInfo, err error) {
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
