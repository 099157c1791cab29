package watcher

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"picday/internal/upload"

	"golang.org/x/sys/unix"
)

// held scans three times, and checks that the file was not sent. Rescan returns only when
// each file was sent or is known to be open for writing.
func (w *world) held(rel string) {
	w.Helper()
	for range 3 {
		w.scan()
		if w.times(rel) > 0 {
			w.Fatalf("%s was sent while it was open for writing", rel)
		}
		if s := w.Status(); s.Pending != 1 {
			w.Fatalf("%s is not pending: %+v", rel, s)
		}
	}
}

func TestHeldFileIsNeverSent(t *testing.T) {
	for name, hold := range map[string]func(w *world, path string) (release func()){
		"idle writer": func(w *world, path string) func() {
			f, err := os.Create(path)
			w.must(err)
			return func() { f.Close() }
		},
		"slow writer": func(w *world, path string) func() {
			f, err := os.Create(path)
			w.must(err)
			for range 4 {
				_, err := f.Write(make([]byte, 1000))
				w.must(err)
				w.held("job/x.jpg")
			}
			return func() { f.Close() }
		},
		"preallocated": func(w *world, path string) func() {
			f, err := os.Create(path)
			w.must(err)
			w.must(unix.Fallocate(int(f.Fd()), 0, 0, 1<<20))
			return func() {
				w.must(f.Truncate(1234))
				f.Close()
			}
		},
		"opened again after its end": func(w *world, path string) func() {
			w.must(os.WriteFile(path, []byte("half"), 0o644))
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			w.must(err)
			return func() {
				_, err := f.WriteString("other half")
				w.must(err)
				f.Close()
			}
		},
		"mapped": func(w *world, path string) func() {
			f, err := os.Create(path)
			w.must(err)
			w.must(f.Truncate(4096))
			m, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_WRITE, unix.MAP_SHARED)
			w.must(err)
			f.Close()
			return func() { w.must(unix.Munmap(m)) }
		},
		"renamed while open": func(w *world, path string) func() {
			f, err := os.Create(path + "~")
			w.must(err)
			w.must(os.Rename(path+"~", path))
			return func() { f.Close() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			release := hold(w, w.path("job/x.jpg"))
			w.held("job/x.jpg")
			release()
			w.caughtUp()
		})
	}
}

// A link and an unlink, by which WinSCP finishes x.jpg.filepart on OpenSSH, are one upload.
func TestLinkAndUnlink(t *testing.T) {
	w := start(t)
	w.write("job/.x.jpg.filepart")
	w.must(os.Link(w.path("job/.x.jpg.filepart"), w.path("job/x.jpg")))
	w.must(os.Remove(w.path("job/.x.jpg.filepart")))
	w.caughtUp()
	if w.times("job/x.jpg") == 0 || w.times("job/.x.jpg.filepart") != 0 {
		t.Errorf("sent: %v", w.sent)
	}
}

func TestReplacedInFlightIsSentAgain(t *testing.T) {
	w := open(t, t.TempDir())
	first, goOn := make(chan upload.File), make(chan struct{})
	var sends atomic.Int32
	w.reader = func(f upload.File) bool {
		if f.Path == "job/x.jpg" && sends.Add(1) == 1 {
			first <- f
			<-goOn
		}
		return false
	}
	w.run()
	w.write("job/x.jpg")
	old := <-first
	w.write("job/.new")
	w.rename("job/.new", "job/x.jpg")
	if s := w.Status(); s.InFlight != 1 {
		t.Errorf("%+v", s)
	}
	close(goOn)
	w.caughtUp()
	if now := w.ledger.all()["job/x.jpg"]; now == old.Identity || sends.Load() < 2 {
		t.Errorf("sent %d times, last as %v", sends.Load(), now)
	}
}

