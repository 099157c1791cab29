package importer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/failure"
	"picday/internal/test/uploads"
	"picday/store"
)

// newImport has two photos for job1 in a source, and what is none.
func newImport(t *testing.T) (*Import, *uploads.Site) {
	s := uploads.New(t)
	x := &Import{
		Store: s.Store, Trees: s.Trees, DataDir: s.DataDir, Account: s.Acme,
		UID: os.Getuid(), GID: os.Getgid(), Job: "job1", Source: t.TempDir(),
	}
	for name, content := range map[string]string{"A/1.jpg": "one", "A/individuals/2.jpg": "two", "A/notes.txt": "text", "Thumbs.db": "x", "loose.jpg": "no album"} {
		put(t, filepath.Join(x.Source, name), content)
	}
	return x, s
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, x *Import) string {
	t.Helper()
	report, err := x.Run(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(report, "\n"))
	}
	return strings.Join(report, "\n")
}

func has(t *testing.T, path, content string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || string(text) != content {
		t.Errorf("%s: %q, %v", path, text, err)
	}
}

func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); err == nil {
		t.Errorf("%s is there", path)
	}
}

const others = "1 left behind by computers and programs: Thumbs.db\n2 not photos at a place for photos: A/notes.txt, loose.jpg\n"

func TestPhotosAreCopiedOnceAsTheAccounts(t *testing.T) {
	x, s := newImport(t)
	x.DryRun = true
	if got := run(t, x); got != others+"2 of 2 photos would be copied (6 bytes), 0 were there already" {
		t.Error(got)
	}
	gone(t, s.At("acme/job1/A"))
	x.DryRun = false
	if got := run(t, x); got != others+"2 of 2 photos copied (6 bytes), 0 were there already" {
		t.Error(got)
	}
	has(t, s.At("acme/job1/A/1.jpg"), "one")
	has(t, s.At("acme/job1/A/individuals/2.jpg"), "two")
	for path, mode := range map[string]os.FileMode{"acme/job1/A": 0o750, "acme/job1/A/1.jpg": 0o640} {
		if fi, err := os.Lstat(s.At(path)); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, fi.Mode(), err)
		}
	}
	gone(t, s.At("acme/job1/loose.jpg"))
	before, err := os.Lstat(s.At("acme/job1/A/1.jpg"))
	s.Must(err)
	// Another time of change: the content decides.
	s.Must(os.Chtimes(s.At("acme/job1/A/individuals/2.jpg"), time.Now(), time.Now()))
	if got := run(t, x); got != others+"0 of 2 photos copied (0 bytes), 2 were there already" {
		t.Error(got)
	}
	if after, err := os.Lstat(s.At("acme/job1/A/1.jpg")); err != nil || !os.SameFile(before, after) {
		t.Errorf("copied again: %v", err)
	}
}

func TestAFileWithOtherContentStaysAndTheOthersAreCopied(t *testing.T) {
	for what, there := range map[string]func(path string) error{
		"other content": func(path string) error { // at another time: the same size and time would be the same file
			return errors.Join(os.WriteFile(path, []byte("0ne"), 0o644), os.Chtimes(path, time.Now(), time.Now().Add(-time.Hour)))
		},
		"other size":  func(path string) error { return os.WriteFile(path, []byte("longer"), 0o644) },
		"a link":      func(path string) error { return os.Symlink("/etc/passwd", path) },
		"a dead link": func(path string) error { return os.Symlink("nothing", path) },
		"a queue":     func(path string) error { return unix.Mkfifo(path, 0o644) },
		"a folder":    func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		x, s := newImport(t)
		path := s.At("acme/job1/A/1.jpg")
		s.Must(errors.Join(os.Mkdir(s.At("acme/job1/A"), 0o755), there(path)))
		before, err := os.Lstat(path)
		s.Must(err)
		report, err := x.Run(t.Context())
		if !failure.IsRefusal(err) || !strings.Contains(strings.Join(report, "\n"), "1 files with other content were in the way: job1/A/1.jpg\n1 of 2 photos copied") {
			t.Errorf("%s: %q, %v", what, report, err)
		}
		if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s was replaced: %v", what, err)
		}
	}
}

// Neither in the source nor in the tree does a link lead anywhere.
func TestNoLinkIsFollowed(t *testing.T) {
	x, s := newImport(t)
	elsewhere := t.TempDir()
	put(t, filepath.Join(elsewhere, "secret.jpg"), "secret")
	s.Must(errors.Join(
		os.Symlink(elsewhere+"/secret.jpg", x.Source+"/A/link.jpg"), os.Symlink(elsewhere, x.Source+"/B"), os.Symlink("1.jpg", x.Source+"/A/inside.jpg"),
		unix.Mkfifo(x.Source+"/A/queue.jpg", 0o644), os.Symlink(elsewhere, s.At("acme/job1/C"))))
	put(t, x.Source+"/C/3.jpg", "three")
	report, err := x.Run(t.Context())
	text := strings.Join(report, "\n")
	if err == nil || failure.IsRefusal(err) || !strings.Contains(text, "4 links, devices and the like: A/inside.jpg, A/link.jpg, A/queue.jpg, B\n") ||
		!strings.Contains(text, "1 could not be copied: C/3.jpg") || !strings.Contains(text, "2 of 3 photos copied") {
		t.Errorf("%s\n%v", text, err)
	}
	gone(t, elsewhere+"/3.jpg")
	gone(t, s.At("acme/job1/B"))
	gone(t, s.At("acme/job1/A/link.jpg"))
}

