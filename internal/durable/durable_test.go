package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWriteFileIsWholeOrOld(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x")
	for _, text := range []string{"one", "", "another, longer"} {
		if err := WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(name)
		fi, serr := os.Stat(name)
		if err != nil || serr != nil || string(data) != text || fi.Mode() != 0o640 || len(names(t, dir)) != 1 {
			t.Errorf("%q %v %v %v", data, fi.Mode(), err, names(t, dir))
		}
	}
	// What cannot be replaced stays, and no temporary file does.
	taken := filepath.Join(dir, "taken")
	if err := errors.Join(os.Mkdir(taken, 0o755), os.WriteFile(filepath.Join(taken, "in it"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(taken, []byte("x"), 0o600); err == nil || len(names(t, dir)) != 2 {
		t.Errorf("%v, %v", err, names(t, dir))
	}
	if err := WriteFile(filepath.Join(dir, "no", "x"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func TestTempIsPrivateAndGoes(t *testing.T) {
	dir := t.TempDir()
	f, err := Temp(dir)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := f.Stat(); err != nil || fi.Mode() != 0o600 {
		t.Errorf("%v %v", fi.Mode(), err)
	}
	Discard(f)
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	f, err = Temp(dir)
	if err != nil {
		t.Fatal(err)
	}
	f.Close() // what is not on disk for sure gets no name
	if err := Commit(f, filepath.Join(dir, "x"), 0o600); err == nil || len(names(t, dir)) != 0 {
		t.Errorf("%v, %v", err, names(t, dir))
	}
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x")
	if err := errors.Join(WriteFile(name, nil, 0o600), Remove(name), Remove(name)); err != nil || len(names(t, dir)) != 0 {
		t.Errorf("%v, %v", err, names(t, dir))
	}
	if err := Remove(filepath.Join(dir, "no", "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// What a killed run leaves is hidden, and goes without anything else.
func TestRemoveLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x", ".x.new-12", ".x.new-34", ".y.new-12", "x.new-1", ".x.new"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := RemoveLeftovers(filepath.Join(dir, "x"))
	if got := names(t, dir); err != nil || !slices.Equal(got, []string{".x.new", ".y.new-12", "x", "x.new-1"}) {
		t.Errorf("%v %v", got, err)
	}
	if err := RemoveLeftovers(filepath.Join(dir, "no", "x")); err != nil {
		t.Errorf("no directory: %v", err)
	}
}

func TestSyncDirThatIsNotThere(t *testing.T) {
	if err := SyncDir(filepath.Join(t.TempDir(), "no")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
