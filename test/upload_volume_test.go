package test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

// volumeFaults returns ways in which the upload volume can disappear without an inotify event:
// for each, a function that removes the uploads, and one that brings them back.
func volumeFaults(s *site) map[string][2]func() {
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
				s.copyFolders(s.Uploads, s.Dir+"/other")
				s.Bind(s.Dir+"/other", s.Uploads)
			},
			func() { s.Unmount(s.Uploads) },
		},
		"account folders gone": {
			func() { s.moveAll(s.Uploads, s.Dir+"/aside") },
			func() { s.moveAll(s.Dir+"/aside", s.Uploads) },
		},
	}
}

// moveAll moves everything in a folder except dot files to another folder.
func (s *site) moveAll(from, to string) {
	s.t.Helper()
	s.must(os.MkdirAll(to, 0o755))
	entries, err := os.ReadDir(from)
	s.must(err)
	for _, e := range entries {
		s.must(os.Rename(from+"/"+e.Name(), to+"/"+e.Name()))
	}
}

// copyFolders copies folders with their owners, without files.
func (s *site) copyFolders(from, to string) {
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
			s := newSite(t, bed.Options{Volume: name == "unmounted"})
			u, school := s.jobs("vol", "job1"), s.portraits("school")
			s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
			s.must(u.ByKey().MustWire().Put("/job1/A/1.jpg", photo()))
			s.must(u.ByKey().MustWire().Put("/job1/A/2.jpg", photo()))
			s.must(school.ByKey().MustWire().Put("/"+school.Name+"/user-pictures/7.jpg", photo()))
			s.waitPhotos(u, "job1/A/1.jpg", "job1/A/2.jpg")
			s.waitPhotos(school, school.Name+"/user-pictures/7.jpg")
			before, rendered := s.photos(u), s.renditions()

			volume := volumeFaults(s)[name]
			volume[0]()
			r := s.Picday("rescan", "--wait") // makes the daemon scan now; it may fail
			t.Log(r)
			s.requireStillPublished(u, "job1/A/1.jpg", "job1/A/2.jpg")
			s.requireStillPublished(school, school.Name+"/user-pictures/7.jpg")
			s.requireReported(s.Uploads)

			// A restart in this state withdraws nothing either.
			s.daemon.Kill()
			s.daemon = s.LaunchDaemon()
			s.requireStillPublished(u, "job1/A/1.jpg", "job1/A/2.jpg")

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
			s.requireSameRenditions(rendered)
		})
	}
}

// requireReported requires that doctor fails, and that doctor and status contain a word.
func (s *site) requireReported(word string) {
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
