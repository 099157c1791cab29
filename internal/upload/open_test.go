package upload

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// tree makes a file, links to it, to a folder and out of the tree, and a named pipe.
func tree(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "acme")
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "job", "a"), 0o755),
		os.WriteFile(filepath.Join(dir, "job", "a", "x.jpg"), []byte("x"), 0o644),
		os.WriteFile(filepath.Join(dir, "..", "secret"), []byte("secret"), 0o644),
		os.Symlink("x.jpg", filepath.Join(dir, "job", "a", "link.jpg")),
		os.Symlink("../../../secret", filepath.Join(dir, "job", "a", "out.jpg")),
		os.Symlink("a", filepath.Join(dir, "job", "same")),
		os.Symlink("../..", filepath.Join(dir, "job", "above")),
		unix.Mkfifo(filepath.Join(dir, "job", "a", "fifo"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpenFollowsNoLinkAndNeverWaits(t *testing.T) {
	root, err := os.OpenRoot(tree(t))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f, err := Open(root, "job/a/x.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(f); string(text) != "x" {
		t.Errorf("read %q, %v", text, err)
	}
	f.Close()
	for _, path := range []string{"job/a/link.jpg", "job/a/out.jpg", "job/same/x.jpg", "job/above/secret", "../secret", "", "job/a/none.jpg"} {
		if f, err := Open(root, path); err == nil {
			f.Close()
			t.Errorf("%s was opened", path)
		}
	}
	f, err = Open(root, "job/a/fifo") // must return, and not wait for a writer
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if f, err := OpenDir(root, "job/a"); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
	if f, err := OpenDir(root, "job/same"); err == nil {
		f.Close()
		t.Error("a link to a directory was opened")
	}
}

func TestOpenAtFollowsNoLinkOnTheWay(t *testing.T) {
	dir := tree(t)
	for path, want := range map[string]error{
		"job/a/x.jpg": nil, "job/a": nil, "": nil, "job/a/fifo": nil,
		"job/a/link.jpg": unix.ELOOP, "job/same/x.jpg": unix.ENOTDIR, "job/above/secret": unix.ENOTDIR,
		"../secret": unix.EXDEV, "job/../../secret": unix.EXDEV, "job/a/none.jpg": unix.ENOENT, "job/a/x.jpg/y": unix.ENOTDIR,
	} {
		fd, err := OpenAt(dir, path, unix.O_RDONLY|unix.O_NONBLOCK)
		if err != want {
			t.Errorf("%q: %v, not %v", path, err, want)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
}

func TestIdentityBytes(t *testing.T) {
	id := Identity{Volume: 1 << 63, Ino: 7, Size: 8, Ctime: 1_700_000_000_123_456_789}
	if got := IdentityFrom(id.Bytes()); got != id {
		t.Errorf("%+v, not %+v", got, id)
	}
	if got := IdentityFrom([]byte("short")); got != (Identity{}) {
		t.Errorf("from nonsense: %+v", got)
	}
	next := id
	next.Size, next.Ctime = 9, 0
	if string(id.Bytes()[:16]) != string(next.Bytes()[:16]) || !id.SameInode(next) {
		t.Error("one inode, two ranges")
	}
}
