package upload

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
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Volumes gives each file system below the upload directory a key that outlives reboots.
// A device number depends on the order in which disks are found, and another disk may
// have it after the next boot; a file would then be taken for another with the same inode.
//
// The key of the file system that has the marker file is made from the marker's content.
// The key of another one (a mount below it, or a subvolume) is made from its own ID, or
// from its mount point if it has none. Device numbers are compared only while this process
// runs. Volumes is safe for concurrent use.
type Volumes struct {
	marker string // path of the marker file

	mu   sync.RWMutex
	seen mark
	at   time.Time         // of the last look at the marker
	keys map[uint64]uint64 // by device number

	unknown atomic.Uint64
}

// A mark is the state of the marker file, to find out whether it was changed. dir is the
// device number of its directory.
type mark struct {
	dir, dev, ino uint64
	size          int64
	ctime         unix.Timespec
}

// lookEvery is for how long the keys are used before the marker is checked again.
const lookEvery = time.Second

// NewVolumes returns Volumes for the directory of the marker file.
func NewVolumes(marker string) *Volumes {
	return &Volumes{marker: marker, keys: map[uint64]uint64{}}
}

// Forget drops all keys. Call it when the mount table has changed.
func (v *Volumes) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen, v.at, v.keys = mark{}, time.Time{}, map[uint64]uint64{}
}

// Key returns the key of the file system with device number dev. fd is an open file on
// it. If the key cannot be determined, for example because the process has no descriptor
// left to open the marker, Key returns another number each time, so that no file is taken
// for a known or unchanged one.
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

// KeyAt is Key for callers without an open file: dir is a directory on the file system.
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

// IdentityOf returns the identity of a file from what os.Stat or os.Lstat returned. dir
// is the directory of the file.
func (v *Volumes) IdentityOf(fi os.FileInfo, dir string) Identity {
	return IdentityOf(fi, v.KeyAt(fi.Sys().(*syscall.Stat_t).Dev, dir))
}

// known returns the key of a device number if it is known, after checking the marker if
// that is due.
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

// look checks the marker and drops all keys if it has changed. If it cannot be read, the
// keys stay, because an error does not prove a change.
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

// isAbsent tells whether an error means that there is no marker file.
func isAbsent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, os.ErrInvalid)
}

// read returns the state and the content of the marker. m.dir is valid even if there is no
// marker file.
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

// learn determines the key of the file system of fd. It reads the device number and the ID
// from the same open file, because after a mount a path could give those of two file
// systems.
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
	// Without a look at the marker nobody knows whether it is on this file system, whose
	// key would then be made from it.
	if _, ok := v.keys[st.Dev]; !ok && v.seen != (mark{}) {
		v.keys[st.Dev] = key
	}
}

// ownID returns a key from the file system's own ID. Only ext4 and btrfs are known to have
// one that does not depend on the device number; statfs(2) guarantees nothing. A btrfs has
// an ID, and a device number, for each subvolume. The key of other file systems is made
// from their mount point.
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

// mountedAt returns the mount point of the mount that fd is on, and which directory of the
// file system is mounted there.
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
