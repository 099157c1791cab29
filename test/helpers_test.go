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

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// grace is the bed's delete_grace.
const grace = 2 * time.Second

func TestMain(m *testing.M) {
	bed.StepBack()
	bed.Main(m)
}

// site is a World in which picday is set up and the daemon runs.
type site struct {
	*bed.World
	t      *testing.T
	daemon *bed.Daemon
}

// newSite returns a site for one test, which then runs in parallel with others.
func newSite(t *testing.T, options ...bed.Options) *site {
	t.Helper()
	s := newQuietSite(t, options...)
	s.daemon = s.StartDaemon()
	return s
}

// newQuietSite returns a site whose daemon does not run yet.
func newQuietSite(t *testing.T, options ...bed.Options) *site {
	t.Helper()
	t.Parallel()
	s := &site{World: bed.New(t, options...), t: t}
	s.init()
	return s
}

// lend has a part of the site's test report what fails in it.
func (s *site) lend(part *testing.T) {
	whole := s.t
	s.t, s.T = part, part
	part.Cleanup(func() { s.t, s.T = whole, whole })
}

var initialising sync.Mutex

// init runs picday init, in one World at a time: the Worlds of a test binary share the
// daemon's Unix user and the jailed group, and init expects no other picday on the machine.
func (s *site) init() {
	s.t.Helper()
	initialising.Lock()
	defer initialising.Unlock()
	s.MustPicday("init")
}

// jobs adds an account of the jobs layout with planned jobs.
func (s *site) jobs(word string, jobs ...string) *bed.Uploader {
	s.t.Helper()
	u := s.AddAccount(word, "jobs")
	if len(jobs) > 0 {
		s.MustPicday(append([]string{"job", "add", u.Name}, jobs...)...)
	}
	return u
}

// portraits adds an account of the portraits layout.
func (s *site) portraits(word string, flags ...string) *bed.Uploader {
	s.t.Helper()
	return s.AddAccount(word, "portraits", flags...)
}

// photos lists an account's photos by path. While files are renamed to each other's names,
// two photos can have the same path for a moment; photos waits until that is over.
func (s *site) photos(u *bed.Uploader, flags ...string) map[string]bed.Photo {
	s.t.Helper()
	byPath := map[string]bed.Photo{}
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

func (s *site) photoList(u *bed.Uploader, flags ...string) (list []bed.Photo) {
	s.t.Helper()
	s.JSON(&list, append([]string{"photos", u.Name}, flags...)...)
	return list
}

func (s *site) problems(u *bed.Uploader) map[string]bed.Problem {
	s.t.Helper()
	var list []bed.Problem
	s.JSON(&list, "problems", u.Name)
	byPath := map[string]bed.Problem{}
	for _, p := range list {
		byPath[p.Path] = p
	}
	return byPath
}

func (s *site) trash(u *bed.Uploader) map[string]bed.Trash {
	s.t.Helper()
	var list []bed.Trash
	s.JSON(&list, "trash", "list", u.Name)
	byPath := map[string]bed.Trash{}
	for _, p := range list {
		byPath[p.Path] = p
	}
	return byPath
}

func (s *site) status() (st bed.Status) {
	s.t.Helper()
	s.JSON(&st, "status")
	return st
}

// waitPhotos waits until the account's photos are exactly these paths.
func (s *site) waitPhotos(u *bed.Uploader, paths ...string) map[string]bed.Photo {
	s.t.Helper()
	slices.Sort(paths)
	got := map[string]bed.Photo{}
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
func (s *site) waitProblems(u *bed.Uploader, want map[string]string) map[string]bed.Problem {
	s.t.Helper()
	var got map[string]bed.Problem
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

// uploadAndWait uploads a new photo and waits until it is published. By then the daemon has also
// seen everything that was done before.
func (s *site) uploadAndWait(u *bed.Uploader, remote string) {
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

// rescan waits until the daemon has processed all files.
func (s *site) rescan() {
	s.t.Helper()
	s.MustPicday("rescan", "--wait")
}

// verify asks picday whether uploads, catalogue and files agree.
func (s *site) verify() {
	s.t.Helper()
	if !s.hasCommand("verify") {
		s.t.Log("not checked: this picday has no command verify")
		return
	}
	if r := s.Picday("verify"); r.Code != 0 {
		s.t.Error(r)
	}
}

// hasCommand tells whether picday has a command.
func (s *site) hasCommand(command string) bool {
	return strings.Contains(s.MustPicday("--help"), "\n  "+command+" ")
}

// requireStillPublished requires that these photos stay published for longer than the grace.
func (s *site) requireStillPublished(u *bed.Uploader, paths ...string) {
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

func (s *site) mustSucceed(out bed.Out) {
	s.t.Helper()
	s.must(out.Err)
}

// renditions maps the files of renditions to their identity.
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

// requireSameRenditions requires that no rendition was written again or deleted.
func (s *site) requireSameRenditions(before map[string]string) {
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

// shorten shortens a long list for the message of a failure.
func shorten(list []string) string {
	text, _ := json.Marshal(list)
	return fmt.Sprintf("%d: %.1500s", len(list), text)
}

// photo returns a small valid JPEG, a different one each time.
func photo() []byte {
	return testphoto.Vary(testphoto.Tiny(0), int(photoCount.Add(1)))
}
