package watcher

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// tree is one directory of one root, watched recursively.
type tree struct {
	root  string                          // its name
	gen   string                          // Root.Generation
	dir   string                          // Root.Dir
	abs   string                          // the tree itself
	depth int                             // Options.Depth
	key   func(dev uint64, fd int) uint64 // Options.Volume

	dead      atomic.Bool // no longer among the roots
	leaseless atomic.Bool // its file system has no leases
	refused   atomic.Bool // it has, and the kernel refused us the last one
}

// rel is what the outside calls an absolute path: relative to Root.Dir.
func (t *tree) rel(path string) string {
	if path == t.dir {
		return "."
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, t.dir), "/")
}

// deepest tells whether nothing below path counts.
func (t *tree) deepest(path string) bool {
	return t.depth > 0 && path != t.abs && strings.Count(t.rel(path), "/")+1 >= t.depth
}

// stat is what two looks are compared by.
type stat struct {
	Identity
	dev   uint64
	mode  uint16
	mount uint64
}

type inode struct{ dev, ino uint64 }

func (s *stat) inode() inode  { return inode{s.dev, s.Ino} }
func (s *stat) isDir() bool   { return s.mode&unix.S_IFMT == unix.S_IFDIR }
func (s *stat) regular() bool { return s.mode&unix.S_IFMT == unix.S_IFREG }

// statAt is lstat relative to an open directory; with an empty name, of what fd itself is.
func (t *tree) statAt(fd int, name string) (*stat, error) {
	const mask = unix.STATX_TYPE | unix.STATX_MODE | unix.STATX_INO | unix.STATX_SIZE | unix.STATX_CTIME | unix.STATX_MNT_ID
	flags := unix.AT_SYMLINK_NOFOLLOW
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	var x unix.Statx_t
	if err := unix.Statx(fd, name, flags, mask, &x); err != nil {
		return nil, err
	}
	dev := unix.Mkdev(x.Dev_major, x.Dev_minor)
	return &stat{
		Identity: Identity{
			Volume: t.key(dev, fd), Ino: x.Ino,
			Size: int64(x.Size), Ctime: x.Ctime.Sec*1e9 + int64(x.Ctime.Nsec),
		},
		dev: dev, mode: x.Mode, mount: x.Mnt_id,
	}, nil
}

// open resolves path without leaving Root.Dir and without following a symbolic
// link anywhere below it. (os.Root would follow those that stay inside, and
// then one photo is there under two paths.) Root.Dir is opened each time: a
// descriptor kept would go on showing a volume that was unmounted.
//
// It goes from directory to directory instead of asking openat2: systemd's
// RestrictSUIDSGID, like older container tools, lets nobody have that call.
func (t *tree) open(path string, flags int) (fd int, err error) {
	fd, err = openAt(unix.AT_FDCWD, t.dir, unix.O_PATH|unix.O_DIRECTORY)
	for rest, name := t.rel(path), ""; err == nil && rest != ""; {
		name, rest, _ = strings.Cut(rest, "/")
		if name == ".." {
			unix.Close(fd)
			return -1, unix.EXDEV
		}
		how := unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW
		if rest == "" {
			how = flags | unix.O_NOFOLLOW
		}
		above := fd
		fd, err = openAt(above, name, how)
		unix.Close(above)
	}
	return fd, err
}

func openAt(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func (t *tree) openDir(path string) (*os.File, *stat, error) {
	fd, err := t.open(path, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, nil, err
	}
	st, err := t.statAt(fd, "")
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), path), st, nil
}

// look is lstat that does not trust the directories on the way.
func (t *tree) look(path string) (*stat, error) {
	fd, err := t.open(path, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return t.statAt(fd, "")
}

// isGone tells whether err means that nothing is at this path: neither it nor
// a directory on the way to it, a symbolic link being no directory.
func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}

// treesOf cleans what a caller wrote. A tree inside another one of the same root is part of it.
func treesOf(r Root, opt Options) []*tree {
	var all []*tree
	dir := filepath.Clean(r.Dir)
	for _, name := range r.Trees {
		if !filepath.IsLocal(name) {
			continue
		}
		all = append(all, &tree{root: r.Name, gen: r.Generation, dir: dir, abs: filepath.Join(dir, name), depth: opt.Depth, key: opt.Volume})
	}
	var outer []*tree
	for i, t := range all {
		inside := false
		for j, o := range all {
			inside = inside || strings.HasPrefix(t.abs, o.abs+"/") || j < i && t.abs == o.abs
		}
		if !inside {
			outer = append(outer, t)
		}
	}
	return outer
}
