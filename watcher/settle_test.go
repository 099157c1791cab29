package watcher

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// held scans until the watcher has asked about the file, and checks that it was not given out.
// Rescan returns only when all there is was given out or is known to be held.
func (w *world) held(rel string) {
	w.Helper()
	for range 3 {
		w.scan()
		if w.times(rel) > 0 {
			w.Fatalf("%s was given out while somebody had it open for writing", rel)
		}
		if s := w.Status(); s.Pending != 1 {
			w.Fatalf("%s is not pending: %+v", rel, s)
		}
	}
}

func TestHeldFileIsNeverGivenOut(t *testing.T) {
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

// How WinSCP finishes x.jpg.filepart against OpenSSH.
func TestLinkAndUnlink(t *testing.T) {
	w := start(t)
	w.write("job/.x.jpg.filepart")
	w.must(os.Link(w.path("job/.x.jpg.filepart"), w.path("job/x.jpg")))
	w.must(os.Remove(w.path("job/.x.jpg.filepart")))
	w.caughtUp()
	if w.times("job/x.jpg") == 0 || w.times("job/.x.jpg.filepart") != 0 {
		t.Errorf("given out: %v", w.given)
	}
}

func TestReplacedWhileHandedIsGivenOutAgain(t *testing.T) {
	w := open(t, t.TempDir())
	first, goOn := make(chan File), make(chan struct{})
	var handed atomic.Int32
	w.reader = func(f File) bool {
		if f.Path == "job/x.jpg" && handed.Add(1) == 1 {
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
	if s := w.Status(); s.Handed != 1 {
		t.Errorf("%+v", s)
	}
	close(goOn)
	w.caughtUp()
	if now := w.ledger.all()["job/x.jpg"]; now == old.Identity || handed.Load() < 2 {
		t.Errorf("handed %d times, last as %v", handed.Load(), now)
	}
}

// While a file is handed the ledger does not know it, so a scan of the directory
// that took the place of its own misses nothing.
func TestDirectoryReplacedWhileHanded(t *testing.T) {
	w := open(t, t.TempDir())
	w.mkdir("job/a")
	w.write("job/a/x.jpg")
	ended := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- w.Run(ctx) }()
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
		t.Error("nobody noticed that it is gone")
	}
	cancel()
	w.must(<-ended)
}

func TestAgainIsGivenOutAgain(t *testing.T) {
	w := open(t, t.TempDir())
	var times atomic.Int32
	w.reader = func(File) bool { return times.Add(1) < 3 }
	w.write("job/x.jpg")
	w.run()
	w.scan()
	if times.Load() != 3 {
		t.Errorf("given out %d times", times.Load())
	}
	if s := w.Status(); s.Pending+s.Handed != 0 {
		t.Errorf("%+v", s)
	}
}

// A file may be born with an old mtime, and get one long after it was closed.
func TestMtimeIsNothing(t *testing.T) {
	w := start(t)
	w.write("job/x.jpg")
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	w.must(os.Chtimes(w.path("job/x.jpg"), old, old))
	w.caughtUp()
	before := w.times("job/x.jpg")
	w.must(os.Chtimes(w.path("job/x.jpg"), old, old.Add(time.Hour)))
	w.caughtUp() // the ctime is another
	if w.times("job/x.jpg") == before {
		t.Error("not looked at again")
	}
}

// Opening a FIFO for reading would let its writer in: he must wait for ever.
func TestNothingButFilesIsOpened(t *testing.T) {
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
	odd := len(w.odd)
	w.mu.Unlock()
	if odd != 4 {
		t.Errorf("given out as not regular: %v", w.odd)
	}
	fd, err := unix.Open(w.path("job/fifo.jpg"), unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if !errors.Is(err, unix.ENXIO) {
		unix.Close(fd)
		t.Errorf("the FIFO has a reader: %v", err)
	}
}

// A directory swapped for a symbolic link must not give files out under a second path.
func TestLinksAreNotFollowed(t *testing.T) {
	w := start(t)
	w.mkdir("job/a")
	w.write("job/a/x.jpg") // pending when a is renamed
	w.rename("job/a", "job/b")
	w.must(os.Symlink("b", w.path("job/a")))
	w.caughtUp()
	w.scan()
	if w.times("job/a/x.jpg") != 0 && w.ledger.all()["job/a/x.jpg"] != (Identity{}) {
		t.Error("given out through a link")
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
	if n := len(w.ledger.all()); n != 9 { // two are noise
		t.Errorf("given out: %d", n)
	}
	w.watchesAreRight()
}

func TestHeld(t *testing.T) {
	path := t.TempDir() + "/x"
	writer, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if held, err := Held(reader); !held || err != nil {
		t.Errorf("open for writing: %v, %v", held, err)
	}
	writer.Close()
	if held, err := Held(reader); held || err != nil {
		t.Errorf("closed: %v, %v", held, err)
	}
	proc, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer proc.Close()
	if held, err := Held(proc); held {
		t.Errorf("proc: %v, %v", held, err)
	}
}

func TestIdentityOfIsWhatTheWatcherSees(t *testing.T) {
	path := t.TempDir() + "/x"
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	st, err := (&tree{key: byDevice}).statAt(unix.AT_FDCWD, path)
	if err != nil || st.Identity != identityOf(fi) || st.Size != 1 || st.Ctime == 0 {
		t.Errorf("%+v, %v; os says %+v", st, err, identityOf(fi))
	}
}
