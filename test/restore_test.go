package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

// deleteEverything deletes all Unix users, trees and data of picday, as on a new machine. It keeps the
// uploaders' passwords and keys, and the backup.
func (s *site) deleteEverything(accounts ...*bed.Uploader) {
	s.t.Helper()
	for _, u := range accounts {
		var logins []bed.AccountLogin
		s.JSON(&logins, "account", "login", "list", u.Name)
		for _, l := range logins {
			if out, err := exec.Command("sh", "-c", "groupdel $1 && userdel $1", "sh", l.Name).CombinedOutput(); err != nil {
				s.t.Fatalf("userdel %s: %v: %s", l.Name, err, out)
			}
		}
		if out, err := exec.Command("userdel", u.Name).CombinedOutput(); err != nil {
			s.t.Fatalf("userdel %s: %v: %s", u.Name, err, out)
		}
	}
	for _, dir := range []string{s.Uploads, s.Data, s.Keys, s.Ours} {
		s.must(os.RemoveAll(dir))
	}
	// Occupy UIDs, because nothing may depend on getting the same ones again.
	s.AddUnixUser(fmt.Sprintf("later%d", len(accounts)))
}

// notOfPhotos is what only a running picdayd knows of a job, and when a file came into it
// last, which may have been a problem that a backup leaves out.
var notOfPhotos = regexp.MustCompile(`"(arrival|arriving|waiting|latest_at)":`)

// allOutput returns the output of all commands that list or show, without what depends on
// the time.
func (s *site) allOutput(accounts ...*bed.Uploader) string {
	s.t.Helper()
	var b strings.Builder
	for _, u := range accounts {
		for _, args := range [][]string{{"account", "show"}, {"account", "login", "list"}, {"job", "list"}, {"photos"}, {"trash", "list"}} {
			for line := range strings.Lines(s.MustPicday(append(args, u.Name, "--json")...)) {
				if !notOfPhotos.MatchString(line) {
					b.WriteString(line)
				}
			}
		}
	}
	return b.String()
}

