package test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// people is what the uploader has done so far, and whose link each link is.
type people struct {
	mu     sync.Mutex
	placed map[string]map[shot]bool // portraits: what was ever put at this ID
	owner  map[string]int           // jobs: whose picture the link showed first
	known  map[[32]byte]shot        // renditions that were read
	links  map[string]string        // link → ID of a portrait, "" = of a job
	shown  int
	wrong  []string
}

// fetch asks for the picture of a link and compares whose it is.
func (p *people) fetch(public, link, id string) {
	res, err := http.Get("http://" + public + "/" + link + ".jpg")
	if err != nil {
		return // killed
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return
	}
	sum := sha256.Sum256(body)
	p.mu.Lock()
	defer p.mu.Unlock()
	n, ok := p.known[sum]
	if !ok {
		if n, err = readGrid(body); err != nil {
			p.wrong = append(p.wrong, fmt.Sprintf("link %s shows no whole picture: %v", link, err))
			return
		}
		p.known[sum] = n
	}
	p.shown++
	switch owner, ok := p.owner[link]; {
	case id != "" && !p.placed[id][n]:
		p.wrong = append(p.wrong, fmt.Sprintf("the link of portrait %s shows %+v, which never was at that ID", id, n))
	case id == "" && !ok:
		p.owner[link] = n.person
	case id == "" && owner != n.person:
		p.wrong = append(p.wrong, fmt.Sprintf("the link of person %d shows %+v", owner, n))
	}
}

// watch fetches all links again and again until stop is closed. A link that was seen once is
// asked for until the end.
func (p *people) watch(s *site, token string, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(30 * time.Millisecond):
		}
		var listed struct{ Photos []bed.Photo }
		r, _ := http.NewRequest("GET", "http://"+s.Admin+"/api/v1/photos?limit=1000", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		if res, err := http.DefaultClient.Do(r); err == nil {
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err == nil && res.StatusCode == http.StatusOK {
				s.decode(string(body), &listed)
			}
		}
		p.mu.Lock()
		for _, photo := range listed.Photos {
			p.links[photo.Link] = photo.Person
		}
		links := maps.Clone(p.links)
		p.mu.Unlock()
		for link, id := range links {
			p.fetch(s.Public, link, id)
		}
	}
}

// An uploader renames, swaps, overwrites, deletes and brings back at random, and the daemon is
// killed in between. No link ever shows a picture that was not uploaded for it, and in the end
// each shows what is there. PICDAY_SEED replays a run; PICDAY_TORTURE=1 goes on for a million
// fetches and 300 kills.
func TestEveryLinkShowsTheRightPerson(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PICDAY_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PICDAY_SEED=%d", seed)
	steps, kills, fetches := 90, 2, 0
	if os.Getenv("PICDAY_TORTURE") != "" {
		steps, kills, fetches = 60*300, 300, 1_000_000
	}
	s := newSite(t, bed.Options{DeleteGrace: time.Second})
	studio, school := s.jobs("studio", "job1"), s.portraits("school")
	token := s.token("reader")
	u := &hurry{
		site: s, r: rand.New(rand.NewPCG(seed, 1)), jobs: studio.ByKey().MustWire(), school: school.ByKey().MustWire(), dir: pictures(school),
		files: map[string]shot{}, was: map[int]map[string]bool{}, spent: map[string]bool{},
	}
	u.placed = map[string]map[shot]bool{}
	u.owner, u.known, u.links = map[string]int{}, map[[32]byte]shot{}, map[string]string{}
	for _, dir := range []string{"/job1/A", "/job1/B", "/job1/B/group"} {
		s.must(u.jobs.Mkdir(dir))
	}
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() { defer close(watched); u.watch(s, token, stop) }()
	for i := range steps {
		u.step()
		if i%(steps/kills) == steps/kills/2 {
			s.daemon.Kill()
			for range u.r.IntN(5) {
				u.step()
			}
			s.daemon = s.StartDaemon()
		}
	}
	for u.count() < fetches {
		u.step()
	}
	want := map[string]string{}
	for path, n := range u.files {
		want[strings.TrimPrefix(path, "/")] = sum(gridPicture(n))
	}
	s.Eventually("what is there is published", func() (bool, any) {
		got := map[string]string{}
		for _, who := range []*bed.Uploader{studio, school} {
			for path, p := range s.photos(who) {
				got[path] = p.SHA256
			}
		}
		var differ []string
		for path := range maps.Keys(merged(got, want)) {
			if got[path] != want[path] {
				differ = append(differ, fmt.Sprintf("%s is %.8q, not %.8q", path, got[path], want[path]))
			}
		}
		return len(differ) == 0, differ
	})
	close(stop)
	<-watched
	for _, who := range []*bed.Uploader{studio, school} {
		for path, p := range s.photos(who) {
			id := p.Person
			u.fetch(s.Public, p.Link, id)
			if n := u.files["/"+path]; id != "" && n == (shot{}) {
				t.Errorf("%s is published and not there", path)
			}
		}
	}
	if len(u.wrong) > 0 {
		t.Errorf("%d of %d pictures were wrong:\n%s", len(u.wrong), u.shown, strings.Join(u.wrong[:min(20, len(u.wrong))], "\n"))
	}
	if u.shown < 10*len(want) || len(want) < 3 {
		t.Errorf("%d files, %d pictures seen: this test cannot see", len(want), u.shown)
	}
	s.verify()
	t.Logf("%d pictures, %d links, %d files", u.shown, len(u.links), len(want))
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// hurry is the uploader. A job's file is of one person for as long as it exists, under
// whatever name: another picture takes its place only if it is of the same person.
type hurry struct {
	*site
	people
	r            *rand.Rand
	jobs, school *bed.Wire
	dir          string // of the portraits
	files        map[string]shot
	gone         []shot                  // deleted from the job, may come back
	was          map[int]map[string]bool // jobs: the paths at which a person's file was
	spent        map[string]bool         // where a file was that is deleted
	persons      int
}

// A picture that is put where another one was deleted counts as that one's successor, and so
// it may if the other was moved away and deleted before picdayd has looked. So such paths are
// not used again, and a file is not deleted while another one is at a path that it had.
func (u *hurry) deletable(path string) bool {
	for old := range u.was[u.files[path].person] {
		if _, taken := u.files[old]; taken && old != path {
			return false
		}
	}
	return true
}

func (u *hurry) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.shown
}

