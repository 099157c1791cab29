package upload

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func byDevice(dev uint64, _ int) uint64 { return dev }

// The identity of a file is the same from statx and from os.Lstat.
func TestStatHasTheIdentityOfLstat(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/x", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Lstat(dir + "/x")
	if err != nil {
		t.Fatal(err)
	}
	st, err := Lstat(dir, "x", byDevice)
	if err != nil || st.Identity != IdentityOf(fi, st.Dev) || st.Size != 1 || st.Ctime == 0 || !st.Regular() || st.IsDir() {
		t.Errorf("%+v, %v; os.Lstat says %+v", st, err, IdentityOf(fi, 0))
	}
	if st, err := Lstat(dir, "", byDevice); err != nil || !st.IsDir() || st.Regular() {
		t.Errorf("%+v, %v", st, err)
	}
}

// Examine reports a writer, opens no named pipe, and follows no link.
func TestExamine(t *testing.T) {
	dir := t.TempDir()
	w, err := os.Create(dir + "/x")
	if err := errors.Join(err, os.Symlink("x", dir+"/link"), unix.Mkfifo(dir+"/fifo", 0o644)); err != nil {
		t.Fatal(err)
	}
	if st, held, err := Examine(dir, "x", byDevice); err != nil || !held || !st.Regular() {
		t.Errorf("open for writing: %+v, %v, %v", st, held, err)
	}
	w.Close()
	for _, name := range []string{"x", "link", "fifo"} {
		if st, held, err := Examine(dir, name, byDevice); err != nil || held || st.Regular() != (name == "x") {
			t.Errorf("%s: %+v, %v, %v", name, st, held, err)
		}
	}
	for name, want := range map[string]error{"y": unix.ENOENT, "x/y": unix.ENOTDIR, "link/y": unix.ENOTDIR, "../x": unix.EXDEV} {
		if st, _, err := Examine(dir, name, byDevice); st != nil || !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", name, st, err)
		}
	}
}
