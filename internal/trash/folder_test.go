package trash

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/failure"
	"picday/internal/test/uploads"
	"picday/store"
)

// newFolder has a.jpg and b.jpg of album A and c.jpg of album B in the trash, and d.jpg
// of A withdrawn by an operator.
func newFolder(t *testing.T) (*Trash, *uploads.Site) {
	s := uploads.New(t)
	for _, name := range []string{"A/a.jpg", "A/b.jpg", "B/c.jpg", "A/d.jpg"} {
		s.Write("acme/job1/"+name, "picture of "+name)
		s.Publish("acme/job1/" + name)
		if name == "A/d.jpg" {
			p := s.Photo("acme/job1/A/d.jpg")
			s.Update(func(tx *store.Tx) error { return tx.WithdrawBy(p.ID, "eva") })
			continue
		}
		s.Remove("acme/job1/" + name)
		s.Missing("acme/job1/" + name)
	}
	s.Withdraw()
	return &Trash{Store: s.Store, Machine: machine{s}, UploadDir: s.UploadDir, Volumes: s.Volumes}, s
}

func TestAFolderComesBackButNotWhatAnOperatorWithdrew(t *testing.T) {
	x, s := newFolder(t)
	const left = "1 that operators have withdrawn stay withdrawn: restore each by its path\n"
	report, err := x.Run(t.Context(), s.Acme, Request{Path: "job1/A/", DryRun: true})
	says(t, report, err, "would be restored: job1/A/a.jpg\nwould be restored: job1/A/b.jpg\n"+strings.TrimSpace(left))
	if s.Photo("acme/job1/A/a.jpg").ID != 0 {
		t.Error("a dry run has restored it")
	}
	told := 0
	report, err = x.Run(t.Context(), s.Acme, Request{Path: "job1/A", Progress: func(done, of int) { told += 10*of + done }})
	says(t, report, err, left+"2 photos are back, under their old links")
	if told != 43 || s.Photo("acme/job1/A/b.jpg").ID == 0 || s.Photo("acme/job1/B/c.jpg").ID != 0 || s.Photo("acme/job1/A/d.jpg").ID != 0 {
		t.Errorf("told %d", told)
	}
	report, err = x.Run(t.Context(), s.Acme, Request{Path: "/"})
	says(t, report, err, left+"1 photos are back, under their old links")
	report, err = x.Run(t.Context(), s.Acme, Request{Path: "job1/A/d.jpg"})
	says(t, report, err, "job1/A/d.jpg, withdrawn by eva, is published again")
}

func TestOnlyWhatWasWithdrawnSinceThen(t *testing.T) {
	x, s := newFolder(t)
	later := time.Now().Add(time.Minute)
	for _, path := range []string{"job1/A", "job1/A/a.jpg", "/", "nothing"} {
		if report, err := x.Run(t.Context(), s.Acme, Request{Path: path, Since: later}); !errors.Is(err, store.ErrNotFound) || len(report) > 0 {
			t.Errorf("%s: %q, %v", path, report, err)
		}
	}
	report, err := x.Run(t.Context(), s.Acme, Request{Path: "job1/B", Since: time.Now().Add(-time.Hour)})
	says(t, report, err, "1 photos are back, under their old links")
}

// What stands in the way of one photo keeps none of the others.
func TestAFileInTheWayKeepsOnlyItsOwnPhoto(t *testing.T) {
	x, s := newFolder(t)
	s.Write("acme/job1/A/a.jpg", "another picture")
	report, err := x.Run(t.Context(), s.Acme, Request{Path: "job1/A"})
	if !failure.IsRefusal(err) || !strings.HasPrefix(report[0], "not restored: job1/A/a.jpg: ") || s.Photo("acme/job1/A/b.jpg").ID == 0 {
		t.Errorf("%q, %v", report, err)
	}
	if text, _ := os.ReadFile(s.At("acme/job1/A/a.jpg")); string(text) != "another picture" {
		t.Errorf("%q", text)
	}
}

func TestTheListTellsWhatDoesNotEnd(t *testing.T) {
	_, s := newFolder(t)
	list, err := List(t.Context(), s.Store, "acme", time.Hour)
	s.Must(err)
	for _, p := range list {
		if operators := p.Path == "job1/A/d.jpg"; p.HasFile != operators || (p.WithdrawnBy == "eva") != operators {
			t.Errorf("%+v", p)
		}
	}
	if len(list) != 4 {
		t.Errorf("%+v", list)
	}
	if n, err := Empty(t.Context(), s.Store, s.Acme.ID, false); n != 3 || err != nil {
		t.Errorf("%d ended, %v", n, err)
	}
}