// tree lists every file and folder below dir, with owner, mode and content.
func (s *site) tree(dir string) string {
	s.t.Helper()
	out, err := exec.Command("sh", "-c", `cd "$1" && find . ! -name .picday-volume -printf '%p %u %m %y\n' | sort && find . -type f ! -name .picday-volume -exec sha256sum {} + | sort`, "sh", dir).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestRestore(t *testing.T) {
	s := newSite(t)
	studio, school, closed := s.jobs("studio", "job1", "sold"), s.portraits("school", "--allow-from", "127.0.0.1"), s.jobs("closed", "job1")
	anna, zoe, gone := studio.AddLogin("anna", "--until", "2090-12-31"), school.AddLogin("zoe"), closed.AddLogin("gone")
	everybody := []*bed.Uploader{studio, school, closed}
	wire := studio.ByKey().MustWire()
	for _, dir := range []string{"/job1/A", "/job1/A/group", "/job1/Klasse \xff", "/sold/A"} {
		s.must(wire.Mkdir(dir))
	}
	pictures := map[string][]byte{}
	for _, path := range []string{"job1/A/a.jpg", "job1/A/group/b.jpg", "job1/Klasse \xff/c.jpg", "job1/A/gone.jpg", "sold/A/d.jpg"} {
		pictures[path] = photo()
		s.must(wire.Put("/"+path, pictures[path]))
	}
	s.must(school.ByKey().MustWire().Put("/"+school.Name+"/user-pictures/0012.jpg", photo()))
	s.must(closed.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(closed, "/job1/A/x.jpg")
	s.waitPhotos(studio, "job1/A/a.jpg", "job1/A/group/b.jpg", `job1/Klasse \xff/c.jpg`, "job1/A/gone.jpg", "sold/A/d.jpg")
	s.waitPhotos(school, school.Name+"/user-pictures/0012.jpg")
	s.must(wire.Remove("/job1/A/gone.jpg"))
	s.waitPhotos(studio, "job1/A/a.jpg", "job1/A/group/b.jpg", `job1/Klasse \xff/c.jpg`, "sold/A/d.jpg")
	s.MustPicday("job", "activate", studio.Name, "sold")
	s.MustPicday("account", "disable", closed.Name)
	wire.Cut()
	s.rescan()
	before, trees, rendered := s.allOutput(everybody...), s.tree(s.Uploads), s.tree(s.Data+"/renditions")
	served := s.servedSums(everybody...)
	s.must(studio.ByKey().MustWire().Put("/job1/lost.jpg", photo()))
	s.waitProblems(studio, map[string]string{"job1/lost.jpg": "no-album"})
	s.backup()

	if r := s.Picday("restore", s.Dir+"/backup"); r.Code != 4 || !strings.Contains(r.Stderr, "picdayd is running") {
		t.Errorf("over a running daemon: %v", r)
	}
	s.daemon.Stop(syscall.SIGTERM)
	if r := s.Picday("restore", s.Dir+"/backup"); r.Code != 4 || !strings.Contains(r.Stderr, "would replace it") {
		t.Errorf("over a catalogue that is in use: %v", r)
	}
	s.deleteEverything(everybody...)
	config := readFile(t, s.Config)
	s.must(os.Remove(s.Config))
	var view struct {
		Photos, Accounts, Jobs int
		PutBack                int      `json:"files_put_back"`
		Problems               []string `json:"problems"`
	}
	s.restore(&view)
	if view.Photos != 6 || view.Accounts != 3 || view.Jobs != 3 || view.PutBack != 6 || len(view.Problems) > 0 {
		t.Errorf("%+v", view)
	}
	requireSame(t, "the configuration", string(config), string(readFile(t, s.Config)))
	requireSame(t, "what picday says", before, s.allOutput(everybody...))
	requireSame(t, "the uploaders' folders", trees, s.tree(s.Uploads))
	requireSame(t, "the renditions", rendered, s.tree(s.Data+"/renditions"))

	s.daemon = s.StartDaemon()
	requireSame(t, "what links serve", served, s.servedSums(everybody...))
	s.rescan()
	renditions := s.renditions()
	s.requireStillPublishedBesideTrash(studio, "job1/A/a.jpg", "job1/A/group/b.jpg", `job1/Klasse \xff/c.jpg`, "sold/A/d.jpg")
	requireSame(t, "what picday says after a rescan", before, s.allOutput(everybody...))
	s.requireSameRenditions(renditions)
	if r := s.Picday("doctor"); r.Code != 0 {
		t.Error(r)
	}
	s.verify()
	for what, login := range map[string]bed.Login{"key": studio.ByKey(), "password": studio.ByPassword(), "school's key": school.ByKey(), "school's password": school.ByPassword(), "a log-in's key": anna.ByKey(), "a log-in's password": anna.ByPassword(), "school's log-in": zoe.ByKey()} {
		if out := login.SFTP("ls"); out.Err != nil {
			t.Errorf("login by %s: %v", what, out.Err)
		}
	}
	for what, login := range map[string]bed.Login{"key": closed.ByKey(), "password": closed.ByPassword(), "key of a log-in": gone.ByKey(), "password of a log-in": gone.ByPassword()} {
		if out := login.SFTP("ls"); out.Err == nil {
			t.Errorf("the disabled account gets in by %s", what)
		}
	}
	s.requireWorking(studio, school, closed)
}

// servedSums returns what each link shows.
func (s *site) servedSums(accounts ...*bed.Uploader) string {
	s.t.Helper()
	var b strings.Builder
	for _, u := range accounts {
		for _, p := range s.photos(u) {
			status, body := fetch(s.t, p.URL)
			fmt.Fprintln(&b, u.Name, p.Path, status, sum(body))
		}
	}
	lines := strings.Split(b.String(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (s *site) restore(view any) {
	s.t.Helper()
	initialising.Lock()
	defer initialising.Unlock()
	s.JSON(view, "restore", s.Dir+"/backup", "--with-config")
}

// requireWorking requires that uploads, log-ins and links work after a restore.
func (s *site) requireWorking(studio, school, closed *bed.Uploader) {
	s.t.Helper()
	old, portrait := s.photos(studio), school.Name+"/user-pictures/0012.jpg"
	oldPortrait := s.photos(school)[portrait]
	wire := studio.ByPassword().MustWire()
	next := photo()
	s.must(wire.Put("/job1/A/a.jpg", next))
	s.waitSum(studio, "job1/A/a.jpg", next)
	s.must(wire.PosixRename("/job1/A/group/b.jpg", "/job1/A/b.jpg"))
	s.must(wire.Remove("/job1/Klasse \xff/c.jpg"))
	now := s.waitPhotos(studio, "job1/A/a.jpg", "job1/A/b.jpg", "sold/A/d.jpg")
	if now["job1/A/a.jpg"].Link != old["job1/A/a.jpg"].Link || now["job1/A/b.jpg"].Link != old["job1/A/group/b.jpg"].Link {
		s.t.Errorf("links have changed: %+v\n%+v", old, now)
	}
	s.must(school.ByKey().MustWire().Put("/"+portrait, next))
	s.waitSum(school, portrait, next)
	if s.photos(school)[portrait].Link != oldPortrait.Link {
		s.t.Error("the portrait's link has changed")
	}
	s.MustPicday("trash", "restore", studio.Name, "job1/A/gone.jpg")
	s.MustPicday("job", "plan", studio.Name, "sold")
	s.MustPicday("account", "enable", closed.Name)
	s.uploadAndWait(closed, "/job1/A/y.jpg")
	s.waitPhotos(studio, "job1/A/a.jpg", "job1/A/b.jpg", "sold/A/d.jpg", "job1/A/gone.jpg")
	s.must(studio.ByKey().MustWire().Remove("/sold/A/d.jpg"))
	s.waitPhotos(studio, "job1/A/a.jpg", "job1/A/b.jpg", "job1/A/gone.jpg")
	s.verify()
}

// A restore handles an account that was removed with its photos kept, and upload trees that
// have newer files than the backup.
func TestRestoreOntoWhatIsLeft(t *testing.T) {
	s := newSite(t)
	kept, u := s.jobs("kept", "job1"), s.jobs("left", "job1")
	for _, x := range []*bed.Uploader{kept, u} {
		s.must(x.ByKey().MustWire().Mkdir("/job1/A"))
		s.uploadAndWait(x, "/job1/A/1.jpg")
	}
	s.uploadAndWait(u, "/job1/A/2.jpg")
	before := s.waitPhotos(u, "job1/A/1.jpg", "job1/A/2.jpg")
	s.MustPicday("account", "remove", kept.Name, "--keep")
	s.backup()
	next := photo()
	s.must(u.ByKey().MustWire().Put("/job1/A/2.jpg", next))
	s.waitSum(u, "job1/A/2.jpg", next)
	s.daemon.Stop(syscall.SIGTERM)
	s.must(os.RemoveAll(s.Data))
	// After a disk error half-way, the restore is run again.
	volume := s.Uploads + "/.picday-volume"
	s.must(os.Remove(volume))
	s.must(os.Mkdir(volume, 0o755))
	if r := s.Picday("restore", s.Dir+"/backup"); r.Code != 1 || !strings.Contains(r.Stderr, "run the same command again") {
		t.Fatal(r)
	}
	if r := s.Picday("photos"); strings.Contains(r.Stdout, "1.jpg") {
		t.Error("half a restore is published")
	}
	s.must(os.Remove(volume))
	s.EditConfig("longest = 400", "longest = 500")
	r := s.Picday("restore", s.Dir+"/backup", "--json")
	if !strings.Contains(r.Stderr, "is kept: it is this machine's own") || !strings.Contains(string(readFile(t, s.Config)), "longest = 500") {
		t.Errorf("the configuration: %v", r)
	}
	var view struct {
		WereThere int      `json:"files_there_already"`
		PutBack   int      `json:"files_put_back"`
		Problems  []string `json:"problems"`
	}
	s.must(json.Unmarshal([]byte(r.Stdout), &view))
	if r.Code != 1 || view.WereThere != 2 || view.PutBack != 0 || len(view.Problems) != 1 || !strings.Contains(view.Problems[0], "2.jpg") {
		t.Errorf("%v", r)
	}
	s.daemon = s.StartDaemon()
	s.waitSum(u, "job1/A/2.jpg", next)
	after := s.waitPhotos(u, "job1/A/1.jpg", "job1/A/2.jpg")
	if one := "job1/A/1.jpg"; after[one].Link != before[one].Link {
		t.Errorf("%s: the link was %s, is %s", one, before[one].Link, after[one].Link)
	}
	// It is unknown whether this file was an overwrite or another child's picture, so the old
	// link is dead, and its photo is in the trash.
	two := "job1/A/2.jpg"
	s.requireNotFound(before[two].URL)
	if after[two].Link == before[two].Link || s.trash(u)[two].SHA256 != before[two].SHA256 {
		t.Errorf("%s: %+v, then %+v, in the trash %+v", two, before[two], after[two], s.trash(u))
	}
	s.requireStillPublishedBesideTrash(u, "job1/A/1.jpg", "job1/A/2.jpg")
	if out := kept.ByKey().SFTP("ls"); out.Err == nil {
		t.Error("the removed account gets in")
	}
	s.MustPicday("account", "add", kept.Name, "--layout", "jobs", "--key", kept.Key+".pub")
	s.uploadAndWait(kept, "/job1/A/2.jpg")
	s.requireStillPublished(kept, "job1/A/1.jpg", "job1/A/2.jpg")
	s.verify()
}

// A restore that is refused changes nothing on the machine. One with a damaged original
// restores the rest, and reports it.
func TestRestoreRefuses(t *testing.T) {
	s := newSite(t)
	u := s.jobs("inway", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.backup()
	s.daemon.Stop(syscall.SIGTERM)
	s.deleteEverything(u)
	if out, err := exec.Command("useradd", "--no-create-home", "--home-dir", "/nonexistent", u.Name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r := s.Picday("restore", s.Dir+"/backup"); r.Code != 4 || !strings.Contains(r.Stderr, u.Name) || !strings.Contains(r.Stderr, "nothing was changed") {
		t.Error(r)
	}
	if _, err := os.Lstat(s.Data); err == nil {
		t.Error("something was changed")
	}
	if out, err := exec.Command("userdel", u.Name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r := s.Picday("restore", s.Dir); r.Code != 2 || !strings.Contains(r.Stderr, "manifest.json") {
		t.Errorf("no backup: %v", r)
	}
	// If an original in the backup is damaged, restore names it and restores the rest.
	all, err := filepath.Glob(s.Dir + "/backup/originals/*/*.jpg")
	s.must(err)
	s.damage(all[0], []byte("not what it was"))
	if r := s.Picday("restore", s.Dir+"/backup"); r.Code != 1 || !strings.Contains(r.Stdout, "damaged in the backup") {
		t.Error(r)
	}
	s.daemon = s.StartDaemon()
	s.requireStillPublished(u, "job1/A/x.jpg")
	old := s.photos(u)["job1/A/x.jpg"]
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	next := photo()
	s.must(u.ByKey().MustWire().Put("/job1/A/x.jpg", next))
	s.waitSum(u, "job1/A/x.jpg", next)
	if s.waitPhotos(u, "job1/A/x.jpg")["job1/A/x.jpg"].Link == old.Link {
		t.Error("the link of a picture that is lost shows another one")
	}
	s.requireNotFound(old.URL)
}

// requireSame requires that two texts are the same, and prints the lines that differ.
func requireSame(t *testing.T, what, before, after string) {
	t.Helper()
	if before == after {
		return
	}
	missing := func(from, in string) (lines []string) {
		for line := range strings.Lines(from) {
			if !strings.Contains(in, line) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	}
	t.Errorf("%s is not as before\nonly before: %q\nonly now: %q", what, missing(before, after), missing(after, before))
}
