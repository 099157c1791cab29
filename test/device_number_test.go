package test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

// While picdayd does not run, the upload volume gets another device number, as after a
// change in the order of disks, and each file is renamed to the next number. Each link
// still shows the same child, now at the new path.
func TestTheDeviceNumberChanges(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			s := &site{t: t}
			t.Parallel()
			s.World = bed.New(t)
			s.must(os.Mkdir(s.Uploads, 0o755))
			disk := s.MakeDisk(kind)
			s.Attach(disk, s.Uploads)
			s.init()
			s.daemon = s.StartDaemon()
			u, school := s.jobs("shift", "job1"), s.portraits("ids")
			pictures := "/" + school.Name + "/user-pictures/"
			wire, faces := u.ByKey().MustWire(), school.ByKey().MustWire()
			s.must(wire.Mkdir("/job1/A"))
			const n = 5
			var paths, ids []string
			for i := range n {
				s.must(wire.Put(fmt.Sprintf("/job1/A/%d.jpg", i), photo()))
				s.must(faces.Put(fmt.Sprintf("%s%d.jpg", pictures, i), photo()))
				paths = append(paths, fmt.Sprintf("job1/A/%d.jpg", i))
				ids = append(ids, fmt.Sprintf("%s%d.jpg", pictures[1:], i))
			}
			before, people := s.waitPhotos(u, paths...), s.waitPhotos(school, ids...)
			rendered := s.renditions()

			s.daemon.Stop(syscall.SIGTERM)
			wire.Cut()
			faces.Cut()
			number := device(t, s.Uploads)
			s.remount(disk, number)
			for i := n - 1; i >= 0; i-- {
				s.must(os.Rename(fmt.Sprintf("%s/job1/A/%d.jpg", u.Dir(), i), fmt.Sprintf("%s/job1/A/%d.jpg", u.Dir(), i+1)))
				s.must(os.Rename(fmt.Sprintf("%s%s%d.jpg", school.Dir(), pictures, i), fmt.Sprintf("%s%s%d.jpg", school.Dir(), pictures, i+1)))
			}
			s.daemon = s.StartDaemon()
			s.uploadAndWait(u, "/job1/A/0.jpg")
			s.rescan()
			now := s.waitPhotos(u, append(paths, fmt.Sprintf("job1/A/%d.jpg", n))...)
			after := s.photos(school)
			for i := range n {
				was, is := before[paths[i]], now[fmt.Sprintf("job1/A/%d.jpg", i+1)]
				if is.Link != was.Link || is.SHA256 != was.SHA256 {
					t.Errorf("%s went to %s and shows another child, or has another link", paths[i], is.Path)
				}
				id := after[fmt.Sprintf("%s%d.jpg", pictures[1:], i+1)]
				if id.SHA256 != people[ids[i]].SHA256 {
					t.Errorf("%s does not show the picture of its file", id.Path)
				}
			}
			for path, sha := range rendered {
				if s.renditions()[path] != sha {
					t.Errorf("%s was made again", path)
				}
			}
			s.verify()
		})
	}
}

func device(t *testing.T, path string) uint64 {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Sys().(*syscall.Stat_t).Dev
}

// remount mounts the upload volume's disk again, with another device number than had.
// Parallel tests take and free numbers at any time, so this may need several attempts.
func (s *site) remount(disk string, had uint64) {
	s.t.Helper()
	s.Eventually("the volume comes back under another device number", func() (bool, any) {
		if err := syscall.Unmount(s.Uploads, 0); err != nil {
			return false, err
		}
		s.TakeNumbers()
		s.Attach(disk, s.Uploads)
		return device(s.t, s.Uploads) != had, had
	})
}
