package bed

import (
	"os"
	"path"
	"path/filepath"
)

// winSCP uploads to NAME.filepart, deletes the old file, renames by link and unlink, and
// sets the time afterwards.
var winSCP = Client{
	Name: "WinSCP (on the wire)", Program: "ssh", Package: "openssh-client",
	Put:     putWinSCP,
	PutTree: func(l Login, dir, parent string) Out { return l.putTree(putWinSCP, dir, parent) },
	Resume: func(l Login, local, remote string) Out {
		return l.onWire(func(s *Wire) error {
			half, err := s.Size(remote + ".filepart")
			if err == nil {
				err = putFile(s, local, remote+".filepart", Write|Create, half)
			}
			if err == nil {
				err = s.Rename(remote+".filepart", remote)
			}
			return err
		})
	},
	Rename: plainRename,
	Remove: remove,
}

// fileZilla writes in place and sets the time after close.
var fileZilla = Client{
	Name: "FileZilla (on the wire)", Program: "ssh", Package: "openssh-client",
	Put:     putFileZilla,
	PutTree: func(l Login, dir, parent string) Out { return l.putTree(putFileZilla, dir, parent) },
	Resume: func(l Login, local, remote string) Out {
		return l.onWire(func(s *Wire) error {
			half, err := s.Size(remote)
			if err != nil {
				return err
			}
			return putFile(s, local, remote, Write, half)
		})
	},
	Rename: plainRename,
	Remove: remove,
}

// newRclone is rclone 1.63 and later. It uploads to NAME.XXXXXXXX.partial (8 hex digits),
// renames by posix-rename and sets the time.
var newRclone = Client{
	Name: "rclone 1.63 (on the wire)", Program: "ssh", Package: "openssh-client",
	Put:     putNewRclone,
	PutTree: func(l Login, dir, parent string) Out { return l.putTree(putNewRclone, dir, parent) },
	Rename: func(l Login, from, to string) Out {
		return l.onWire(func(s *Wire) error { return s.PosixRename(from, to) })
	},
	Remove: remove,
}

func putWinSCP(l Login, local, remote string) Out {
	return l.onWire(func(s *Wire) error {
		err := putFile(s, local, remote+".filepart", Write|Create|Truncate, 0)
		if err == nil && s.Exists(remote) {
			err = s.Remove(remote)
		}
		if err == nil {
			err = s.Rename(remote+".filepart", remote)
		}
		if err == nil {
			err = s.Chtimes(remote, 1_600_000_000)
		}
		return err
	})
}

func putFileZilla(l Login, local, remote string) Out {
	return l.onWire(func(s *Wire) error {
		if err := putFile(s, local, remote, Write|Create|Truncate, 0); err != nil {
			return err
		}
		return s.Chtimes(remote, 1_600_000_000)
	})
}

func putNewRclone(l Login, local, remote string) Out {
	return l.onWire(func(s *Wire) error {
		partial := remote + ".5f3a90c1.partial"
		err := putFile(s, local, partial, Write|Create|Truncate, 0)
		if err == nil {
			err = s.PosixRename(partial, remote)
		}
		if err == nil {
			err = s.Chtimes(remote, 1_600_000_000)
		}
		return err
	})
}

func plainRename(l Login, from, to string) Out {
	return l.onWire(func(s *Wire) error { return s.Rename(from, to) })
}

func remove(l Login, remote string) Out {
	return l.onWire(func(s *Wire) error { return s.Remove(remote) })
}

// onWire runs one session.
func (l Login) onWire(session func(*Wire) error) Out {
	s, err := l.Wire()
	if err == nil {
		defer s.Cut()
		err = session(s)
	}
	return Out{Err: err}
}

// putFile writes a local file beginning at an offset.
func putFile(s *Wire, local, remote string, flags uint32, from uint64) error {
	data, err := os.ReadFile(local)
	if err != nil {
		return err
	}
	f, err := s.Open(remote, flags)
	if err != nil {
		return err
	}
	f.At = from
	if _, err := f.Write(data[from:]); err != nil {
		return err
	}
	return f.Close()
}

// putTree uploads a directory file by file with one client's way of putting a file.
func (l Login) putTree(put func(Login, string, string) Out, dir, parent string) Out {
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(filepath.Dir(dir), file)
		remote := path.Join(parent, rel)
		if !d.IsDir() {
			return put(l, file, remote).Err
		}
		return l.onWire(func(s *Wire) error {
			if s.Exists(remote) {
				return nil
			}
			return s.Mkdir(remote)
		}).Err
	})
	return Out{Err: err}
}
