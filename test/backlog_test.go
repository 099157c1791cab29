package test

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// A studio's backlog and three schools' portraits are found when the daemon starts. The
// portraits are among the first that are published.
func TestAPortraitDoesNotWaitForABacklog(t *testing.T) {
	s := newSite(t)
	studio := s.jobs("studio", "job1")
	schools := make([]*bed.Uploader, 3)
	s.daemon.Stop(syscall.SIGTERM)
	wire := studio.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	const backlog = 250
	for i := range backlog {
		s.must(wire.Put(fmt.Sprintf("/job1/A/%03d.jpg", i), photo()))
	}
	type taken struct {
		who string
		at  time.Time
	}
	var all []taken
	for i := range schools {
		u := s.portraits(fmt.Sprint("school", i))
		schools[i] = u
		s.must(u.ByKey().MustWire().Put("/"+u.Name+"/user-pictures/7.jpg", photo()))
	}
	s.daemon = s.StartDaemon()
	s.rescan()
	for _, p := range s.photoList(studio) {
		all = append(all, taken{studio.Name, p.IngestedAt})
	}
	if len(all) != backlog {
		t.Fatalf("%d of %d are taken", len(all), backlog)
	}
	for _, u := range schools {
		list := s.photoList(u)
		if len(list) != 1 {
			t.Fatalf("%s has %d portraits", u.Name, len(list))
		}
		all = append(all, taken{u.Name, list[0].IngestedAt})
	}
	slices.SortStableFunc(all, func(a, b taken) int { return a.at.Compare(b.at) })
	for i, p := range all {
		if p.who != studio.Name && i > backlog/4 {
			t.Errorf("%s has its portrait after %d photos of the studio", p.who, i)
		}
	}
	s.verify()
}

// Behind a backlog of 10,000 photos and 300 large ones of another account a
// portrait takes seconds from its upload to its link.
func TestAPortraitBehindAnyBacklog(t *testing.T) {
	if os.Getenv("PICDAY_TORTURE") == "" {
		t.Skip("takes minutes: PICDAY_TORTURE=1")
	}
	s := newSite(t, bed.Options{Settle: time.Second})
	studio, school := s.jobs("studio", "job1"), s.portraits("school")
	at := school.Name + "/user-pictures/"
	wire := school.ByKey().MustWire()
	s.must(wire.Put("/"+at+"1.jpg", photo()))
	s.waitPhotos(school, at+"1.jpg")
	dir := s.Uploads + "/" + studio.Name + "/job1/A"
	owner := s.Credential(studio.Name)
	s.must(os.Mkdir(dir, 0o755))
	s.must(os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	large := testphoto.Make(testphoto.Spec{Width: 6000, Height: 4000, Noise: 20})
	for i := range 10_300 {
		data := photo()
		if i%34 == 33 {
			data = testphoto.Vary(large, i)
		}
		s.must(os.WriteFile(fmt.Sprintf("%s/%d.jpg", dir, i), data, 0o644))
	}
	var worst time.Duration
	for n := 2; n < 8; n++ {
		path := fmt.Sprintf("%s%d.jpg", at, n)
		s.must(wire.Put("/"+path, photo()))
		begin := time.Now()
		for {
			if _, ok := s.photos(school)[path]; ok {
				break
			}
			if time.Since(begin) > time.Minute {
				t.Fatalf("%s is not taken", path)
			}
		}
		took := time.Since(begin)
		worst = max(worst, took)
		st := s.status()
		t.Logf("%s after %v, %d of the studio waiting or queued", path, took, st.Waiting+st.Queued)
		if st.Waiting+st.Queued < 100 {
			t.Fatal("the backlog is over: this test cannot see")
		}
	}
	if worst > 10*time.Second { // it takes 3 s on an idle machine
		t.Errorf("a portrait took %v", worst)
	}
}
