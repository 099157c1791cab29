package filestate

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"picday/internal/upload"
)

// A File is what is at a path of the upload volume.
type File struct {
	Exists   bool
	Regular  bool
	Dir      bool
	Identity upload.Identity
	Writing  Writing
	// Err is why it is not known whether there is a file. It is nil if there is
	// certainly none.
	Err error
}

// Writing tells whether somebody has a file open for writing.
type Writing int

// The answers. The kernel's answer rests on file leases: see upload.Held.
const (
	NotAsked Writing = iota // by Stat, or because it is no regular file
	No
	Yes
	NoLeases // the file system, or the kernel, does not tell who has the file open
	NotKnown // it could not be asked for another reason
)

// Stat looks at what is at path below dir, without asking who writes it. No
// symbolic link below dir is followed, as picdayd follows none; a link on the way
// means that there is no file.
func Stat(dir, path string, volumes *upload.Volumes) File {
	st, err := upload.Lstat(dir, path, volumes.Key)
	return file(st, err, path)
}

// Look is Stat that also asks whether somebody has the file open for writing. It
// asks as the watcher does before it takes the file for complete.
func Look(dir, path string, volumes *upload.Volumes) File {
	st, held, err := upload.Examine(dir, path, volumes.Key)
	f := file(st, err, path)
	switch {
	case !f.Regular:
	case errors.Is(err, upload.ErrNoLeases), errors.Is(err, upload.ErrLeaseRefused):
		f.Writing = NoLeases
	case err != nil:
		f.Writing = NotKnown
	case held:
		f.Writing = Yes
	default:
		f.Writing = No
	}
	return f
}

// file returns what st tells; err counts only if there is no st.
func file(st *upload.Stat, err error, path string) File {
	if st == nil {
		return File{Err: unlessGone(err, path)}
	}
	return File{Exists: true, Regular: st.Regular(), Dir: st.IsDir(), Identity: st.Identity}
}

// unlessGone is nil for the errors that say that there is no such file, or that no
// file can have this path.
func unlessGone(err error, path string) error {
	for _, gone := range []error{unix.ENOENT, unix.ENOTDIR, unix.ELOOP, unix.ENAMETOOLONG, unix.EXDEV, unix.EINVAL} {
		if errors.Is(err, gone) {
			return nil
		}
	}
	return &fs.PathError{Op: "open", Path: path, Err: err}
}
