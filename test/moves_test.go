package test

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// Fifty new trees are written at once, over SFTP and by cp. All their photos are found,
// although a folder has files before the daemon can watch it.
func TestFreshTrees(t *testing.T) {
	for name, upload := range map[string]func(*site, *bed.Uploader, int){
		"by sftp": func(s *site, u *bed.Uploader, i int) {
			s.mustSucceed(u.ByKey().SFTP(fmt.Sprintf(`put -r "%s/local/Class %d" /job%d/`, s.Dir, i, i%5)))
		},
		"by cp": func(s *site, u *bed.Uploader, i int) {
			s.runAs(u, "cp", "-r", fmt.Sprintf("%s/local/Class %d", s.Dir, i), fmt.Sprintf("%s/job%d/", u.Dir(), i%5))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			u := s.jobs("fresh", "job0", "job1", "job2", "job3", "job4")
			want := []string{}
			for i := range 50 {
				for _, file := range []string{"1.jpg", "individuals/2.jpg", "group/3.jpg"} {
					s.Local(fmt.Sprintf("Class %d/%s", i, file), photo())
					want = append(want, fmt.Sprintf("job%d/Class %d/%s", i%5, i, file))
				}
			}
			var wg sync.WaitGroup
			for worker := range 5 {
				wg.Go(func() {
					for i := worker; i < 50; i += 5 {
						upload(s, u, i)
					}
				})
			}
			wg.Wait()
			s.waitPhotos(u, want...)
			if st := s.status(); st.Overflows != 0 || st.Problems != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// runAs runs a command as the account's Unix user, in its tree.
func (s *site) runAs(u *bed.Uploader, name string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.Credential(u.Name)}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Errorf("%s %q: %v: %s", name, args, err, out)
	}
}

// A folder is renamed a hundred times, with an upload after each rename. All photos are
// published under the last name of the folder, and none under an old one.
func TestFolderRenames(t *testing.T) {
	for _, ext4 := range []bool{false, true} {
		t.Run(fmt.Sprintf("ext4=%v", ext4), func(t *testing.T) {
			s := newSite(t, bed.Options{Ext4: ext4})
			u := s.jobs("renamer", "job1")
			wire := u.ByKey().MustWire()
			s.must(wire.Mkdir("/job1/A0"))
			s.must(wire.Mkdir("/job1/A0/group"))
			s.must(wire.Put("/job1/A0/group/g.jpg", photo()))
			s.waitPhotos(u, "job1/A0/group/g.jpg")
			rendered := s.renditions()
			for i := range 100 {
				rename := wire.PosixRename
				if i%2 == 0 {
					rename = wire.Rename
				}
				s.must(rename(fmt.Sprintf("/job1/A%d", i), fmt.Sprintf("/job1/A%d", i+1)))
				s.must(wire.Put(fmt.Sprintf("/job1/A%d/%d.jpg", i+1, i), photo()))
				if i%10 == 0 {
					s.must(wire.Put(fmt.Sprintf("/job1/A%d/group/%d.jpg", i+1, i), photo()))
				}
			}
			want := []string{"job1/A100/group/g.jpg"}
			for i := range 100 {
				want = append(want, fmt.Sprintf("job1/A100/%d.jpg", i))
				if i%10 == 0 {
					want = append(want, fmt.Sprintf("job1/A100/group/%d.jpg", i))
				}
			}
			s.waitPhotos(u, want...)
			s.requireSameRenditions(rendered)
			s.requireStillPublished(u, want...)
			if st := s.status(); st.Problems != 0 || st.Photos != len(want) {
				t.Errorf("%+v", st)
			}
		})
	}
}

// A folder is renamed while the queue takes longer than the grace. Its photos must not be
// withdrawn while they wait.
func TestARenameBehindALongQueue(t *testing.T) {
	s := newSite(t, bed.Options{Workers: 1})
	u := s.jobs("queue", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/1.jpg")
	s.uploadAndWait(u, "/job1/A/2.jpg")
	before := s.photos(u)["job1/A/1.jpg"]

	large, want := testphoto.Make(testphoto.Spec{Width: 6000, Height: 4000}), []string{"job1/C/1.jpg", "job1/C/2.jpg"}
	for i := range 16 {
		s.Local(fmt.Sprintf("B/%d.jpg", i), testphoto.Vary(large, i))
		want = append(want, fmt.Sprintf("job1/B/%d.jpg", i))
	}
	s.runAs(u, "cp", "-r", s.Dir+"/local/B", u.Dir()+"/job1/")
	s.Eventually("the queue is long", func() (bool, any) {
		st := s.status()
		return st.Waiting+st.Queued+len(st.InProgress) > 10, st
	})
	s.must(wire.PosixRename("/job1/A", "/job1/C"))
	s.waitPhotos(u, want...)
	if trash := s.trash(u); len(trash) > 0 {
		t.Errorf("in the trash: %v", keys(trash))
	}
	for line := range strings.Lines(string(readFile(t, s.daemon.LogPath()))) {
		if strings.Contains(line, "withdrawn") {
			t.Error(line)
		}
	}
	if now := s.photos(u)["job1/C/1.jpg"]; now.Link != before.Link {
		t.Errorf("the link was %s, is %s", before.Link, now.Link)
	}
}

// Files and folders are moved between areas, albums and jobs. The photos keep their link and
// renditions, and nothing is withdrawn.
func TestMoves(t *testing.T) {
	s := newSite(t)
	u := s.jobs("mover", "job1", "job2")
	wire := u.ByKey().MustWire()
	for _, dir := range []string{"/job1/A", "/job1/A/group", "/job1/B"} {
		s.must(wire.Mkdir(dir))
	}
	data := map[string][]byte{}
	for _, path := range []string{"job1/A/1.jpg", "job1/A/2.jpg", "job1/A/group/3.jpg", "job1/B/4.jpg"} {
		data[path] = photo()
		s.must(wire.Put("/"+path, data[path]))
	}
	s.must(wire.Put("/job1/5.jpg", photo()))
	s.waitPhotos(u, keys(data)...)
	s.waitProblems(u, map[string]string{"job1/5.jpg": "no-album"})
	rendered := s.renditions()

	s.must(wire.Rename("/job1/A/1.jpg", "/job1/A/group/1.jpg"))
	s.must(wire.PosixRename("/job1/A/2.jpg", "/job2/2.jpg")) // now without an album
	s.must(wire.PosixRename("/job1/A", "/job2/A"))
	s.must(wire.Rename("/job1/5.jpg", "/job1/B/5.jpg")) // a problem solved
	got := s.waitPhotos(u, "job2/A/group/1.jpg", "job2/A/group/3.jpg", "job1/B/4.jpg", "job1/B/5.jpg")
	s.waitProblems(u, map[string]string{"job2/2.jpg": "no-album"})
	if p := got["job2/A/group/1.jpg"]; p.SHA256 != sum(data["job1/A/1.jpg"]) || p.Job != "job2" || p.Album != "A" || p.Area != "group" {
		t.Errorf("moved: %+v", p)
	}
	s.must(wire.Rename("/job2/2.jpg", "/job2/A/2.jpg"))
	s.waitPhotos(u, "job2/A/group/1.jpg", "job2/A/group/3.jpg", "job1/B/4.jpg", "job1/B/5.jpg", "job2/A/2.jpg")
	s.requireSameRenditions(rendered)

	// The files of two photos are exchanged by way of a third name.
	for _, r := range [][2]string{{"1.jpg", "t.jpg"}, {"3.jpg", "1.jpg"}, {"t.jpg", "3.jpg"}} {
		s.must(wire.Rename("/job2/A/group/"+r[0], "/job2/A/group/"+r[1]))
	}
	s.waitSum(u, "job2/A/group/1.jpg", data["job1/A/group/3.jpg"])
	s.waitSum(u, "job2/A/group/3.jpg", data["job1/A/1.jpg"])
	s.requireSameRenditions(rendered)
}
