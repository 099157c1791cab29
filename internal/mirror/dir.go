package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// What is in the directory beside the pictures.
const (
	suffix    = ".jpg"
	ownDir    = ".picday-mirror" // beginning with a dot: not one of the pictures
	lockFile  = ownDir + "/lock"
	stateFile = ownDir + "/state.json"
	tempDir   = ownDir + "/tmp" // what is being fetched; on the same file system as what it becomes
)

// A state is what the mirror remembers.
type state struct {
	Version      int    `json:"version"`
	URL          string `json:"url"`
	Account      string `json:"account"`
	Rendition    string `json:"rendition"`
	ChangedUntil int64  `json:"changed_until"` // all changes up to here are in the directory
}

// A dir is the directory. Nothing outside of it can be named.
type dir struct {
	root *os.Root
	lock *os.File
	temp atomic.Int64
}

// openDir takes the directory, which must be empty or a mirror, and nobody else's.
func openDir(name string) (_ *dir, err error) {
	if err := os.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	d := &dir{root: root}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if _, err := root.Lstat(ownDir); errors.Is(err, fs.ErrNotExist) {
		if err := mustBeEmpty(root, name); err != nil {
			return nil, err
		}
		if err := root.Mkdir(ownDir, 0o700); err != nil {
			return nil, err
		}
	}
	info, err := root.Lstat(ownDir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, refused("%s/%s is not a directory: somebody else has put it there", name, ownDir)
	}
	if d.lock, err = root.OpenFile(lockFile, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another picday mirror is at work in %s", name)
		}
		return nil, err
	}
	if err := root.RemoveAll(tempDir); err != nil {
		return nil, err
	}
	return d, root.Mkdir(tempDir, 0o700)
}

func mustBeEmpty(root *os.Root, name string) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		if e.Name() != "lost+found" {
			return refused("%s is not empty, and no mirror: it has %s. A mirror removes what is not on its list, so give it a directory of its own", name, brief(e.Name()))
		}
	}
	return err
}

func (d *dir) close() {
	if d.lock != nil {
		_ = d.lock.Close()
	}
	_ = d.root.Close()
}

// state reads the state file; found is false if there is none.
func (d *dir) state() (s state, found bool, err error) {
	text, err := d.root.ReadFile(stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	if err := json.Unmarshal(text, &s); err != nil || s.Version != 1 || s.URL == "" || s.Account == "" || s.ChangedUntil < 0 {
		return s, false, fmt.Errorf("%s cannot be read: delete it, and everything is compared again", stateFile)
	}
	return s, true, nil
}

// save writes the state file, after everything that it says is done is durable.
func (d *dir) save(s state) error {
	if err := d.sync("."); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := d.create()
	if err != nil {
		return err
	}
	if _, err = f.Write(append(text, '\n')); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.root.Rename(f.name, stateFile)
	}
	if err != nil {
		_ = d.root.Remove(f.name)
		return err
	}
	return d.sync(ownDir)
}

func (d *dir) sync(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some file systems cannot
		return err
	}
	return nil
}

// A tempFile is not in the place of a picture yet.
type tempFile struct {
	*os.File
	name string
}

func (d *dir) create() (*tempFile, error) {
	name := path.Join(tempDir, strconv.FormatInt(d.temp.Add(1), 10))
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &tempFile{f, name}, nil
}

// write fills a temporary file with a picture and makes it durable. It fails if the
// bytes are not those that are wanted.
func (d *dir) write(from io.Reader, w want) (f *tempFile, err error) {
	if f, err = d.create(); err != nil {
		return nil, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(from, w.bytes+1))
	switch {
	case err != nil:
	case n > w.bytes:
		err = fmt.Errorf("it is longer than the %d bytes that the list says", w.bytes)
	case n < w.bytes:
		err = fmt.Errorf("it ends after %d of %d bytes", n, w.bytes)
	case hex.EncodeToString(sum.Sum(nil)) != w.hash:
		err = errOther
	default:
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = d.root.Remove(f.name)
		return nil, err
	}
	return f, nil
}

// errOther: the picture has changed since the list was read, or the list lies.
var errOther = errors.New("it has other bytes than the list says")

// has tells whether the picture is there already, whole.
func (d *dir) has(w want) bool {
	info, err := d.root.Lstat(w.name)
	if err != nil || !info.Mode().IsRegular() || info.Size() != w.bytes {
		return false
	}
	f, err := d.root.Open(w.name)
	if err != nil {
		return false
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return false
	}
	return hex.EncodeToString(sum.Sum(nil)) == w.hash
}

// put gives a picture its name; what had it is replaced.
func (d *dir) put(f *tempFile, name string) error {
	err := d.root.Rename(f.name, name)
	if err != nil {
		_ = d.root.Remove(f.name)
	}
	return err
}

// remove tells whether there was such a file.
func (d *dir) remove(name string) (bool, error) {
	err := d.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// pictures lists the names of the pictures that are there.
func (d *dir) pictures() (names []string, err error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}
