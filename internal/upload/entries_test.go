package upload

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Entries yields every name once, with its inode number, and stops at an error of before,
// which it yields last.
func TestEntries(t *testing.T) {
	path := t.TempDir()
	want := map[string]uint64{}
	add := func(name string, err error) {
		t.Helper()
		fi, lerr := os.Lstat(filepath.Join(path, name))
		if err := errors.Join(err, lerr); err != nil {
			t.Fatal(err)
		}
		want[name] = IdentityOf(fi, 0).Ino
	}
	for i := range 2000 { // more than one system call returns
		name := fmt.Sprintf("\xff not UTF-8 %d", i)
		add(name, os.WriteFile(filepath.Join(path, name), nil, 0o644))
	}
	add("dir", os.Mkdir(filepath.Join(path, "dir"), 0o755))
	open := func() *os.File {
		t.Helper()
		dir, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dir.Close() })
		return dir
	}
	calls, seen := 0, 0
	for e, err := range Entries(open(), func() error { calls++; return nil }) {
		if seen++; err != nil || e.Ino == 0 || e.Ino != want[e.Name] || e.Name == "dir" && !e.MayBeDir {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if seen != len(want) || calls < 3 {
		t.Errorf("%d of %d entries in %d calls", seen, len(want), calls)
	}
	enough := errors.New("enough")
	calls, seen = 0, 0
	var last error
	for e, err := range Entries(open(), func() error {
		if calls++; calls > 1 {
			return enough
		}
		return nil
	}) {
		if last = err; err == nil && want[e.Name] != 0 {
			seen++
		}
	}
	if last != enough || seen == 0 || seen >= len(want) {
		t.Errorf("%d entries, then %v", seen, last)
	}
	for range Entries(open(), func() error { return nil }) {
		break
	}
}