// pick returns a random path with a prefix, "" if there is none.
func (u *hurry) pick(prefix string) string {
	var all []string
	for path := range u.files {
		if strings.HasPrefix(path, prefix) {
			all = append(all, path)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all) // so that a seed replays
	return all[u.r.IntN(len(all))]
}

// free returns a random path in the job at which no file is.
func (u *hurry) free() string {
	for {
		path := fmt.Sprintf("/job1/%s/%d.jpg", []string{"A", "B", "B/group"}[u.r.IntN(3)], u.r.IntN(12+u.persons/2))
		if _, taken := u.files[path]; !taken && !u.spent[path] {
			return path
		}
	}
}

func (u *hurry) newcomer() shot {
	u.persons++
	return shot{u.persons, 1}
}

// put uploads a picture; inPlace overwrites without truncating first, as scp does.
func (u *hurry) put(wire *bed.Wire, path string, n shot, inPlace bool) {
	u.t.Helper()
	data := gridPicture(n)
	flags := uint32(bed.Write | bed.Create)
	if !inPlace {
		flags |= bed.Truncate
	}
	f, err := wire.Open(path, flags)
	u.must(err)
	half := len(data) / 2
	_, err = f.Write(data[:half])
	u.must(err)
	if u.r.IntN(4) == 0 {
		time.Sleep(time.Duration(u.r.IntN(120)) * time.Millisecond)
	}
	_, err = f.Write(data[half:])
	u.must(err)
	u.must(f.Truncate(uint64(len(data))))
	u.must(f.Close())
	u.place(path, n)
}

func (u *hurry) place(path string, n shot) {
	u.files[path] = n
	if u.was[n.person] == nil {
		u.was[n.person] = map[string]bool{}
	}
	u.was[n.person][path] = true
}

func (u *hurry) move(from, to string) {
	u.t.Helper()
	u.must(u.jobs.PosixRename(from, to))
	u.place(to, u.files[from])
	delete(u.files, from)
}

func (u *hurry) step() {
	u.t.Helper()
	if u.r.IntN(2) == 0 {
		time.Sleep(time.Duration(u.r.IntN(150)) * time.Millisecond)
	}
	if u.r.IntN(3) == 0 {
		u.portrait()
		return
	}
	a, b := u.pick("/job1/"), u.pick("/job1/")
	switch what := u.r.IntN(8); {
	case a == "" || what <= 1 && len(u.files) < 40:
		u.put(u.jobs, u.free(), u.newcomer(), false)
	case what == 2: // the same person again
		n := u.files[a]
		u.put(u.jobs, a, shot{n.person, n.version%250 + 1}, u.r.IntN(2) == 0)
	case what == 3: // and somebody else under the old name at once
		u.move(a, u.free())
		u.put(u.jobs, a, u.newcomer(), false)
	case what == 4 && a != b: // swap
		aside := u.free()
		u.move(a, aside)
		u.move(b, a)
		u.move(aside, b)
	case what == 5:
		u.move(a, u.free())
	case what == 6 && u.deletable(a):
		u.must(u.jobs.Remove(a))
		n := u.files[a]
		for path := range u.was[n.person] {
			u.spent[path] = true
		}
		u.gone = append(u.gone, n)
		delete(u.files, a)
	case what == 7 && len(u.gone) > 0: // the same picture comes back elsewhere
		n := u.gone[len(u.gone)-1]
		u.gone = u.gone[:len(u.gone)-1]
		u.put(u.jobs, u.neverUsed(), n, false)
	}
}

// neverUsed is a new path: under the name of a deleted file, the next one counts as that
// person's new picture.
func (u *hurry) neverUsed() string {
	u.persons++
	return fmt.Sprintf("/job1/A/new-%d.jpg", u.persons)
}

// portrait does something to a portrait. What is put at an ID is for that ID.
func (u *hurry) portrait() {
	u.t.Helper()
	id := strconv.Itoa(100 + u.r.IntN(6))
	path := u.dir + id + ".jpg"
	place := func(id string, n shot) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.placed[id] == nil {
			u.placed[id] = map[shot]bool{}
		}
		u.placed[id][n] = true
	}
	n, there := u.files[path]
	switch what := u.r.IntN(4); {
	case what <= 1 || !there:
		n := u.newcomer()
		place(id, n)
		u.put(u.school, path, n, u.r.IntN(2) == 0)
	case what == 2: // it was the wrong ID
		other := strconv.Itoa(100 + u.r.IntN(6))
		place(other, n)
		u.must(u.school.PosixRename(path, u.dir+other+".jpg"))
		delete(u.files, path)
		u.files[u.dir+other+".jpg"] = n
	default:
		u.must(u.school.Remove(path))
		delete(u.files, path)
	}
}
