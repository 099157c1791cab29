// Package volume tells file systems apart by what stays theirs. A device number
// does not: it changes with the order in which disks are found, and the next
// disk may get it. Files would then be taken for their neighbours.
package volume

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Volumes gives the file systems below the upload directory keys. The one that
// carries the marker file has the marker's content as its key, whatever it lies
// on; others (mounted below, or subvolumes) their own id, or else the place
// where they are mounted. Device numbers are compared within this process only.
// It is safe for concurrent use.
type Volumes struct {
	marker string // path of the marker file

	mu   sync.RWMutex
	seen mark
	at   time.Time         // of the last look at the marker
	keys map[uint64]uint64 // by device number

	unknown atomic.Uint64
}

// mark is what is compared to find out whether the marker is still the same.
type mark struct {
	dir, dev, ino uint64
	size          int64
	ctime         unix.Timespec
}

// lookEvery is how long an answer may rest on the last look at the marker.
const lookEvery = time.Second

// New makes Volumes for the directory that the marker file is in.
func New(marker string) *Volumes {
	return &Volumes{marker: marker, keys: map[uint64]uint64{}}
}

// Forget drops all that is known, because the mount table has changed.
func (v *Volumes) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen, v.at, v.keys = mark{}, time.Time{}, map[uint64]uint64{}
}

// Key returns the key of the file system with that device number. fd is
// something open on it. Where the key cannot be found out, as when no descriptor
// is left for the marker, it is another one each time: then no file is taken for
// one that is known, nor for one that has not changed.
func (v *Volumes) Key(dev uint64, fd int) uint64 {
	if key, ok := v.known(dev); ok {
		return key
	}
	v.learn(fd)
	key, ok := v.known(dev)
	if !ok {
		return hash("unknown", strconv.FormatUint(v.unknown.Add(1), 10))
	}
	return key
}

// KeyAt is Key for who has nothing open: dir is a directory on that file system.
func (v *Volumes) KeyAt(dev uint64, dir string) uint64 {
	if key, ok := v.known(dev); ok {
		return key
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return v.Key(dev, -1)
	}
	defer unix.Close(fd)
	return v.Key(dev, fd)
}

func (v *Volumes) known(dev uint64) (key uint64, ok bool) {
	v.mu.RLock()
	key, ok = v.keys[dev]
	fresh := time.Since(v.at) < lookEvery
	v.mu.RUnlock()
	if fresh {
		return key, ok
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.look()
	key, ok = v.keys[dev]
	return key, ok
}

// look reads the marker, if it is another than it was. Then everything else is
// learned anew. A fault says nothing about the marker.
func (v *Volumes) look() {
	m, text, err := v.read()
	switch {
	case err != nil && !isAbsent(err):
		if v.seen != (mark{}) {
			v.at = time.Now()
		}
		return
	case m == v.seen:
		v.at = time.Now()
		return
	}
	v.at, v.seen, v.keys = time.Now(), m, map[uint64]uint64{}
	if err == nil {
		v.keys[m.dir] = hash("marker", strings.TrimSpace(text))
	}
}

// isAbsent tells the errors that say that there is no marker.
func isAbsent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, os.ErrInvalid)
}

func (v *Volumes) read() (m mark, text string, err error) {
	dir, err := unix.Open(filepath.Dir(v.marker), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return m, "", err
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return m, "", err
	}
	m.dir = st.Dev
	fd, err := unix.Openat(dir, filepath.Base(v.marker), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return m, "", err
	}
	file := os.NewFile(uintptr(fd), v.marker)
	defer file.Close()
	if err := unix.Fstat(fd, &st); err != nil {
		return m, "", err
	}
	m.dev, m.ino, m.size, m.ctime = st.Dev, st.Ino, st.Size, st.Ctim
	data, err := io.ReadAll(io.LimitReader(file, 1<<12))
	if err == nil && (st.Mode&unix.S_IFMT != unix.S_IFREG || strings.TrimSpace(string(data)) == "") {
		err = os.ErrInvalid
	}
	return m, string(data), err
}

// learn finds out the key of the file system that fd is on. Device number and
// id are of the same open file, so nobody can give one file system another's key.
func (v *Volumes) learn(fd int) {
	var st unix.Stat_t
	if fd < 0 || unix.Fstat(fd, &st) != nil {
		return
	}
	key, ok := ownID(fd)
	if !ok {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	// Not while the marker cannot be read: it may be on this one.
	if _, ok := v.keys[st.Dev]; !ok && v.seen != (mark{}) {
		v.keys[st.Dev] = key
	}
}

// ownID asks a file system for its id. Only these have one that does not come
// from the device number (statfs(2) promises nothing); of a btrfs it is another
// for each subvolume, as is the device number. The others are told by where
// they are mounted.
func ownID(fd int) (uint64, bool) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return 0, false
	}
	switch uint32(fs.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
		return hash("file system", fmt.Sprint(fs.Type, fs.Fsid)), true
	}
	place, ok := mountedAt(fd)
	return hash("mounted at", place), ok
}

// mountedAt tells where the mount is that fd is on, and what is mounted there.
func mountedAt(fd int) (string, bool) {
	var x unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &x); err != nil {
		return "", false
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", false
	}
	id := strconv.FormatUint(x.Mnt_id, 10)
	for line := range strings.Lines(string(table)) {
		// 36 35 98:0 /root /mount/point options - type source options
		if f := strings.Fields(line); len(f) > 5 && f[0] == id {
			return f[3] + " " + f[4], true
		}
	}
	return "", false
}

func hash(words ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return binary.BigEndian.Uint64(sum[:])
}
