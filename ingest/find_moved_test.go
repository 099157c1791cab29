package ingest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
)

// Find returns the path of the file with that inode and picture, wherever in its job it is.
func TestFindReturnsTheMovedFile(t *testing.T) {
	b := newBed(t)
	const path = "job1/x/a.jpg"
	data := testphoto.Tiny(1)
	b.write("acme/"+path, data)
	id := b.file("acme/" + path).Identity
	sha := store.SHA(shaOf(data))
	find := func(sha store.SHA) (at string) {
		b.must(b.withDisk(nil, func(d store.Disk) error {
			if is, p := d.Find(t.Context(), "acme", path, id, sha); is == store.There {
				at = p
			}
			return nil
		}))
		return at
	}
	if at := find(sha); at != "" {
		t.Errorf("found at %s, from where it was not moved", at)
	}
	b.must(os.Rename(b.at("acme/"+path), b.at("acme/job1/x/.a.jpg.tmp")))
	if at := find(sha); at != "" {
		t.Errorf("found at %s, which is an ignored name", at)
	}
	b.must(os.Rename(b.at("acme/job1/x/.a.jpg.tmp"), b.at("acme/"+path)))
	for _, to := range []string{"job1/x/b.jpg", "job1/b.jpg", "job1/y/group/deep/b.jpg"} {
		b.must(os.MkdirAll(b.at("acme/job1/y/group/deep"), 0o755))
		b.must(os.Rename(b.at("acme/"+path), b.at("acme/"+to)))
		b.write("acme/"+path, testphoto.Tiny(2))
		for i := range 500 { // more names than one system call returns
			b.must(os.WriteFile(b.at("acme/job1/y/"+strings.Repeat("n", 100)+string(rune('0'+i%10))+string(rune('0'+i/10%10))+string(rune('0'+i/100))), nil, 0o600))
		}
		if at := find(sha); at != to {
			t.Errorf("found at %q, is at %s", at, to)
		}
		if at := find(store.SHA{1}); at != "" {
			t.Errorf("with another picture in it: %s", at)
		}
		b.must(os.Rename(b.at("acme/"+to), b.at("acme/"+path)))
	}
}

// A file that is moved on after it was listed is not absent: two names may be exchanged by
// way of a third while it is looked for, and then another child's picture would get its link.
func TestAFileThatIsMovedOnIsNotAbsent(t *testing.T) {
	b := newBed(t)
	const path, aside, last = "job1/x/a.jpg", "job1/x/aside.jpg", "job1/x/b.jpg"
	data := testphoto.Tiny(1)
	b.write("acme/"+path, data)
	id := b.file("acme/" + path).Identity
	b.must(os.Rename(b.at("acme/"+path), b.at("acme/"+aside)))
	diskErr, err := b.askDisk(nil, func(d store.Disk) error {
		if is, at := d.Find(t.Context(), "acme", path, id, shaOf(data)); is != store.There || at != aside {
			t.Errorf("%v at %q", is, at)
		}
		b.must(os.Rename(b.at("acme/"+aside), b.at("acme/"+last)))
		if is, _ := d.Find(t.Context(), "acme", path, id, shaOf(data)); is != store.Unknown {
			t.Errorf("moved on: %v", is)
		}
		return nil
	})
	if err != nil || !errors.Is(diskErr, store.ErrUnsure) {
		t.Errorf("%v, %v", diskErr, err)
	}
	b.must(b.withDisk(nil, func(d store.Disk) error {
		if is, at := d.Find(t.Context(), "acme", path, id, shaOf(data)); is != store.There || at != last {
			t.Errorf("looked for again: %v at %q", is, at)
		}
		return nil
	}))
}

