// Package test is picday as a whole against the real world: real accounts, a
// real sshd, the real clients, and the commands as a sysadmin types them.
package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/testbed"
	"picday/internal/testphoto"
)

// grace is the testbed's delete_grace.
const grace = 2 * time.Second

func TestMain(m *testing.M) { testbed.Main(m) }

// site is a World in which picday is set up and the daemon runs.
type site struct {
	*testbed.World
	t      *testing.T
	daemon *testbed.Daemon
}

// newSite is a site of the test's own; most tests run in parallel.
func newSite(t *testing.T, options ...testbed.Options) *site {
	t.Helper()
	s := newQuietSite(t, options...)
	s.daemon = s.StartDaemon()
	return s
}

// newQuietSite is a site whose daemon has not been started yet.
func newQuietSite(t *testing.T, options ...testbed.Options) *site {
	t.Helper()
	t.Parallel()
	s := &site{World: testbed.New(t, options...), t: t}
	s.init()
	return s
}

var initialising sync.Mutex

// init sets picday up. The Worlds of a test binary share the daemon's Unix
// user and the jail group, a machine has one picday: one at a time.
func (s *site) init() {
	s.t.Helper()
	initialising.Lock()
	defer initialising.Unlock()
	s.MustPicday("init")
}

// jobs adds an account of the jobs layout with planned jobs.
func (s *site) jobs(word string, jobs ...string) *testbed.Uploader {
	s.t.Helper()
	u := s.AddAccount(word, "jobs")
	if len(jobs) > 0 {
		s.MustPicday(append([]string{"job", "add", u.Name}, jobs...)...)
	}
	return u
}

// portraits adds an account of the portraits layout.
func (s *site) portraits(word string, flags ...string) *testbed.Uploader {
	s.t.Helper()
	return s.AddAccount(word, "portraits", flags...)
}

// photos lists an account's photos by path. While files change places, one
// photo may be at a path already and another one still: that must end.
func (s *site) photos(u *testbed.Uploader, flags ...string) map[string]testbed.Photo {
	s.t.Helper()
	byPath := map[string]testbed.Photo{}
	s.Eventually("no path is listed twice", func() (bool, any) {
		clear(byPath)
		list := s.photoList(u, flags...)
		for _, p := range list {
			byPath[p.Path] = p
		}
		return len(byPath) == len(list), shorten(keys(byPath))
	})
	return byPath
}

func (s *site) photoList(u *testbed.Uploader, flags ...string) (list []testbed.Photo) {
	s.t.Helper()
	s.JSON(&list, append([]string{"photos", u.Name}, flags...)...)
	return list
}

func (s *site) problems(u *testbed.Uploader) map[string]testbed.Problem {
	s.t.Helper()
	var list []testbed.Problem
	s.JSON(&list, "problems", u.Name)
	byPath := map[string]testbed.Problem{}
	for _, p := range list {
		byPath[p.Path] = p
	}
	return byPath
}

func (s *site) trash(u *testbed.Uploader) map[string]testbed.Trash {
	s.t.Helper()
	var list []testbed.Trash
	s.JSON(&list, "trash", "list", u.Name)
	byPath := map[string]testbed.Trash{}
	for _, p := range list {
		byPath[p.Path] = p
	}
	return byPath
}

func (s *site) status() (st testbed.Status) {
	s.t.Helper()
	s.JSON(&st, "status")
	return st
}

// waitPhotos waits until the account's photos are exactly these paths.
func (s *site) waitPhotos(u *testbed.Uploader, paths ...string) map[string]testbed.Photo {
	s.t.Helper()
	slices.Sort(paths)
	got := map[string]testbed.Photo{}
	s.Eventually(fmt.Sprintf("photos are %q", shorten(paths)), func() (bool, any) {
		var have []string
		clear(got)
		for _, p := range s.photoList(u) {
			have = append(have, p.Path)
			got[p.Path] = p
		}
		slices.Sort(have)
		return slices.Equal(have, paths), shorten(have)
	})
	return got
}

// waitProblems waits until the account's problems are exactly path: reason.
func (s *site) waitProblems(u *testbed.Uploader, want map[string]string) map[string]testbed.Problem {
	s.t.Helper()
	var got map[string]testbed.Problem
	s.Eventually(fmt.Sprintf("problems are %v", want), func() (bool, any) {
		got = s.problems(u)
		have := map[string]string{}
		for path, p := range got {
			have[path] = p.Reason
		}
		return fmt.Sprint(have) == fmt.Sprint(want), have
	})
	for path, p := range got {
		if len(p.Message) < 15 || p.Since.IsZero() {
			s.t.Errorf("problem %s: message %q since %v", path, p.Message, p.Since)
		}
	}
	return got
}

// proof uploads a fresh photo after what was done before, and waits until it
// is taken: by then the daemon has had its chance to act on the earlier too.
func (s *site) proof(u *testbed.Uploader, remote string) {
	s.t.Helper()
	wire := u.ByKey().MustWire()
	defer wire.Cut()
	s.must(wire.Put(remote, photo()))
	s.Eventually("a photo uploaded later is taken: "+remote, func() (bool, any) {
		got := s.photos(u)
		_, ok := got[strings.TrimPrefix(remote, "/")]
		return ok, shorten(keys(got))
	})
}

// settled returns once everything that is there has been looked at.
func (s *site) settled() {
	s.t.Helper()
	s.MustPicday("rescan", "--wait")
}

// verify asks picday whether uploads, catalogue and files agree.
func (s *site) verify() {
	s.t.Helper()
	if !s.has("verify") {
		s.t.Log("not checked: this picday has no command verify")
		return
	}
	if r := s.Picday("verify"); r.Code != 0 {
		s.t.Error(r)
	}
}

// has tells whether picday has a command already.
func (s *site) has(command string) bool {
	return strings.Contains(s.MustPicday("--help"), "\n  "+command+" ")
}

// remains requires for longer than the grace that nothing is withdrawn.
func (s *site) remains(u *testbed.Uploader, paths ...string) {
	s.t.Helper()
	slices.Sort(paths)
	s.Never("photos are withdrawn", 2*grace, func() (bool, any) {
		have := keys(s.photos(u))
		return !slices.Equal(have, paths), shorten(have)
	})
	if trash := s.trash(u); len(trash) > 0 {
		s.t.Errorf("in the trash: %v", keys(trash))
	}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) ok(out testbed.Out) {
	s.t.Helper()
	s.must(out.Err)
}

// renditions are the served files on disk, each with what changes when it is
// written again.
func (s *site) renditions() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(s.Data+"/renditions", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".jpg") {
			info, err := d.Info()
			if err != nil {
				return err
			}
			all[path] = identity(info)
		}
		return err
	})
	s.must(err)
	return all
}

// sameRenditions requires that no rendition was written again or taken away.
func (s *site) sameRenditions(before map[string]string) {
	s.t.Helper()
	after := s.renditions()
	for path, id := range before {
		if after[path] != id {
			s.t.Errorf("rendition %s was %s, is now %q", path, id, after[path])
		}
	}
}

func keys[V any](m map[string]V) []string {
	list := []string{}
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// shorten keeps failures readable.
func shorten(list []string) string {
	text, _ := json.Marshal(list)
	return fmt.Sprintf("%d: %.1500s", len(list), text)
}

// photo is a small whole JPEG, a different one each time.
func photo() []byte {
	return testphoto.Vary(testphoto.Tiny(0), int(photoCount.Add(1)))
}
