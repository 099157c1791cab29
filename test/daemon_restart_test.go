package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// The daemon is stopped or killed at random moments while photos are uploaded. In the end
// each photo is published once, and no published one was processed again.
func TestRestartsLoseNothing(t *testing.T) {
	for name, end := range map[string]func(*bed.Daemon){
		"SIGKILL": (*bed.Daemon).Kill,
		"SIGTERM": func(d *bed.Daemon) { d.Stop(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			u, want := s.jobs("robust", "job1"), []string{}
			uploaded := make(chan bed.Out)
			for i := range 120 {
				s.Local(fmt.Sprintf("A/%d.jpg", i), photo())
				want = append(want, fmt.Sprintf("job1/A/%d.jpg", i))
			}
			go func() {
				uploaded <- u.ByKey().Via(s.Line(400_000)).SFTP(`put -r "` + s.Dir + `/local/A" /job1/`)
			}()
			for round := range 6 {
				before := s.publishedRenditions(u)
				// A random moment, so that different steps of the daemon are interrupted.
				time.Sleep(time.Duration(rand.IntN(900)) * time.Millisecond)
				t.Logf("round %d: %d photos were done", round, len(before)/2)
				end(s.daemon)
				s.requireSameRenditions(before)
				s.daemon = s.StartDaemon()
				s.requireSameRenditions(before)
			}
			s.mustSucceed(<-uploaded)
			s.waitPhotos(u, want...)
			s.rescan()
			s.requireFiles(len(want))
			s.waitProblems(u, map[string]string{})
			s.verify()
		})
	}
}

// publishedRenditions returns the renditions of published photos, which must not be made again.
func (s *site) publishedRenditions(u *bed.Uploader) map[string]string {
	s.t.Helper()
	published := map[string]bool{}
	for _, p := range s.photos(u) {
		published[p.SHA256] = true
	}
	all := s.renditions()
	for path := range all {
		if sha, _, _ := strings.Cut(filepath.Base(path), "-"); !published[sha] {
			delete(all, path)
		}
	}
	if len(all) != 2*len(published) {
		s.t.Errorf("%d photos have %d renditions", len(published), len(all))
	}
	return all
}

// requireFiles requires n originals with two renditions each, and no other files.
func (s *site) requireFiles(n int) {
	s.t.Helper()
	if got := len(s.renditions()); got != 2*n {
		s.t.Errorf("%d photos have %d renditions", n, got)
	}
	originals, _ := filepath.Glob(s.Data + "/originals/*/*")
	if len(originals) != n {
		s.t.Errorf("%d photos have %d originals", n, len(originals))
	}
	for _, path := range originals {
		data, err := os.ReadFile(path)
		s.must(err)
		if name := strings.TrimSuffix(filepath.Base(path), ".jpg"); sum(data) != name {
			s.t.Errorf("original %s has the hash %s", name, sum(data))
		}
	}
	if left, _ := filepath.Glob(s.Data + "/tmp/*"); len(left) > 0 {
		s.t.Errorf("temporary files are left: %v", left)
	}
}

// A daemon that is stopped while it processes big photos finishes or drops them, and exits
// with 0. The next daemon publishes the others, and none twice.
func TestStoppingInTheMiddleOfBigPhotos(t *testing.T) {
	s := newQuietSite(t, bed.Options{Workers: 2})
	u, want := s.jobs("big", "job1"), []string{}
	big := testphoto.Make(testphoto.Spec{Width: 6000, Height: 4000, Noise: 50})
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	for i := range 12 {
		s.must(wire.Put(fmt.Sprintf("/job1/A/%d.jpg", i), testphoto.Vary(big, i)))
		want = append(want, fmt.Sprintf("job1/A/%d.jpg", i))
	}
	s.daemon = s.StartDaemon()
	s.Eventually("photos are in hand", func() (bool, any) {
		st := s.status()
		if st.Photos == len(want) {
			t.Fatal("all photos were taken before two were seen in hand: this test cannot see")
		}
		return len(st.InProgress) >= 2, st
	})
	s.terminate(s.daemon)
	before := s.publishedRenditions(u)
	t.Logf("%d of %d photos were done", len(before)/2, len(want))
	if len(before) == 2*len(want) {
		t.Error("all photos were done before the end: this test cannot see")
	}
	s.daemon = s.StartDaemon()
	s.waitPhotos(u, want...)
	s.waitProblems(u, map[string]string{})
	s.rescan()
	s.requireSameRenditions(before)
	s.requireFiles(len(want))
	s.verify()
}

