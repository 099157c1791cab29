package test

import (
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// A file of a second camera has the same name and overwrites a photo. The commands show a
// notice; revert shows the first picture under its link again, and no change of the file
// undoes that.
func TestReplacedAndPutBack(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	shot := func(serial string, seed uint64) []byte {
		return testphoto.Make(testphoto.Spec{Width: 700, Height: 500, Seed: seed, Make: "Canon", Model: "EOS R6", Serial: serial})
	}
	const path = "job1/A/IMG_1.jpg"
	ann, ben := shot("1", 1), shot("2", 2)
	s.must(wire.Put("/"+path, ann))
	link := s.waitSum(u, path, ann).Link
	s.must(wire.Put("/"+path, ben))
	if p := s.waitSum(u, path, ben); p.Link != link || len(p.Flags) != 1 || p.Flags[0] != "replaced" {
		t.Errorf("the second one: %+v", p)
	}
	s.waitProblems(u, map[string]string{path: "replaced"})

	var history []struct {
		SHA256, Serial string
		Current        bool
	}
	s.JSON(&history, "photo", "history", u.Name, path)
	if len(history) != 2 || history[0].SHA256 != sum(ben) || !history[0].Current || history[1].SHA256 != sum(ann) || history[1].Serial != "1" {
		t.Errorf("history: %+v", history)
	}
	s.MustPicday("photo", "revert", u.Name, path)
	is := func(what string) {
		t.Helper()
		if p := s.waitSum(u, path, ann); p.Link != link {
			t.Errorf("%s: %+v", what, p)
		}
	}
	is("put back")
	s.waitProblems(u, map[string]string{path: "reverted"})
	s.must(wire.Chtimes("/"+path, 1e9))
	s.must(wire.Put("/"+path, ben))
	s.MustPicday("rescan", u.Name, "--wait")
	is("touched, uploaded again and looked at")
	s.verify()

	s.must(wire.Rename("/"+path, "/job1/A/IMG_2.jpg"))
	s.waitSum(u, "job1/A/IMG_2.jpg", ben)
	s.waitProblems(u, map[string]string{})
	s.requireStillPublishedBesideTrash(u, path, "job1/A/IMG_2.jpg")
	is("renamed")
	s.verify()

	if r := s.Picday("photo", "revert", u.Name, path, "--sha256", "00000000"); r.Code != 1 {
		t.Errorf("no such picture: %v", r)
	}
	if r := s.Picday("photo", "accept", u.Name, "job1/A/none.jpg"); r.Code != 3 {
		t.Errorf("no such photo: %v", r)
	}
}

// The time zone of an account applies to cameras that record none.
func TestTimeZone(t *testing.T) {
	s := newSite(t)
	u := s.jobs("zone", "job1")
	if u.Card.TimeZone == "" {
		t.Error("a new account has no time zone")
	}
	if r := s.Picday("account", "zone", u.Name, "CEST"); r.Code != 2 {
		t.Errorf("CEST: %v", r)
	}
	s.MustPicday("account", "zone", u.Name, "Asia/Kathmandu")
	var a bed.Account
	s.JSON(&a, "account", "show", u.Name)
	if a.TimeZone != "Asia/Kathmandu" {
		t.Errorf("%+v", a)
	}
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	zoned := testphoto.Make(testphoto.Spec{Width: 700, Height: 500, Seed: 3, TakenAt: time.Date(2026, 7, 1, 9, 0, 0, 0, time.FixedZone("", 7200))})
	s.must(wire.Put("/job1/A/1.jpg", zoned))
	if p := s.waitSum(u, "job1/A/1.jpg", zoned); p.TakenLocal != "2026-07-01T09:00:00" || p.TakenZone != "+02:00" || p.TakenAt == nil || p.TakenAt.Format(time.RFC3339) != "2026-07-01T07:00:00Z" {
		t.Errorf("%+v", p)
	}
}
