package upload

import (
	"encoding/binary"
	"os"
	"syscall"
)

// A File is a file of the upload volume that the watcher sends to the ingester. A file
// that is not regular (a symbolic link, a FIFO, a socket, a device) is never opened.
type File struct {
	Account  string
	Path     string // raw bytes, from the root of the SFTP view
	Identity Identity
	Regular  bool
	Early    bool // sent before the whole quiet time: it can become a photo now, a problem only later
	Dir      bool // a directory that is not listed: too deep, or beyond the limit of directories
}

// Gone is a hint that a file or directory, and whatever was below it, is no longer
// there. It may be there again when the hint is received.
type Gone struct{ Account, Path string }

// An Identity tells whether a file on the upload volume has changed: files with equal
// identities have equal bytes. Volume is a permanent key of the file system ([Volumes])
// and not its device number, because device numbers change with the order of disks, and
// then an inode would be taken for one of another disk. The modification time is not
// part of it, because clients can set it to any value.
type Identity struct {
	Volume, Ino uint64
	Size, Ctime int64 // bytes; nanoseconds since 1970
}

// IdentityOf returns the identity of a file from the result of os.Stat or os.Lstat and
// the key of its volume.
func IdentityOf(fi os.FileInfo, volume uint64) Identity {
	st := fi.Sys().(*syscall.Stat_t)
	return Identity{Volume: volume, Ino: st.Ino, Size: st.Size, Ctime: st.Ctim.Nano()}
}

// SameInode tells whether both identities have the same volume and inode.
func (id Identity) SameInode(other Identity) bool {
	return id.Volume == other.Volume && id.Ino == other.Ino
}

// Bytes returns the form that the catalogue stores: 32 bytes, big endian, in the order
// of the fields, so that all identities of one inode are one range of an index.
func (id Identity) Bytes() []byte {
	b := make([]byte, 0, 32)
	for _, v := range []uint64{id.Volume, id.Ino, uint64(id.Size), uint64(id.Ctime)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

// IdentityFrom decodes the result of Bytes. For a slice of another length it returns the
// zero Identity, which no file has.
func IdentityFrom(b []byte) (id Identity) {
	if len(b) == 32 {
		id.Volume, id.Ino = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		id.Size, id.Ctime = int64(binary.BigEndian.Uint64(b[16:])), int64(binary.BigEndian.Uint64(b[24:]))
	}
	return id
}
