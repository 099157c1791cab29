package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Photos from before picday are imported while it runs, by a tool that is killed half-way
// and run again: each is copied once, is the account's, becomes a photo, and the uploader
// can replace, rename and delete it.
func TestPhotosOfBeforeAreImported(t *testing.T) {
	const n = 300
	s := newSite(t)
	u := s.jobs("studio", "job1")
	pictures, old := [][]byte{photo(), photo(), photo()}, s.Dir+"/old"
	for i := range n {
		name := fmt.Sprintf("%s/Class %d/%03d.jpg", old, i%5, i)
		s.must(os.MkdirAll(filepath.Dir(name), 0o755))
		s.must(os.WriteFile(name, pictures[i%len(pictures)], 0o600))
	}
	copies := func() (all []string) {
		all, err := filepath.Glob(u.Dir() + "/job1/*/*.jpg")
		s.must(err)
		return all
	}
	cmd := s.PicdayCmd("import", u.Name, "job1", old)
	s.must(cmd.Start())
	s.Eventually("the first files are there", func() (bool, any) { return len(copies()) > 0, nil })
	s.must(cmd.Process.Kill())
	if err := cmd.Wait(); err == nil {
		t.Log("it had ended before it was killed")
	}
	first := map[string]os.FileInfo{}
	for _, file := range copies() {
		fi, err := os.Stat(file)
		s.must(err)
		first[file] = fi
	}
	t.Logf("killed after %d of %d files", len(first), n)
	for again, want := range []string{fmt.Sprintf("%d of %d photos copied", n-len(first), n), fmt.Sprintf("0 of %d photos copied", n)} {
		if r := s.Picday("import", u.Name, "job1", old); r.Code != 0 || !strings.Contains(r.Stdout+r.Stderr, want) || !strings.Contains(r.Stdout+r.Stderr, "were there already") {
			t.Errorf("run %d: no %q in %v", again+2, want, r)
		}
	}
	for file, before := range first {
		if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("%s was copied again: %v", file, err)
		}
	}
	s.Eventually("all are photos", func() (bool, any) {
		got := len(s.photos(u))
		return got == n, got
	})

	wire := u.ByKey().MustWire()
	s.must(wire.Put("/job1/Class 0/own.jpg", photo()))
	own, err := os.Stat(u.Dir() + "/job1/Class 0/own.jpg")
	s.must(err)
	owner := func(fi os.FileInfo) [2]uint32 {
		st := fi.Sys().(*syscall.Stat_t)
		return [2]uint32{st.Uid, st.Gid}
	}
	for _, file := range append(copies(), u.Dir()+"/job1/Class 0") {
		if fi, err := os.Stat(file); err != nil || owner(fi) != owner(own) {
			t.Errorf("%s does not belong to the account: %v", file, err)
		}
	}
	before := s.photos(u)["job1/Class 0/000.jpg"]
	s.must(wire.Put("/job1/Class 0/000.jpg", photo()))
	s.must(wire.Rename("/job1/Class 1/001.jpg", "/job1/Class 1/renamed.jpg"))
	s.must(wire.Remove("/job1/Class 2/002.jpg"))
	s.Eventually("the uploader changes them", func() (bool, any) {
		now := s.photos(u)
		_, moved := now["job1/Class 1/renamed.jpg"]
		_, gone := now["job1/Class 2/002.jpg"]
		return moved && !gone && now["job1/Class 0/000.jpg"].SHA256 != before.SHA256, len(now)
	})
	if r := s.Picday("import", u.Name, "job1", old); r.Code != 4 || !strings.Contains(r.Stderr, "other content") {
		t.Errorf("a file that was replaced since: %v", r)
	}
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}
