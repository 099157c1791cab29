package test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"picday/internal/test/bed"
)

// fillDisk fills the file system of a directory, except for what is reserved for root.
func (s *site) fillDisk(dir string) {
	s.t.Helper()
	for n, size := 0, int64(1<<30); size >= 512; n++ {
		name := fmt.Sprintf("%s/filler%d", dir, n)
		if _, err := os.Lstat(name); err == nil {
			continue
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		s.must(err)
		var st unix.Statfs_t
		s.must(unix.Statfs(dir, &st))
		size = min(size, int64(st.Bavail)*st.Bsize)
		for size >= 512 && errors.Is(unix.Fallocate(int(f.Fd()), 0, 0, size), unix.ENOSPC) {
			size /= 2
		}
		s.must(f.Close())
	}
}

func (s *site) freeDisk(dir string) {
	s.t.Helper()
	fillers, err := filepath.Glob(dir + "/filler*")
	s.must(err)
	for _, name := range fillers {
		s.must(os.Remove(name))
	}
}

// While the data disk is completely full, published photos are served, whenever it became
// full and however picdayd ended. Deletions are recorded, and photos that are uploaded
// meanwhile are published by themselves once there is room.
func TestAFullDataDisk(t *testing.T) {
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := &site{World: bed.New(t), t: t}
			s.must(os.Mkdir(s.Data, 0o750))
			if kind == "ext4" {
				s.MountExt4(s.Data)
			} else {
				s.must(syscall.Mount("tmpfs", s.Data, "tmpfs", 0, "mode=0750,size=64m"))
			}
			s.EditConfig("reserve_megabytes = 1\n", "reserve_megabytes = 8\n")
			s.init()
			s.daemon = s.StartDaemon()
			u := s.jobs("full", "job1")
			wire := u.ByKey().MustWire()
			s.must(wire.Mkdir("/job1/A"))
			want := []string{"job1/A/1.jpg", "job1/A/2.jpg"}
			for _, path := range want {
				s.must(wire.Put("/"+path, photo()))
			}
			photos := s.waitPhotos(u, want...)
			reserved := func() bool { _, err := os.Lstat(s.Data + "/reserve"); return err == nil }
			s.Eventually("the reserve is there", func() (bool, any) { return reserved(), s.daemon.Log() })
			served := func(when string) {
				t.Helper()
				for _, p := range photos {
					s.Eventually(when+": what is published is served", func() (bool, any) {
						resp, err := http.Get(p.URL)
						if err != nil {
							return false, s.daemon.Log()
						}
						defer resp.Body.Close()
						body, err := io.ReadAll(resp.Body)
						return err == nil && resp.StatusCode == http.StatusOK && len(body) > 100, fmt.Sprint(resp.Status, s.daemon.Log())
					})
				}
			}

			// The disk becomes full while picdayd runs. Uploads wait, and a deletion is
			// recorded.
			s.fillDisk(s.Data)
			s.must(wire.Put("/job1/A/3.jpg", photo()))
			s.Eventually("status says that uploads wait", func() (bool, any) {
				r := s.Picday("status")
				return r.Code == 0 && strings.Contains(r.Stdout, "the disk is full"), r
			})
			served("running")
			s.Eventually("the reserve is given up", func() (bool, any) { return !reserved(), s.daemon.Log() })
			s.must(wire.Remove("/job1/A/2.jpg"))
			s.Eventually("a deletion is noted", func() (bool, any) {
				status, _ := fetch(t, photos["job1/A/2.jpg"].URL)
				return status == http.StatusNotFound, fmt.Sprint(status, s.daemon.Log())
			})
			withdrawn := photos["job1/A/2.jpg"]
			delete(photos, "job1/A/2.jpg")

			// picdayd starts while the disk is full: after a kill with the reserve given up,
			// after a kill with the reserve, and after a clean end.
			for round, end := range []func(){
				func() { s.daemon.Kill() },
				func() {
					s.freeDisk(s.Data)
					s.Eventually("the reserve is there again", func() (bool, any) { return reserved(), s.daemon.Log() })
					s.daemon.Kill()
				},
				func() { s.daemon.Stop(syscall.SIGTERM) },
			} {
				end()
				s.fillDisk(s.Data)
				s.daemon = s.LaunchDaemon()
				served(fmt.Sprint("started again, ", round))
				s.fillDisk(s.Data)
				served(fmt.Sprint("started again and full, ", round))
				s.requireNotFound(withdrawn.URL)
			}
			// Now there is no block for SQLite's shared memory file.
			s.waitStatus("full", "published pictures are served, and nothing else is done")
			s.waitHealth("full", "503 not proven alive: disk-full")

			s.freeDisk(s.Data)
			s.waitPhotos(u, "job1/A/1.jpg", "job1/A/3.jpg")
			s.Eventually("status is content", func() (bool, any) {
				r := s.Picday("status")
				return r.Code == 0 && !strings.Contains(r.Stdout, "the disk is full"), r
			})
			s.rescan()
			s.verify()
			if log := string(readFile(t, s.daemon.LogPath())); strings.Contains(log, "panic") {
				t.Error(log)
			}
		})
	}
}
