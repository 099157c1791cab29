package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"syscall"

	"picday/layout"
	"picday/store"
)

// Elsewhere implements store.Disk. The directories themselves say which inode
// has which name, so a job of 100,000 files is some 50 ms and no stat, once
// for a transaction. It is asked when a file has taken the place of another,
// which had to be decoded for a multiple of that, and before a withdrawal.
//
// The picture is compared because the next upload usually gets the inode that
// the last overwrite has freed. A file that has the name of noise now, a
// backup that some client makes, is as good as deleted.
func (d *disk) Elsewhere(name, path string, id store.Identity, sha store.SHA) (at string, found bool) {
	a, ok := d.in.account(name)
	root := d.root(name)
	if !ok || root == nil {
		return "", false
	}
	job, _, _ := strings.Cut(path, "/")
	names, ok := d.inodes[name+"/"+job]
	if !ok {
		names = map[uint64][]string{}
		eachInode(root, job, func(ino uint64, p string) { names[ino] = append(names[ino], p) })
		d.inodes[name+"/"+job] = names
	}
	for _, p := range names[id.Ino] {
		if p != path && a.rules.Of(p).What != layout.Noise && d.holds(name, p, id, sha) {
			return p, true
		}
	}
	return "", false
}

// holds tells whether the file at path is the one with that inode and picture.
func (d *disk) holds(name, path string, id store.Identity, sha store.SHA) bool {
	file, err := d.root(name).OpenFile(path, os.O_RDONLY|openNoFollow, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil || !fi.Mode().IsRegular() || !d.in.identityOf(fi, name, path).SameInode(id) || fi.Size() != id.Size {
		return false
	}
	h := sha256.New()
	_, err = io.Copy(h, file)
	return err == nil && sumOf(h) == sha
}

// eachInode calls found for every name below dir. What cannot be read is
// passed over.
func eachInode(root *os.Root, dir string, found func(ino uint64, path string)) {
	f, err := root.OpenFile(dir, os.O_RDONLY|openNoFollow|syscall.O_DIRECTORY, 0)
	if err != nil {
		return
	}
	var below []string
	for buf := make([]byte, 1<<15); ; {
		n, err := syscall.ReadDirent(int(f.Fd()), buf)
		if err != nil || n <= 0 {
			break
		}
		// struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
		for b := buf[:n]; len(b) > 19; b = b[binary.NativeEndian.Uint16(b[16:]):] {
			name, _, _ := strings.Cut(string(b[19:binary.NativeEndian.Uint16(b[16:])]), "\x00")
			if name == "." || name == ".." {
				continue
			}
			if kind := b[18]; !layout.Deepest(dir+"/"+name) && (kind == syscall.DT_DIR || kind == syscall.DT_UNKNOWN) {
				below = append(below, dir+"/"+name)
			}
			found(binary.NativeEndian.Uint64(b), dir+"/"+name)
		}
	}
	f.Close()
	for _, d := range below {
		eachInode(root, d, found)
	}
}
