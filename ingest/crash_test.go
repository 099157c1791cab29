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

	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
)

// A daemon that ends between any two steps loses no photo and leaves no file behind: the
// next one publishes one photo with its files, and there are no others. The test ends a
// daemon by doing nothing more, because a killed process leaves only what is on disk.
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
			f, _ := b.settled(b.file(path))
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
				original, err := b.derive(t.Context(), f.Account, c)
				b.must(err)
				if n < 3 {
					return
				}
				b.must(b.putOriginal(c))
				v := b.publish(f, original, nil)
				if n < 4 {
					return
				}
				if n == 4 { // at the end of the transaction, before its commit
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
			b.noTempFiles()
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

// If the disk is full, no partial file is kept, no problem is recorded, and the upload is
// retried. It is taken once the disk has room.
func TestFullDiskIsTriedAgain(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.write(path, whole)
	sha := b.original(whole)
	for name, c := range map[string]struct{ spoil, mend func() }{
		"copy":         {func() {}, func() {}},
		"no temporary": {func() { b.must(os.Rename(b.temp(), b.temp()+"~")) }, func() { b.must(os.Rename(b.temp()+"~", b.temp())) }},
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
		b.noTempFiles()
	}
	if b.settle(path); b.photo(path) == nil {
		t.Error("not taken when there was room")
	}
}

// A file is retried, and no problem is recorded, if too many files are open.
func TestSystemErrorIsNoProblemOfTheFile(t *testing.T) {
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

func (b *bed) temp() string { return filepath.Join(b.cfg.DataDir, "tmp") }

func (b *bed) original(data []byte) string { h := sha256.Sum256(data); return hexOf(h[:]) }

// onSmallDisk runs fn while the temporary directory has room for half a picture. Only the
// thread that runs fn sees the mount, which ends with the thread.
func (b *bed) onSmallDisk(fn func()) {
	if os.Geteuid() != 0 {
		b.TB.Skip("needs root")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := errors.Join(syscall.Unshare(syscall.CLONE_NEWNS), syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
			syscall.Mount("small", b.temp(), "tmpfs", 0, fmt.Sprintf("size=%d", len(whole)/2)))
		if err == nil {
			fn()
			b.noTempFiles()
		}
		done <- err
	}()
	b.must(<-done)
}

// plug returns how to replace the directory of a picture by a file, and how to undo that.
func (b *bed) plug(kind, sha string) struct{ spoil, mend func() } {
	dir := filepath.Join(b.cfg.DataDir, kind, sha[:2])
	return struct{ spoil, mend func() }{
		func() { b.must(os.Remove(dir)); b.must(os.WriteFile(dir, nil, 0o600)) },
		func() {
			b.must(os.Remove(dir))
			b.must(os.Mkdir(dir, 0o750))
			for name := range maps.Keys(b.kept("renditions")) { // they were made before the original failed
				b.must(os.Remove(name))
			}
		},
	}
}

// If workers take one picture at several paths at once, all are published, and the files of
// the picture exist once.
func TestTheSamePictureAtOnce(t *testing.T) {
	b := newBed(t)
	var paths []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		paths = append(paths, "acme/job1/x/"+name+".jpg")
		b.write(paths[len(paths)-1], whole)
	}
	b.running(func(files chan<- upload.File, done <-chan bool) {
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