// A directory that is replaced while its file is in flight causes a hint. A scan cannot
// report the file as missing, because the ledger does not know it yet.
func TestDirectoryReplacedInFlight(t *testing.T) {
	w := open(t, t.TempDir())
	w.mkdir("job/a")
	w.write("job/a/x.jpg")
	ended := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- w.Run(ctx, w.ledger) }()
	hinted := make(chan struct{})
	go func() {
		for g := range w.Gone() {
			if g.Path == "job/a/x.jpg" {
				close(hinted)
				return
			}
		}
	}()
	f := <-w.Settled()
	w.rename("job/a", "job/.b")
	w.mkdir("job/a")
	w.watchesAreRight()
	w.ledger.put(f.Path, f.Identity)
	w.Done(f, false)
	select {
	case <-hinted:
	case <-time.After(time.Minute):
		t.Error("no hint that it is missing")
	}
	cancel()
	w.must(<-ended)
}

func TestAgainIsSentAgain(t *testing.T) {
	w := open(t, t.TempDir())
	var times atomic.Int32
	w.reader = func(upload.File) bool { return times.Add(1) < 3 }
	w.write("job/x.jpg")
	w.run()
	w.scan()
	if times.Load() != 3 {
		t.Errorf("sent %d times", times.Load())
	}
	if s := w.Status(); s.Pending+s.InFlight != 0 {
		t.Errorf("%+v", s)
	}
}

// The mtime is ignored, because clients set it: at once or long after the upload.
func TestMtimeIsIgnored(t *testing.T) {
	w := start(t)
	w.write("job/x.jpg")
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	w.must(os.Chtimes(w.path("job/x.jpg"), old, old))
	w.caughtUp()
	before := w.times("job/x.jpg")
	w.must(os.Chtimes(w.path("job/x.jpg"), old, old.Add(time.Hour)))
	w.caughtUp() // Chtimes changes the ctime
	if w.times("job/x.jpg") == before {
		t.Error("not sent again after a new ctime")
	}
}

// Only regular files are opened. If the watcher opened a FIFO, its writer's open would
// succeed.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making a device node needs root")
	}
	w := start(t)
	w.write("job/real")
	w.must(unix.Mkfifo(w.path("job/fifo.jpg"), 0o666))
	w.must(os.Symlink("real", w.path("job/link.jpg")))
	w.must(os.Symlink("/etc", w.path("job/etc")))
	w.must(unix.Mknod(w.path("job/null.jpg"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	w.caughtUp()
	w.mu.Lock()
	n := len(w.irregular)
	w.mu.Unlock()
	if n != 4 {
		t.Errorf("sent as not regular: %v", w.irregular)
	}
	fd, err := unix.Open(w.path("job/fifo.jpg"), unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if !errors.Is(err, unix.ENXIO) {
		unix.Close(fd)
		t.Errorf("the FIFO has a reader: %v", err)
	}
}

// A file is not sent under a second path if a symbolic link takes the place of its
// directory.
func TestLinksAreNotFollowed(t *testing.T) {
	w := start(t)
	w.mkdir("job/a")
	w.write("job/a/x.jpg") // pending when a is renamed
	w.rename("job/a", "job/b")
	w.must(os.Symlink("b", w.path("job/a")))
	w.caughtUp()
	w.scan()
	if w.times("job/a/x.jpg") != 0 && w.ledger.all()["job/a/x.jpg"] != (upload.Identity{}) {
		t.Error("sent through a link")
	}
}

func TestHostileNames(t *testing.T) {
	w := start(t)
	for _, name := range []string{
		"new\nline", "\xff\xfe not UTF-8", "-rf", "...x"[1:], "with space ", `back\slash`, "glob*?[", "...",
		string(bytes.Repeat([]byte("ä"), 127)), string(bytes.Repeat([]byte("n"), 255)), "a\u0308",
	} {
		w.mkdir("job/" + name)
		w.write("job/" + name + "/" + name)
	}
	w.caughtUp()
	if n := len(w.ledger.all()); n != 9 { // two have ignored names
		t.Errorf("sent: %d", n)
	}
	w.watchesAreRight()
}