// A file that is moved while the folders are listed, from one that is still to be listed into
// one that has been, is not absent either: neither at the first listing nor at the next.
func TestAFileThatMovesBetweenFoldersIsNotAbsent(t *testing.T) {
	b := newBed(t)
	const path, from, to = "job1/x/a.jpg", "job1/y/a.jpg", "job1/z/a.jpg"
	data := testphoto.Tiny(1)
	b.write("acme/"+path, data)
	b.write("acme/job1/z/other.jpg", testphoto.Tiny(2))
	id := b.file("acme/" + path).Identity
	move := func(from, to string) {
		t.Helper()
		b.must(os.MkdirAll(filepath.Dir(b.at("acme/"+to)), 0o755))
		b.must(os.Rename(b.at("acme/"+from), b.at("acme/"+to)))
	}
	find := func(during func(dir string)) (is store.Presence, at string) {
		t.Helper()
		l := b.diskCache.takeListing("acme", "job1")
		l.visited = during
		b.diskCache.putListing(l)
		_, err := b.askDisk(nil, func(d store.Disk) error {
			is, at = d.Find(t.Context(), "acme", path, id, shaOf(data))
			l.visited = nil
			return nil
		})
		b.must(err)
		return is, at
	}
	exists := func(path string) bool {
		_, err := os.Lstat(b.at("acme/" + path))
		return err == nil
	}
	move(path, from)
	// Whichever of the two is read first, the file goes there when it has been read.
	once := func() func(string) {
		moved := false
		return func(dir string) {
			folders := []string{filepath.Dir(from), filepath.Dir(to)}
			i := slices.Index(folders, dir)
			if i < 0 || moved {
				return
			}
			moved = true
			if there := []string{from, to}[1-i]; exists(there) {
				move(there, []string{from, to}[i])
			}
		}
	}
	moved := false
	for range 4 {
		was := exists(from)
		is, at := find(once())
		moved = moved || was != exists(from)
		if is == store.Absent {
			t.Errorf("absent, and is at %s: %v", to, exists(to))
		}
		if is == store.There && !exists(at) {
			t.Errorf("found at %s, where it is not", at)
		}
		if exists(from) {
			move(from, to)
		} else {
			move(to, from)
		}
	}
	if !moved {
		t.Error("the file was never moved while the folders were listed: this test cannot see")
	}
	b.must(os.RemoveAll(b.at("acme/job1/y")))
	b.must(os.RemoveAll(b.at("acme/" + to)))
	find(nil)
	if is, _ := find(nil); is != store.Absent {
		t.Errorf("deleted: %v", is)
	}
}

// A file that was moved and then written again is not gone: what has its old name now is no
// new picture of the same child, and gets a link of its own. A deleted file is gone, also if a
// later one has its inode.
func TestAFileThatIsMovedAndWrittenAgainHasNoSuccessor(t *testing.T) {
	b := newBed(t)
	const old, moved = "job1/x/a.jpg", "job1/y/b.jpg"
	first := testphoto.Tiny(1)
	take := func(path string, data []byte) *store.Photo {
		t.Helper()
		b.write("acme/"+path, data)
		for b.settle("acme/" + path) {
			time.Sleep(10 * time.Millisecond)
		}
		p := b.photo("acme/" + path)
		if p == nil {
			t.Fatalf("%s: %q", path, b.reason("acme/"+path))
		}
		return p
	}
	before := take(old, first)
	id := b.file("acme/" + old).Identity
	find := func(id upload.Identity) (is store.Presence) {
		t.Helper()
		b.must(b.withDisk(nil, func(d store.Disk) error {
			is, _ = d.Find(t.Context(), "acme", old, id, shaOf(first))
			return nil
		}))
		return is
	}
	b.must(os.MkdirAll(b.at("acme/job1/y"), 0o755))
	b.must(os.Rename(b.at("acme/"+old), b.at("acme/"+moved)))
	again := take(moved, testphoto.Tiny(2)) // in place, so that the inode is the same
	if is := find(id); is != store.Changed {
		t.Errorf("moved and written again: %v", is)
	}
	if p := take(old, testphoto.Tiny(3)); p.Link == before.Link || p.Link == again.Link {
		t.Error("another picture at the old name has got the link")
	}

	// Until a new file gets the inode of a deleted one, which file systems do at once or late.
	for range 50 {
		id := b.file("acme/" + old).Identity
		time.Sleep(10 * time.Millisecond)
		b.must(os.Remove(b.at("acme/" + old)))
		b.write("acme/"+moved+".jpg", testphoto.Tiny(5))
		reused := b.file("acme/" + moved + ".jpg").Identity
		if reused.SameInode(id) {
			if is := find(id); is != store.Absent {
				t.Errorf("deleted, and a later file has its inode: %v", is)
			}
			return
		}
		b.must(os.Rename(b.at("acme/"+moved+".jpg"), b.at("acme/"+old)))
	}
	t.Log("this file system does not use inodes again")
}
