package test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"picday/internal/testbed"
)

// A studio's backlog and three schools' portraits are found at the same start:
// the portraits are among the first that are taken.
func TestAPortraitDoesNotWaitForABacklog(t *testing.T) {
	s := newSite(t)
	studio := s.jobs("studio", "job1")
	schools := make([]*testbed.Uploader, 3)
	s.daemon.Stop(syscall.SIGTERM)
	wire := studio.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	const backlog = 500
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
	s.settled()
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
