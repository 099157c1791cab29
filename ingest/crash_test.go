package ingest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"picday/internal/testphoto"
)

// A daemon that ends between any two steps loses nothing and leaves nothing:
// the next one comes to one photo with its files, and no others. An end is
// to do nothing more: what a killed process leaves is what is on disk.
func TestEndBetweenAnyTwoSteps(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	steps := []string{"opened", "copied", "rendered", "kept", "decided", "committed"}
	for n, step := range steps {
		for _, overwrite := range []bool{false, true} {
			b := newBed(t)
			link, olds := "", 0
			if overwrite {
				b.write(path, testphoto.Tiny(1))
				b.settle(path)
				link, olds = b.photo(path).Link, 1
			}
			b.write(path, whole)
			f := b.file(path)
			a, _ := b.account("acme")
			func() {
				upload, err := openUpload(b.at("acme"), f.Path)
				b.must(err)
				defer upload.Close()
				if n < 1 {
					return
				}
				c, err := b.copy(upload)
				b.must(err)
				defer c.temp.Close()
				if n < 2 {
					return
				}
				original, err := b.derive(t.Context(), a.Name, c)
				b.must(err)
				if n < 3 {
					return
				}
				b.must(b.settleOriginal(c))
				v := b.publish(a, f, placeOf(f.Path, a.rules.Of(f.Path)), original, nil)
				if n < 4 {
					return
				}
				if n == 4 { // in the transaction, before its commit
					err := b.Store.Update(t.Context(), failAfter(v))
					if !errors.Is(err, errEnd) {
						t.Fatal(err)
					}
					return
				}
				b.apply(v)
			}()
			if p := b.photo(path); (p != nil && p.SHA == sha256.Sum256(whole)) != (n == 5) || overwrite && p == nil {
				t.Errorf("%s: published %+v", step, p)
			}
			b.restart()
			b.nothingHalf()
			if b.settle(path) {
				t.Errorf("%s: again", step)
			}
			p := b.photo(path)
			if p == nil || p.SHA != sha256.Sum256(whole) || overwrite && p.Link != link {
				t.Errorf("%s: %+v", step, p)
			}
			if o, r := len(b.kept("originals")), len(b.kept("renditions")); o != 1+olds || r != 2+2*olds {
				t.Errorf("%s: %d originals, %d renditions", step, o, r)
			}
			b.settle(path)
		}
	}
}

// A disk that takes no more: nothing half is kept or said, and it is tried
// again. When there is room the same file is taken.
func TestFullDiskIsTriedAgain(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.write(path, whole)
	sha := b.original(whole)
	for name, c := range map[string]struct{ spoil, mend func() }{
		"copy":         {func() {}, func() {}},
		"no temporary": {func() { b.must(os.Rename(b.Store.TempDir(), b.Store.TempDir()+"~")) }, func() { b.must(os.Rename(b.Store.TempDir()+"~", b.Store.TempDir())) }},
		"rendition":    b.plug("renditions", sha),
		"original":     b.plug("originals", sha),
	} {
		c.spoil()
		var v verdict
		if name == "copy" {
			b.onSmallDisk(func() { v = b.take(t.Context(), b.file(path)) })
		} else {
			v = b.take(t.Context(), b.file(path))
		}
		c.mend()
		if !v.again || v.delay == 0 || v.apply != nil {
			t.Errorf("%s: %+v", name, v)
		}
		b.nothingHalf()
	}
	if b.settle(path); b.photo(path) == nil {
		t.Error("not taken when there was room")
	}
}

// Too many open files say nothing about the file.
func TestOurFaultIsNoProblemOfTheFile(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.write(path, whole)
	f := b.file(path)
	var old syscall.Rlimit
	b.must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	b.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: old.Max}))
	v := b.take(t.Context(), f)
	b.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old))
	if !v.again || v.delay == 0 || v.apply != nil {
		t.Errorf("%+v", v)
	}
}

func (b *bed) original(data []byte) string { h := sha256.Sum256(data); return hexOf(h[:]) }

// onSmallDisk runs fn where the temporary directory holds half a picture. The
// mount is seen by one thread only, and goes with it.
func (b *bed) onSmallDisk(fn func()) {
	if os.Geteuid() != 0 {
		b.Skip("needs root")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := errors.Join(syscall.Unshare(syscall.CLONE_NEWNS), syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
			syscall.Mount("small", b.Store.TempDir(), "tmpfs", 0, fmt.Sprintf("size=%d", len(whole)/2)))
		if err == nil {
			fn()
			b.nothingHalf()
		}
		done <- err
	}()
	b.must(<-done)
}

// plug puts a file where the directory of a picture was.
func (b *bed) plug(kind, sha string) struct{ spoil, mend func() } {
	dir := filepath.Join(b.cfg.DataDir, kind, sha[:2])
	return struct{ spoil, mend func() }{
		func() { b.must(os.Remove(dir)); b.must(os.WriteFile(dir, nil, 0o600)) },
		func() {
			b.must(os.Remove(dir))
			b.must(os.Mkdir(dir, 0o750))
			for name := range maps.Keys(b.kept("renditions")) { // made before the original failed
				b.must(os.Remove(name))
			}
		},
	}
}

// Two workers, one picture at many paths: all are published, and the files of
// the picture are there once.
func TestTheSamePictureAtOnce(t *testing.T) {
	b := newBed(t)
	var paths []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		paths = append(paths, "acme/job1/x/"+name+".jpg")
		b.write(paths[len(paths)-1], whole)
	}
	b.running(func(files chan<- File, done <-chan bool) {
		for _, p := range paths {
			f := b.file(p)
			go func() { files <- f }()
		}
		for range paths {
			if <-done {
				t.Error("again")
			}
		}
	})
	links := map[string]bool{}
	for _, p := range paths {
		links[b.photo(p).Link] = true
	}
	if len(links) != len(paths) || len(b.kept("originals")) != 1 || len(b.kept("renditions")) != 2 {
		t.Errorf("%d links, %v", len(links), slices.Collect(maps.Keys(b.kept("renditions"))))
	}
}
