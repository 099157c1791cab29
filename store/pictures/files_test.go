package pictures

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"picday/internal/rendition"
)

var thumb = rendition.Spec{Name: "thumb", Longest: 400, Quality: 80}

func newFiles(t *testing.T, in func(string) *Files) *Files {
	t.Helper()
	f := in(t.TempDir())
	if made, err := f.MakeDirs(); err != nil || len(made) != 2 {
		t.Fatal(made, err)
	}
	if made, err := f.MakeDirs(); err != nil || len(made) != 0 {
		t.Fatal(made, err)
	}
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fileOf(content string) File {
	return OriginalFile(sha256.Sum256([]byte(content)), int64(len(content)))
}

func TestPutOpenListRemove(t *testing.T) {
	f := newFiles(t, In)
	want := fileOf("A")
	small := Rendition(want.Picture, thumb)
	if _, err := f.Open(want.Name); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	temp, err := f.Temp()
	must(t, err)
	_, err = temp.WriteString("A")
	must(t, err)
	if f.Has(want.Name, 1) {
		t.Error("has its name before Put")
	}
	must(t, f.Put(temp, want.Name))
	must(t, f.Write(small, []byte("small")))
	must(t, f.Sync(want.Name, small))
	must(t, f.SyncAll())
	if !f.Has(want.Name, 1) || f.Has(want.Name, 2) || !f.Has(small, 5) {
		t.Error("Has")
	}
	if fi, err := f.Stat(small); err != nil || fi.Mode().Perm() != 0o440 {
		t.Error(fi, err)
	}
	if all, err := f.List(want.Picture[0]); err != nil || len(all) != 2 || all[0] != want.Name || all[1] != small || !small.Ours() {
		t.Error(all, err)
	}
	var got bytes.Buffer
	if err := f.Read(t.Context(), want, &got); err != nil || got.String() != "A" {
		t.Error(got.String(), err)
	}
	open, err := f.Open(want.Name)
	must(t, err)
	defer open.Close()
	must(t, f.Remove(want.Name))
	must(t, f.Remove(want.Name))
	if n, err := open.Read(make([]byte, 9)); n != 1 || err != nil {
		t.Error("removed while it was open:", n, err)
	}
	if left, _ := os.ReadDir(filepath.Join(f.dir, tempDir)); len(left) != 0 {
		t.Error(left)
	}
}

func TestTempFilesThatNobodyPuts(t *testing.T) {
	f := newFiles(t, In)
	temp, err := f.Temp()
	must(t, err)
	f.Discard(temp)
	if temp, err = f.Temp(); err != nil {
		t.Fatal(err)
	}
	must(t, os.RemoveAll(filepath.Join(f.dir, originalsDir)))
	if err := f.Put(temp, fileOf("A").Name); err == nil || errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Join(f.dir, tempDir)); len(left) != 0 {
		t.Error(left)
	}
	_, err = f.Temp()
	must(t, err)
	must(t, f.ClearTemp())
	if left, _ := os.ReadDir(filepath.Join(f.dir, tempDir)); len(left) != 0 {
		t.Error(left)
	}
}

// Only what is whole and right is copied, and a good file is never replaced by
// another one.
func TestCopy(t *testing.T) {
	from, to := newFiles(t, In), newFiles(t, Private)
	want := fileOf("A")
	put := func(content string) {
		must(t, from.Remove(want.Name))
		must(t, from.Write(want.Name, []byte(content)))
	}
	expect := func(what string, want error, is error) {
		t.Helper()
		if !errors.Is(is, want) {
			t.Errorf("%s: %v", what, is)
		}
	}
	expect("not there", ErrMissing, to.Copy(t.Context(), from, want))
	put("B")
	expect("another one", ErrDamaged, to.Copy(t.Context(), from, want))
	put("AA")
	expect("too long", ErrDamaged, to.Copy(t.Context(), from, want))
	must(t, from.Remove(want.Name))
	must(t, os.Symlink("/etc/passwd", from.Path(want.Name)))
	expect("a link", ErrDamaged, to.Copy(t.Context(), from, want))
	must(t, from.Remove(want.Name))
	must(t, syscall.Mkfifo(from.Path(want.Name), 0o666))
	expect("a queue", ErrDamaged, to.Copy(t.Context(), from, want))
	if _, err := to.Stat(want.Name); !errors.Is(err, ErrMissing) {
		t.Error("copied all the same:", err)
	}
	put("A")
	must(t, os.Remove(filepath.Dir(to.Path(want.Name))))
	must(t, to.Copy(t.Context(), from, want))
	if fi, err := to.Stat(want.Name); err != nil || fi.Mode().Perm() != 0o600 {
		t.Error(fi, err)
	}
	put("B")
	expect("another one", ErrDamaged, to.Copy(t.Context(), from, want))
	if !to.Has(want.Name, 1) || to.Read(t.Context(), want, &bytes.Buffer{}) != nil {
		t.Error("the good copy is gone")
	}
	// That the target has no place is not to be taken for a missing source.
	must(t, os.RemoveAll(filepath.Join(to.dir, tempDir)))
	put("A")
	if err := to.Copy(t.Context(), from, want); err == nil || errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func TestListDoesNotFollowLinks(t *testing.T) {
	f := newFiles(t, In)
	stray := filepath.Join(f.dir, originalsDir, "00", "letter.txt")
	must(t, os.WriteFile(stray, nil, 0o600))
	if all, err := f.List(0); err != nil || len(all) != 1 || all[0].Ours() {
		t.Error(all, err)
	}
	must(t, os.Remove(filepath.Join(f.dir, renditionsDir, "00")))
	if _, err := f.List(0); err != nil {
		t.Error("a directory that is not there:", err)
	}
	must(t, os.Symlink(t.TempDir(), filepath.Join(f.dir, renditionsDir, "00")))
	if _, err := f.List(0); err == nil || !strings.Contains(err.Error(), "renditions/00") {
		t.Error(err)
	}
}
