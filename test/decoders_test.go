package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// children returns the daemon's child processes, including zombies.
func (s *site) children() (pids []int) {
	s.t.Helper()
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.daemon.Pid()))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the thread may have ended
		for field := range strings.FieldsSeq(string(text)) {
			var pid int
			_, err := fmt.Sscan(field, &pid)
			s.must(err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// descriptors returns what the daemon has open, by kind or path. It leaves out those of the
// catalogue, whose number varies with SQLite's connections; too many fail the test.
func (s *site) descriptors() (all []string) {
	s.t.Helper()
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", s.daemon.Pid()))
	s.must(err)
	catalogue := 0
	for _, fd := range open {
		at, err := os.Readlink(fd)
		if strings.HasPrefix(at, s.Data+"/catalogue.sqlite") {
			catalogue++
		} else if err == nil {
			kind, _, _ := strings.Cut(at, ":[")
			all = append(all, strings.TrimPrefix(kind, s.Dir))
		}
	}
	if catalogue > 20 {
		s.t.Errorf("the catalogue is open %d times", catalogue)
	}
	slices.Sort(all)
	return all
}

// decoding tells whether a decoder is processing a picture.
func (s *site) decoding(pid int) bool {
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range open {
		if at, _ := os.Readlink(fd); strings.HasPrefix(at, s.Data+"/") {
			return true
		}
	}
	return false
}

// If a decoder is killed while it works, no photo is lost.
func TestADecoderIsKilledAtWork(t *testing.T) {
	s := newSite(t, bed.Options{Workers: 1})
	u := s.jobs("killed", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	big := testphoto.Make(testphoto.Spec{Width: 4000, Height: 3000, Noise: 30})
	since := s.status().Since
	var want []string
	for killed := 0; killed == 0; {
		before := s.children()
		if len(before) < 1 || len(before) > 2 { // one is kept for other accounts; a decoder that is idle for long ends
			t.Fatalf("one worker has %d decoders", len(before))
		}
		victim, path := 0, fmt.Sprintf("job1/A/%d.jpg", len(want))
		want = append(want, path)
		s.must(wire.Put("/"+path, testphoto.Vary(big, len(want))))
		s.Eventually("the decoder is at work, or was", func() (bool, any) {
			for range 300 { // decoding is short, so it is seen only by looking often
				i := slices.IndexFunc(before, s.decoding)
				if i >= 0 {
					victim = before[i]
					break
				}
				time.Sleep(time.Millisecond)
			}
			if victim == 0 {
				_, taken := s.photos(u)[path]
				return taken, "not yet"
			}
			// Look again now that it is stopped: it may have finished in between.
			s.must(syscall.Kill(victim, syscall.SIGSTOP))
			if s.decoding(victim) {
				s.must(syscall.Kill(victim, syscall.SIGKILL))
				killed = victim
				return true, nil
			}
			s.must(syscall.Kill(victim, syscall.SIGCONT))
			victim = 0
			return false, "just too late"
		})
		s.waitPhotos(u, want...)
		if now := s.children(); killed != 0 && slices.Contains(now, killed) {
			t.Errorf("decoder %d was killed, now there are %v", killed, now)
		}
	}
	s.waitProblems(u, map[string]string{})
	if now := s.status().Since; !now.Equal(*since) {
		t.Errorf("the daemon runs since %v, not %v", now, since)
	}
	if log := string(readFile(t, s.daemon.LogPath())); strings.Count(log, "decoder replaced") != 1 {
		t.Error("the log does not say once that a decoder was replaced")
	}
	s.requireFiles(len(want))
}

// The same picture at many paths at once is decoded once.
func TestTheSamePictureAtOnce(t *testing.T) {
	s := newSite(t, bed.Options{Workers: 4})
	u := s.jobs("same", "job1")
	data := testphoto.Make(testphoto.Spec{Width: 1600, Height: 1200, Noise: 50})
	dir := s.Data + "/renditions/" + sum(data)[:2]
	events, err := fsnotify.NewBufferedWatcher(100)
	s.must(err)
	defer events.Close()
	s.must(events.Add(dir))

	var want []string
	for i := range 20 {
		s.Local(fmt.Sprintf("Same/%d.jpg", i), data)
		want = append(want, fmt.Sprintf("job1/Same/%d.jpg", i))
	}
	s.runAs(u, "cp", "-r", s.Dir+"/local/Same", u.Dir()+"/job1/")
	for path, p := range s.waitPhotos(u, want...) {
		if p.SHA256 != sum(data) || len(p.Renditions) != 2 {
			t.Errorf("%s: %+v", path, p)
		}
	}
	s.requireFiles(1)

	// Count the files that were renamed into the directory, until our own.
	s.must(os.WriteFile(dir+"/end", nil, 0o600))
	made := map[string]int{}
	for e := range events.Events {
		if e.Name == dir+"/end" {
			break
		}
		if e.Has(fsnotify.Create) {
			made[e.Name]++
		}
	}
	s.must(os.Remove(dir + "/end"))
	for name, times := range made {
		if times != 1 {
			t.Errorf("%s was made %d times", name, times)
		}
	}
	if len(made) != 2 {
		t.Errorf("made %v: this test cannot see", made)
	}
}
