package bed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
)

// Wire is an SFTP version 3 client on top of the real ssh. With it a test can send exactly
// the requests of WinSCP, FileZilla or a newer rclone, and can write byte by byte, pause,
// preallocate, rename by link and unlink, or end in the middle. It sends one request at a
// time.
type Wire struct {
	p      *proc
	in     io.WriteCloser
	out    io.ReadCloser
	nextID uint32
	once   sync.Once
}

// Open flags.
const Read, Write, Append, Create, Truncate, Exclusive = 1, 2, 4, 8, 16, 32

// Wire logs in and opens the sftp subsystem.
func (l Login) Wire() (*Wire, error) {
	cmd := l.SSH("-s", l.host(), "sftp")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s := &Wire{p: start(l.w.T, cmd), in: in, out: out}
	l.w.T.Cleanup(s.Cut)
	if err := s.send(packet{fxInit}.u32(3)); err != nil {
		return nil, err
	}
	if kind, _, err := s.receive(); err != nil || kind != fxVersion {
		s.Cut()
		return nil, fmt.Errorf("no SFTP for %s: %w (packet type %d)", l.User, err, kind)
	}
	return s, nil
}

// MustWire is Wire for a login that has to succeed.
func (l Login) MustWire() *Wire {
	l.w.T.Helper()
	s, err := l.Wire()
	if err != nil {
		l.w.T.Fatalf("%v\n%s", err, l.w.SSHDLog())
	}
	return s
}

// Open opens a remote file; flags as Write|Create|Truncate.
func (s *Wire) Open(path string, flags uint32) (*File, error) {
	kind, body, err := s.call(fxOpen, packet{}.str(path).u32(flags).u32(0))
	if err != nil {
		return nil, err
	}
	if kind != fxHandle {
		return nil, fmt.Errorf("open %s: packet type %d", path, kind)
	}
	handle, _ := cut(body)
	return &File{s: s, handle: handle}, nil
}

// File is an open remote file with a write position.
type File struct {
	s      *Wire
	handle string
	At     uint64
}

// Write writes at the file's position, in packets of at most 32 KiB.
func (f *File) Write(data []byte) (int, error) {
	for sent := 0; sent < len(data); {
		n := min(len(data)-sent, 32<<10)
		body := packet{}.str(f.handle).u64(f.At).str(string(data[sent : sent+n]))
		if _, _, err := f.s.call(fxWrite, body); err != nil {
			return sent, err
		}
		f.At += uint64(n)
		sent += n
	}
	return len(data), nil
}

// Truncate sets the size of the open file: what a preallocating client does
// first, and scp does just before close.
func (f *File) Truncate(size uint64) error {
	_, _, err := f.s.call(fxFsetstat, packet{}.str(f.handle).u32(1).u64(size))
	return err
}

// Chtimes sets access and modification time of the open file, as put -p does.
func (f *File) Chtimes(mtime uint32) error {
	_, _, err := f.s.call(fxFsetstat, packet{}.str(f.handle).u32(8).u32(mtime).u32(mtime))
	return err
}

// Chmod changes the mode of the open file.
func (f *File) Chmod(mode uint32) error {
	_, _, err := f.s.call(fxFsetstat, packet{}.str(f.handle).u32(4).u32(mode))
	return err
}

// Close closes the remote file.
func (f *File) Close() error {
	_, _, err := f.s.call(fxClose, packet{}.str(f.handle))
	return err
}

// Chmod changes a mode by name.
func (s *Wire) Chmod(path string, mode uint32) error {
	_, _, err := s.call(fxSetstat, packet{}.str(path).u32(4).u32(mode))
	return err
}

// Chtimes sets the times by name, as FileZilla and rclone do after close.
func (s *Wire) Chtimes(path string, mtime uint32) error {
	_, _, err := s.call(fxSetstat, packet{}.str(path).u32(8).u32(mtime).u32(mtime))
	return err
}

// Rename sends the standard rename, which OpenSSH does by link and unlink. It fails if to
// exists.
func (s *Wire) Rename(from, to string) error {
	_, _, err := s.call(fxRename, packet{}.str(from).str(to))
	return err
}

// PosixRename renames a file, and replaces an existing one.
func (s *Wire) PosixRename(from, to string) error {
	_, _, err := s.call(fxExtended, packet{}.str("posix-rename@openssh.com").str(from).str(to))
	return err
}

// Symlink makes a symbolic link (OpenSSH takes the target first).
func (s *Wire) Symlink(target, name string) error {
	_, _, err := s.call(fxSymlink, packet{}.str(target).str(name))
	return err
}

// Remove deletes a file.
func (s *Wire) Remove(path string) error {
	_, _, err := s.call(fxRemove, packet{}.str(path))
	return err
}

// Mkdir makes a directory.
func (s *Wire) Mkdir(path string) error {
	_, _, err := s.call(fxMkdir, packet{}.str(path).u32(0))
	return err
}

// Rmdir removes an empty directory.
func (s *Wire) Rmdir(path string) error {
	_, _, err := s.call(fxRmdir, packet{}.str(path))
	return err
}

// Exists tells whether the uploader sees a file or directory at a path.
func (s *Wire) Exists(path string) bool {
	_, _, err := s.call(fxStat, packet{}.str(path))
	return err == nil
}

// Size returns a remote file's size in bytes.
func (s *Wire) Size(path string) (uint64, error) {
	_, body, err := s.call(fxStat, packet{}.str(path))
	if err != nil || len(body) < 12 {
		return 0, err
	}
	return binary.BigEndian.Uint64(body[4:]), nil
}

// Getwd returns the directory in which a session starts.
func (s *Wire) Getwd() (string, error) {
	_, body, err := s.call(fxRealpath, packet{}.str("."))
	if err != nil || len(body) < 4 {
		return "", err
	}
	dir, _ := cut(body[4:])
	return dir, nil
}

// List returns the names in a directory, without "." and "..".
func (s *Wire) List(dir string) (names []string, err error) {
	_, body, err := s.call(fxOpendir, packet{}.str(dir))
	if err != nil {
		return nil, err
	}
	handle, _ := cut(body)
	for {
		_, body, err = s.call(fxReaddir, packet{}.str(handle))
		if errors.Is(err, io.EOF) {
			_, _, err = s.call(fxClose, packet{}.str(handle))
			return names, err
		}
		if err != nil {
			return nil, err
		}
		names = append(names, entries(body)...)
	}
}

// Put uploads a whole file as psftp and curl do: open, write, close.
func (s *Wire) Put(path string, data []byte) error {
	f, err := s.Open(path, Write|Create|Truncate)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Close()
}

// Cut ends the connection without closing files, as a crashed client does.
func (s *Wire) Cut() {
	s.once.Do(func() {
		s.p.kill()
		_ = s.in.Close()
	})
}

// Hang stops the client by SIGSTOP. The connection stays open, but nothing is sent.
func (s *Wire) Hang() { s.p.signal(syscall.SIGSTOP) }

// GoOn undoes Hang.
func (s *Wire) GoOn() { s.p.signal(syscall.SIGCONT) }

// Done is closed when the connection has ended.
func (s *Wire) Done() <-chan struct{} { return s.p.done }
