package filestate_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"picday/internal/filestate"
	"picday/internal/test/uploads"
)

func TestLook(t *testing.T) {
	s := uploads.New(t)
	base := s.At("acme")
	s.Write("acme/job1/A/x.jpg", "content")
	s.Write("acme/job1/A/\xff\xfe.jpg", "not UTF-8")
	s.Must(os.Symlink("x.jpg", s.At("acme/job1/A/link.jpg")))
	s.Must(os.Symlink("A", s.At("acme/job1/B")))
	s.Must(os.Symlink("/etc", s.At("acme/job1/C")))
	s.Must(unix.Mkfifo(s.At("acme/job1/A/pipe.jpg"), 0o644))
	look := func(path string) filestate.File { return filestate.Look(base, path, s.Volumes) }

	for _, path := range []string{"job1/A/x.jpg", "job1/A/\xff\xfe.jpg"} {
		f := look(path)
		fi, err := os.Lstat(filepath.Join(base, path))
		s.Must(err)
		if want := s.Volumes.IdentityOf(fi, base); !f.Exists || !f.Regular || f.Dir || f.Writing != filestate.No || f.Identity != want || f.Err != nil {
			t.Errorf("%q: %+v", path, f)
		}
		if f := filestate.Stat(base, path, s.Volumes); f.Writing != filestate.NotAsked || !f.Regular {
			t.Errorf("%q: %+v", path, f)
		}
	}
	for _, path := range []string{"job1/A/link.jpg", "job1/A/pipe.jpg"} {
		if f := look(path); !f.Exists || f.Regular || f.Dir || f.Writing != filestate.NotAsked {
			t.Errorf("%s: %+v", path, f)
		}
	}
	if f := look("job1/A"); !f.Exists || !f.Dir || f.Regular {
		t.Errorf("%+v", f)
	}
	for _, path := range []string{
		"job1/A/y.jpg", "job9/A/x.jpg", "job1/A/x.jpg/y", "../lincoln/lincoln", "job1/A/\x00.jpg", "job1/A/" + strings.Repeat("x", 300),
		"job1/B/x.jpg", "job1/C/passwd", // picdayd follows no link
	} {
		if f := look(path); f != (filestate.File{}) {
			t.Errorf("%q: %+v", path, f)
		}
	}
	if f := filestate.Look(s.At("nobody"), "job1/A/x.jpg", s.Volumes); f != (filestate.File{}) {
		t.Errorf("%+v", f)
	}
	if os.Geteuid() == 0 {
		return
	}
	s.Must(os.Chmod(s.At("acme/job1/A"), 0))
	defer os.Chmod(s.At("acme/job1/A"), 0o755)
	if f := look("job1/A/x.jpg"); f.Exists || !errors.Is(f.Err, fs.ErrPermission) {
		t.Errorf("%+v", f)
	}
}

func TestLookWhileSomebodyWrites(t *testing.T) {
	s := uploads.New(t)
	s.Write("acme/job1/A/x.jpg", "content")
	w, err := os.OpenFile(s.At("acme/job1/A/x.jpg"), os.O_WRONLY, 0)
	s.Must(err)
	look := func() filestate.Writing { return filestate.Look(s.At("acme"), "job1/A/x.jpg", s.Volumes).Writing }
	if got := look(); got != filestate.Yes {
		t.Errorf("open for writing: %v", got)
	}
	s.Must(w.Close())
	if got := look(); got != filestate.No {
		t.Errorf("closed: %v", got)
	}
	r, err := os.Open(s.At("acme/job1/A/x.jpg"))
	s.Must(err)
	defer r.Close()
	if got := look(); got != filestate.No {
		t.Errorf("open for reading: %v", got)
	}
}

func TestWalk(t *testing.T) {
	s := uploads.New(t)
	for _, path := range []string{"a.jpg", "A/b.jpg", "A/group/c.jpg", "A/@eaDir/d.jpg", "\xff/e.jpg", "1/2/3/4/5/6/f.jpg", "1/2/3/4/5/6/7/g.jpg"} {
		s.Write("acme/job1/"+path, "x")
	}
	s.Must(os.Symlink("A", s.At("acme/job1/link")))
	var all []string
	enter := func(name string) bool { return name != "@eaDir" }
	s.Must(filestate.Walk(s.At("acme"), "job1", enter, func(dir string, names []string, err error) error {
		for _, name := range names {
			all = append(all, dir+"/"+name)
		}
		return err
	}))
	slices.Sort(all)
	want := []string{
		"job1/1/2/3/4/5/6/7", "job1/1/2/3/4/5/6/f.jpg",
		"job1/A/@eaDir", "job1/A/b.jpg", "job1/A/group/c.jpg", "job1/a.jpg", "job1/link", "job1/\xff/e.jpg",
	}
	if !slices.Equal(all, want) {
		t.Errorf("%q", all)
	}
	stop := errors.New("stop")
	for dir, want := range map[string]error{"job1": stop, "job9": fs.ErrNotExist, "job1/link": unix.ENOTDIR} {
		got := filestate.Walk(s.At("acme"), dir, enter, func(_ string, _ []string, err error) error {
			if err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(got, want) {
			t.Errorf("%s: %v", dir, got)
		}
	}
}
