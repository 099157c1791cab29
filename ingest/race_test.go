package ingest

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
)

// An uploader renames, rewrites and exchanges his files, and his folder for a link into
// another account, between any two calls of ours. Nothing of the other account is published
// as his, no picture that he never had whole is, and no problem names a file of another.
func TestNothingOutsideTheTreeIsTaken(t *testing.T) {
	b := newBed(t)
	b.Ingester.held = upload.Held
	b.must(os.MkdirAll(b.at("acme/job1/real"), 0o755))
	for i := range 4 { // what the other account has under the same names
		b.write(fmt.Sprintf("lincoln/lincoln/user-pictures/%d.jpg", i), testphoto.Tiny(100+i))
	}
	b.must(os.RemoveAll(b.at("acme/job1/x")))
	b.must(os.Symlink(b.at("lincoln/lincoln/user-pictures"), b.at("acme/job1/link")))
	b.must(os.Mkdir(b.at("acme/job1/x"), 0o755))
	var folders [2]int
	for i, name := range []string{"x", "real"} {
		fd, err := unix.Open(b.at("acme/job1/"+name), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		b.must(err)
		defer unix.Close(fd)
		folders[i] = fd
	}
	var mine [8][]byte
	whole := map[store.SHA]bool{}
	for i := range mine {
		mine[i] = testphoto.Tiny(i)
		whole[sha256.Sum256(mine[i])] = true
	}
	long := time.Second
	if os.Getenv("PICDAY_TORTURE") != "" {
		long = 2 * time.Minute
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	for n := range uint64(2) {
		r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), n))
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				attack(b.at("acme/job1"), folders, r, mine[:])
			}
		})
	}
	settled, published := 0, 0
	for end := time.Now().Add(long); time.Now().Before(end) || published == 0; settled++ {
		path := fmt.Sprintf("acme/job1/x/%d.jpg", rand.IntN(4))
		fi, err := os.Lstat(b.at(path))
		if err != nil {
			continue
		}
		account, rest, _ := cut(path)
		f := upload.File{Account: account, Path: rest, Identity: b.identityOf(fi, account, rest), Regular: fi.Mode().IsRegular()}
		// As the watcher, which sends nothing that has just changed.
		if time.Since(time.Unix(0, f.Identity.Ctime)) < 20*time.Millisecond {
			time.Sleep(time.Millisecond)
			continue
		}
		v, ok := b.withoutReading(b.Context(), f)
		if !ok {
			v = b.take(b.Context(), f)
		}
		b.apply(v)
		if p := b.photo(path); p != nil {
			published++
			if !whole[p.SHA] {
				t.Fatalf("%s shows %.12s, which the uploader never had there", path, p.SHA)
			}
		}
		if reason := b.reason(path); reason != "" && reason != "incomplete" && reason != "damaged" && reason != "not-jpeg" && reason != "unreadable" {
			t.Fatalf("%s: %s", path, reason)
		}
	}
	close(stop)
	group.Wait()
	t.Logf("%d tries, %d times a photo", settled, published)
}

// attack does one random thing in a job's folder, whose album x is a folder or a link. It
// reaches its folders by descriptors, because it could not write behind the link either.
func attack(job string, folders [2]int, r *rand.Rand, pictures [][]byte) {
	folder := func() int { return folders[r.IntN(2)] }
	name := fmt.Sprintf("%d.jpg", r.IntN(4))
	write := func(dir int, name string, flags int, data []byte) {
		fd, err := unix.Openat(dir, name, flags|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return
		}
		defer unix.Close(fd)
		_, _ = unix.Pwrite(fd, data[:len(data)/2], 0)
		time.Sleep(time.Duration(r.IntN(200)) * time.Microsecond)
		_, _ = unix.Pwrite(fd, data[len(data)/2:], int64(len(data)/2))
		_ = unix.Ftruncate(fd, int64(len(data)))
	}
	exchange := func(a, b string) {
		_ = unix.Renameat2(unix.AT_FDCWD, job+a, unix.AT_FDCWD, job+b, unix.RENAME_EXCHANGE)
	}
	data := pictures[r.IntN(len(pictures))]
	switch dir := folder(); r.IntN(12) {
	case 0, 1: // the folder becomes a link, for a moment
		exchange("/x", "/link")
		time.Sleep(time.Duration(r.IntN(300)) * time.Microsecond)
		exchange("/x", "/link")
	case 2: // another folder of his own
		exchange("/x", "/real")
	case 3: // a file becomes a link
		_ = unix.Unlinkat(dir, name, 0)
		_ = unix.Symlinkat("../link/1.jpg", dir, name)
	case 4:
		_ = unix.Renameat(folder(), name, dir, fmt.Sprintf("%d.jpg", r.IntN(4)))
	case 5, 6:
		write(dir, name, 0, data) // in place
	case 7, 8:
		write(dir, name+".tmp", unix.O_CREAT, data)
		_ = unix.Renameat(dir, name+".tmp", dir, name)
	default:
		time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
	}
}
