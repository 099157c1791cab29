package ingest

import (
	"encoding/binary"
	"os"
	"strings"
	"syscall"
	"time"

	"picday/layout"
	"picday/store"
)

// A listing says which names each inode has in one job. It is refreshed rather
// than made again: what could not be read for want of time is read the next
// time, and folders that have not changed since are not read.
type listing struct {
	of    string // account/job
	dirs  map[string]*listedDir
	names map[uint64][]string
	whole bool // the last refresh came to its end
}

type listedDir struct {
	ino   uint64
	mtime time.Time
	whole bool // nothing can have changed since without another mtime
	seen  bool // in this round
	names map[uint64][]string
	below []string
}

// coarse is more than the kernel's clock for the times of files goes wrong by:
// what changes twice within it may have the same time.
const coarse = 100 * time.Millisecond

// refresh makes the listing say what is there now. What cannot be read because
// it is gone or locked is passed over.
func (l *listing) refresh(root *os.Root, job string, budget *store.Budget) error {
	l.whole = false
	for _, d := range l.dirs {
		d.seen = false
	}
	todo := []string{job}
	for len(todo) > 0 {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		d, err := l.visit(root, dir, budget)
		if err != nil {
			return err
		}
		if d != nil {
			d.seen = true
			todo = append(todo, d.below...)
		}
	}
	for dir, d := range l.dirs {
		if !d.seen {
			l.drop(dir)
		}
	}
	l.whole = true
	return nil
}

func (l *listing) visit(root *os.Root, dir string, budget *store.Budget) (*listedDir, error) {
	if err := budget.Spend(strings.Count(dir, "/")+4, 0); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(dir, os.O_RDONLY|openNoFollow|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, faultOnly(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	ino := fi.Sys().(*syscall.Stat_t).Ino
	if d := l.dirs[dir]; d != nil && d.whole && d.ino == ino && d.mtime.Equal(fi.ModTime()) {
		return d, nil
	}
	l.drop(dir)
	d := &listedDir{
		ino: ino, mtime: fi.ModTime(), names: map[uint64][]string{},
		whole: time.Since(fi.ModTime()) > coarse, // asked before it is read
	}
	for buf := make([]byte, 1<<15); ; {
		if err := budget.Spend(1, 0); err != nil {
			return nil, err
		}
		n, err := syscall.ReadDirent(int(f.Fd()), buf)
		if err != nil {
			return nil, faultOnly(os.NewSyscallError("getdents", err))
		}
		if n <= 0 {
			break
		}
		// struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
		for b := buf[:n]; len(b) > 19; b = b[binary.NativeEndian.Uint16(b[16:]):] {
			name, _, _ := strings.Cut(string(b[19:binary.NativeEndian.Uint16(b[16:])]), "\x00")
			if name == "." || name == ".." {
				continue
			}
			path := dir + "/" + name
			if kind := b[18]; !layout.Deepest(path) && (kind == syscall.DT_DIR || kind == syscall.DT_UNKNOWN) {
				d.below = append(d.below, path)
			}
			ino := binary.NativeEndian.Uint64(b)
			d.names[ino] = append(d.names[ino], path)
		}
	}
	l.dirs[dir] = d
	for ino, paths := range d.names {
		l.names[ino] = append(l.names[ino], paths...)
	}
	return d, nil
}

// young tells whether folders were changed just before they were read, so that
// they have to be read again.
func (l *listing) young() bool {
	for _, d := range l.dirs {
		if !d.whole {
			return true
		}
	}
	return false
}

// faultOnly makes nothing of an error that says that a folder is not there, or
// nobody's to read.
func faultOnly(err error) error {
	if isFault(err) {
		return err
	}
	return nil
}

// drop takes a directory's names out.
func (l *listing) drop(dir string) {
	d := l.dirs[dir]
	if d == nil {
		return
	}
	delete(l.dirs, dir)
	for ino := range d.names {
		var kept []string
		for _, p := range l.names[ino] {
			if p[:strings.LastIndexByte(p, '/')] != dir {
				kept = append(kept, p)
			}
		}
		if len(kept) == 0 {
			delete(l.names, ino)
		} else {
			l.names[ino] = kept
		}
	}
}
