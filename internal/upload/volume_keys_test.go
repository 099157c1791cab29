package upload

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func devOf(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Dev
}

// The key is made from the marker's content, on whatever device it is. Without the marker,
// or with another one, the same device has another key.
func TestTheMarkerIsTheKey(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	mark := func(dir, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "new"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, ".mark")); err != nil {
			t.Fatal(err)
		}
	}
	mark(a, "one\n")
	mark(b, "one\n")
	dev := devOf(t, a)
	v := NewVolumes(filepath.Join(a, ".mark"))
	one := v.KeyAt(dev, a)
	if other := NewVolumes(filepath.Join(b, ".mark")).KeyAt(devOf(t, b), b); other != one {
		t.Errorf("the same mark in two places: %x, %x", one, other)
	}
	mark(a, "two\n")
	v.Forget()
	if two := v.KeyAt(dev, a); two == one {
		t.Error("another mark, the same key")
	}
	mark(a, "one\n")
	v.at = v.at.Add(-2 * lookEvery)
	if got := v.KeyAt(dev, a); got != one {
		t.Errorf("the mark is back and nobody says so: %x, not %x", got, one)
	}
	if err := os.Remove(filepath.Join(a, ".mark")); err != nil {
		t.Fatal(err)
	}
	v.Forget()
	if none := v.KeyAt(dev, a); none == one {
		t.Error("without a mark, the same key")
	}
}

// While the process has no descriptor left to open the marker, known keys stay, and an
// unknown device gets another key each time.
func TestAFaultIsNoMissingMark(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".mark"), []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	dev := devOf(t, dir)
	v, late := NewVolumes(filepath.Join(dir, ".mark")), NewVolumes(filepath.Join(dir, ".mark"))
	one := v.Key(dev, fd)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	v.at = v.at.Add(-2 * lookEvery)
	kept, first, second := v.Key(dev, fd), late.Key(dev, fd), late.Key(dev, fd)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if kept != one {
		t.Errorf("what was known: %x, not %x", kept, one)
	}
	if first == second || first == one {
		t.Errorf("what was not known: %x, %x", first, second)
	}
	if now := late.Key(dev, fd); now != one {
		t.Errorf("afterwards: %x, not %x", now, one)
	}
}

// A file system that is mounted below the upload directory has a key of its own,
// which another process finds too.
func TestOtherFileSystems(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".mark"), []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, w := NewVolumes(filepath.Join(dir, ".mark")), NewVolumes(filepath.Join(dir, ".mark"))
	here, other := v.KeyAt(devOf(t, dir), dir), v.KeyAt(devOf(t, "/proc"), "/proc")
	if here == other {
		t.Error("two file systems, one key")
	}
	if again := w.KeyAt(devOf(t, "/proc"), "/proc"); again != other {
		t.Errorf("in another process: %x, not %x", again, other)
	}
	if unknown := v.KeyAt(1<<40, dir); unknown == here || unknown == other {
		t.Error("a device that was never seen has the key of another")
	}
}
