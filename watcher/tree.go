package watcher

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"picday/internal/upload"
)

// tree is one directory of one root, watched recursively.
type tree struct {
	account    string           // its name
	generation string           // Root.Generation
	dir        string           // Root.Dir
	abs        string           // the tree itself
	depth      int              // Options.Depth
	volumeKey  upload.VolumeKey // Options.Volume

	removed      atomic.Bool // no longer among the roots
	leaseless    atomic.Bool // its file system has no leases
	leaseRefused atomic.Bool // the kernel refused this process the last lease
}

// rel returns an absolute path relative to Root.Dir, as the exported API has it.
func (t *tree) rel(path string) string {
	if path == t.dir {
		return "."
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, t.dir), "/")
}

// deepest tells whether path is at the greatest depth: nothing below it is watched.
func (t *tree) deepest(path string) bool {
	return t.depth > 0 && path != t.abs && strings.Count(t.rel(path), "/")+1 >= t.depth
}

// inode identifies a directory until its file system is unmounted.
type inode struct{ dev, ino uint64 }

func inodeOf(st *upload.Stat) inode { return inode{st.Dev, st.Ino} }

// openDir opens a directory without following a symbolic link anywhere below Root.Dir.
func (t *tree) openDir(path string) (*os.File, *upload.Stat, error) {
	fd, err := upload.OpenAt(t.dir, t.rel(path), unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, nil, err
	}
	st, err := upload.StatAt(fd, "", t.volumeKey)
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), path), st, nil
}

// look is lstat that follows no symbolic link in any element of path.
func (t *tree) look(path string) (*upload.Stat, error) {
	return upload.Lstat(t.dir, t.rel(path), t.volumeKey)
}

// examine is look that also tells whether the file is open for writing.
func (t *tree) examine(path string) (st *upload.Stat, held bool, err error) {
	return upload.Examine(t.dir, t.rel(path), t.volumeKey)
}

// isGone tells whether err means that nothing is at this path, or that an element on
// the way to it is missing or no directory (a symbolic link is none).
func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}

// treesOf returns the trees of r with clean paths. It leaves out names that lead out
// of Root.Dir, and trees inside another one, which covers them.
func treesOf(r Root, opt Options) []*tree {
	var all []*tree
	dir := filepath.Clean(r.Dir)
	for _, name := range r.Trees {
		if !filepath.IsLocal(name) {
			continue
		}
		all = append(all, &tree{account: r.Account, generation: r.Generation, dir: dir, abs: filepath.Join(dir, name), depth: opt.Depth, volumeKey: opt.Volume})
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