// When the daemon starts it finds the files that were added, changed, moved and deleted
// while it did not run.
func TestChangesWhileNoDaemonRanAreFound(t *testing.T) {
	for _, ext4 := range []bool{false, true} {
		t.Run(fmt.Sprintf("ext4=%v", ext4), func(t *testing.T) {
			s := newSite(t, bed.Options{Ext4: ext4})
			u := s.jobs("between", "job1", "job2")
			wire := u.ByKey().MustWire()
			s.must(wire.Mkdir("/job1/A"))
			data := map[string][]byte{}
			for _, name := range []string{"stays", "changes", "moves", "goes", "swaps"} {
				data[name] = photo()
				s.must(wire.Put("/job1/A/"+name+".jpg", data[name]))
			}
			before := s.waitPhotos(u, "job1/A/stays.jpg", "job1/A/changes.jpg", "job1/A/moves.jpg", "job1/A/goes.jpg", "job1/A/swaps.jpg")
			rendered := s.renditions()
			s.daemon.Stop(syscall.SIGTERM)

			changed, fresh, swapped := photo(), photo(), photo()
			s.must(wire.Put("/job1/A/changes.jpg", changed))
			s.must(wire.Rename("/job1/A/moves.jpg", "/job2/moves.jpg"))
			s.must(wire.Mkdir("/job2/B"))
			s.must(wire.PosixRename("/job2/moves.jpg", "/job2/B/moves.jpg"))
			s.must(wire.Remove("/job1/A/goes.jpg"))
			s.must(wire.Put("/job2/B/fresh.jpg", fresh)) // on ext4 this gets the inode number of the deleted file
			s.must(wire.Remove("/job1/A/swaps.jpg"))
			s.must(wire.Put("/job1/A/swaps.jpg", swapped))
			s.must(wire.PosixRename("/job1/A", "/job1/Renamed"))

			s.daemon = s.StartDaemon()
			got := s.waitPhotos(u, "job1/Renamed/stays.jpg", "job1/Renamed/changes.jpg", "job2/B/moves.jpg", "job2/B/fresh.jpg", "job1/Renamed/swaps.jpg")
			for path, want := range map[string][]byte{
				"job1/Renamed/stays.jpg": data["stays"], "job1/Renamed/changes.jpg": changed, "job2/B/moves.jpg": data["moves"],
				"job2/B/fresh.jpg": fresh, "job1/Renamed/swaps.jpg": swapped,
			} {
				if got[path].SHA256 != sum(want) {
					t.Errorf("%s: %+v", path, got[path])
				}
			}
			if now := got["job1/Renamed/stays.jpg"]; now.SHA256 != before["job1/A/stays.jpg"].SHA256 {
				t.Errorf("stays.jpg: %+v", now)
			}
			s.requireSameRenditions(rendered)
		})
	}
}

// A daemon that is stopped in the middle of an upload does not wait for it.
func TestStoppingDoesNotWaitForUploads(t *testing.T) {
	s := newSite(t)
	u := s.jobs("endless", "job1")
	_, f := s.openSlow(u)
	data := photo()
	_, err := f.Write(data[:100])
	s.must(err)
	s.uploadAndWait(u, "/job1/A/proof.jpg")
	s.daemon.Stop(syscall.SIGINT)
	if st := s.Picday("status", "--json"); !strings.Contains(st.Stdout, `"running": false`) {
		t.Errorf("status of a daemon that has ended: %v", st)
	}
	_, err = f.Write(data[100:])
	s.must(err)
	s.must(f.Close())
	s.daemon = s.StartDaemon()
	s.waitSum(u, "job1/A/slow.jpg", data)
}
