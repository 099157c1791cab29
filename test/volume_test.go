package test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"picday/internal/testbed"
)

// volumes are ways in which uploads can vanish from under picday: gone() takes
// them away, back() brings them back. None of them makes an inotify event.
func volumes(s *site) map[string][2]func() {
	stash := s.Dir + "/stash"
	return map[string][2]func(){
		"unmounted": {
			func() { s.Unmount(s.Uploads) },
			func() { s.Bind(stash, s.Uploads) },
		},
		"an empty disk mounted over it": {
			func() { s.MountTmpfs(s.Uploads) },
			func() { s.Unmount(s.Uploads) },
		},
		"replaced by an empty folder": {
			func() {
				s.must(os.Mkdir(s.Dir+"/empty", 0o755))
				s.Bind(s.Dir+"/empty", s.Uploads)
			},
			func() { s.Unmount(s.Uploads) },
		},
		"another disk with the same folders": {
			func() {
				s.skeleton(s.Uploads, s.Dir+"/other")
				s.Bind(s.Dir+"/other", s.Uploads)
			},
			func() { s.Unmount(s.Uploads) },
		},
		"account folders gone": {
			func() { s.shuffle(s.Uploads, s.Dir+"/aside") },
			func() { s.shuffle(s.Dir+"/aside", s.Uploads) },
		},
	}
}

// shuffle moves everything visible in a folder to another.
func (s *site) shuffle(from, to string) {
	s.t.Helper()
	s.must(os.MkdirAll(to, 0o755))
	entries, err := os.ReadDir(from)
	s.must(err)
	for _, e := range entries {
		s.must(os.Rename(from+"/"+e.Name(), to+"/"+e.Name()))
	}
}

// skeleton copies folders with their owners, and no files.
func (s *site) skeleton(from, to string) {
	s.t.Helper()
	s.must(filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		copied := to + strings.TrimPrefix(path, from)
		return errors.Join(os.Mkdir(copied, 0o700), os.Chown(copied, int(st.Uid), int(st.Gid)), os.Chmod(copied, info.Mode()))
	}))
}

func TestTheUploadVolumeGoesAndComes(t *testing.T) {
	for _, name := range []string{
		"unmounted", "an empty disk mounted over it", "replaced by an empty folder",
		"another disk with the same folders", "account folders gone",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, testbed.Options{Volume: name == "unmounted"})
			u, school := s.jobs("vol", "job1"), s.portraits("school")
			s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
			s.must(u.ByKey().MustWire().Put("/job1/A/1.jpg", photo()))
			s.must(u.ByKey().MustWire().Put("/job1/A/2.jpg", photo()))
			s.must(school.ByKey().MustWire().Put("/"+school.Name+"/user-pictures/7.jpg", photo()))
			s.waitPhotos(u, "job1/A/1.jpg", "job1/A/2.jpg")
			s.waitPhotos(school, school.Name+"/user-pictures/7.jpg")
			before, rendered := s.photos(u), s.renditions()

			volume := volumes(s)[name]
			volume[0]()
			r := s.Picday("rescan", "--wait") // whatever it answers: look now
			t.Log(r)
			s.remains(u, "job1/A/1.jpg", "job1/A/2.jpg")
			s.remains(school, school.Name+"/user-pictures/7.jpg")
			s.says(s.Uploads)

			// A restart in this state is no different.
			s.daemon.Kill()
			s.daemon = s.LaunchDaemon()
			s.remains(u, "job1/A/1.jpg", "job1/A/2.jpg")

			volume[1]()
			s.Eventually("doctor is content again", func() (bool, any) {
				r := s.Picday("doctor")
				return r.Code == 0, r
			})
			wire := u.ByKey().MustWire()
			s.must(wire.Put("/job1/A/3.jpg", photo()))
			s.must(wire.Remove("/job1/A/2.jpg"))
			got := s.waitPhotos(u, "job1/A/1.jpg", "job1/A/3.jpg")
			if got["job1/A/1.jpg"].Link != before["job1/A/1.jpg"].Link {
				t.Error("the link of 1.jpg has changed")
			}
			s.sameRenditions(rendered)
		})
	}
}

// says requires that doctor fails and that it and status name the trouble.
func (s *site) says(word string) {
	s.t.Helper()
	s.Eventually("doctor fails and says why", func() (bool, any) {
		r := s.Picday("doctor")
		return r.Code == 1 && strings.Contains(r.Stdout, "fail") && strings.Contains(r.Stdout, word), r
	})
	s.Eventually("status says why", func() (bool, any) {
		r := s.Picday("status")
		return strings.Contains(r.Stdout+r.Stderr, word), r
	})
}