// An uploader exchanges the folder for a link to another place, again and again.
func TestAnUploaderWhoRenamesMeanwhileLeadsNothingOut(t *testing.T) {
	x, s := newImport(t)
	elsewhere := t.TempDir()
	for i := range 200 {
		put(t, filepath.Join(x.Source, "A", strings.Repeat("x", i+1)+".jpg"), "picture")
	}
	s.Must(errors.Join(os.Mkdir(s.At("acme/job1/A"), 0o755), os.Symlink(elsewhere, s.At("acme/job1/L"))))
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, s.At("acme/job1/A"), unix.AT_FDCWD, s.At("acme/job1/L"), unix.RENAME_EXCHANGE)
			}
		}
	}()
	_, err := x.Run(t.Context())
	close(stop)
	<-ended
	entries, rerr := os.ReadDir(elsewhere)
	if len(entries) > 0 || rerr != nil {
		t.Errorf("%d files were led out; %v, %v", len(entries), err, rerr)
	}
}

func TestWhatIsInterruptedGoesOn(t *testing.T) {
	x, s := newImport(t)
	ctx, cancel := context.WithCancel(t.Context())
	x.Progress = func(int, int) { cancel() }
	report, err := x.Run(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(strings.Join(report, "\n"), "1 of 2 photos copied (3 bytes), 0 were there already\nrun the same") {
		t.Errorf("%q, %v", report, err)
	}
	if got := run(t, x); !strings.HasSuffix(got, "1 of 2 photos copied (3 bytes), 1 were there already") {
		t.Error(got)
	}
	has(t, s.At("acme/job1/A/individuals/2.jpg"), "two")
}

func TestEachFolderIsAJobWithoutOne(t *testing.T) {
	x, s := newImport(t)
	x.Job, x.Source = "", t.TempDir()
	put(t, x.Source+"/job1/A/1.jpg", "one")
	put(t, x.Source+"/job 9/A/1.jpg", "nine")
	_, err := x.Run(t.Context())
	if !failure.IsRefusal(err) || !strings.Contains(err.Error(), "picday job add acme 'job 9'\n") {
		t.Error(err)
	}
	gone(t, s.At("acme/job1/A"))
	s.Must(os.RemoveAll(x.Source + "/job 9"))
	run(t, x)
	has(t, s.At("acme/job1/A/1.jpg"), "one")
	s.SetJobState("job1", store.Active)
	if _, err := x.Run(t.Context()); !failure.IsRefusal(err) || !strings.Contains(err.Error(), "picday job plan acme job1") {
		t.Error(err)
	}
	s.SetJobState("job1", store.Planned)
	s.Must(os.RemoveAll(s.At("acme/job1")))
	if report, err := x.Run(t.Context()); !failure.IsRefusal(err) || !strings.Contains(strings.Join(report, "\n"), "0 of 1 photos copied") {
		t.Errorf("without the job's folder: %q, %v", report, err)
	}
}

func TestASchoolsPictures(t *testing.T) {
	x, s := newImport(t)
	x.Account, x.Job, x.Source = s.Lincoln, "", t.TempDir()
	put(t, x.Source+"/201212012.jpg", "a face")
	put(t, x.Source+"/holiday photo.jpg", "none")
	if got := run(t, x); got != "1 not photos at a place for photos: holiday photo.jpg\n1 of 1 photos copied (6 bytes), 0 were there already" {
		t.Error(got)
	}
	has(t, s.At("lincoln/lincoln/user-pictures/201212012.jpg"), "a face")
	x.Job = "job1"
	if _, err := x.Run(t.Context()); !failure.IsUsage(err) {
		t.Error(err)
	}
}

func TestWhatIsRefusedAtOnce(t *testing.T) {
	x, s := newImport(t)
	for what, source := range map[string]string{"its own uploads": s.UploadDir + "/acme", "above them": filepath.Dir(s.UploadDir), "its own data": s.DataDir} {
		x.Source = source
		if report, err := x.Run(t.Context()); !failure.IsRefusal(err) || len(report) > 0 {
			t.Errorf("%s: %q, %v", what, report, err)
		}
	}
	x.Source = "/nonexistent"
	if _, err := x.Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	x.Job = "jub1"
	if _, err := x.Run(t.Context()); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
