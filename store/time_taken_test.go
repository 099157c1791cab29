package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/language"
	"picday/internal/layout"
)

// shoot publishes a photo with what its camera says.
func (w *world) shoot(p string, c Camera) { w.Helper(); w.put(p, p); w.take(p, c) }

// take publishes the file that is there.
func (w *world) take(p string, c Camera) (outcome Outcome) {
	w.Helper()
	o := w.original(w.files[p].content)
	o.Camera = c
	w.tx(func(tx *Tx) (err error) {
		outcome, err = tx.Publish(Arrival{Account: w.acct, Place: w.place(p), Identity: w.files[p].Identity, Original: o}, w)
		return err
	})
	return outcome
}

// Of two cameras in an album only one records its zone. Their photos are in the order of
// what the clocks showed, and TakenAt is correct for both.
func TestTwoCamerasInAnAlbum(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.tx(func(tx *Tx) error { return tx.SetTimeZone(w.acct, "Europe/Berlin") })
	clock := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	summer := time.FixedZone("", 2*3600)
	zoned := func(d time.Duration) Camera {
		return Camera{TakenAt: clock.Add(d).Add(-2 * time.Hour).In(summer), Zoned: true}
	}
	plain := func(d time.Duration) Camera { return Camera{TakenAt: clock.Add(d)} }
	w.shoot("job1/A/5.jpg", zoned(2*time.Second))
	w.shoot("job1/A/4.jpg", plain(1*time.Second+80*time.Millisecond))
	w.shoot("job1/A/3.jpg", zoned(1*time.Second+70*time.Millisecond))
	w.shoot("job1/A/2.jpg", plain(1*time.Second))
	w.shoot("job1/A/1.jpg", zoned(0))
	w.shoot("job1/A/0.jpg", Camera{TakenAt: time.Unix(0, 0).UTC()}) // a clock that was never set
	w.shoot("job1/A/6.jpg", Camera{})                               // no time: ordered by IngestedAt

	for _, limit := range []int{0, 1, 2} { // whole, and in pages
		var names []string
		q := PhotoQuery{Account: w.acct.Name, Job: "job1", Album: "A", Order: ByTaken, Limit: limit}
		for {
			all, err := w.s.All().Photos(t.Context(), q)
			w.must(err)
			for _, p := range all {
				names = append(names, p.File[:1])
				if want := clock.Add(-2 * time.Hour); p.File > "0" && p.File < "6" && p.File != "0.jpg" && (p.TakenAt.Before(want) || p.TakenAt.After(want.Add(2*time.Second))) {
					t.Errorf("%s: taken at %v", p.File, p.TakenAt)
				}
			}
			if limit == 0 || len(all) == 0 || len(names) > 20 {
				break
			}
			q.After = all[len(all)-1].Key(ByTaken)
		}
		if got := strings.Join(names, ""); got != "0123456" {
			t.Errorf("in pages of %d: %s", limit, got)
		}
	}
	at := func(name string) Photo {
		all, err := w.s.All().Photos(t.Context(), PhotoQuery{Account: w.acct.Name, Path: "job1/A/" + name})
		w.must(err)
		return all[0]
	}
	if p := at("3.jpg"); !p.Taken.Zoned || p.Taken.Clock.Format("15:04:05.99 -07:00") != "09:00:01.07 +02:00" || p.TakenAt.Format(time.RFC3339Nano) != "2026-07-01T07:00:01.07Z" {
		t.Errorf("%+v, %v", p.Taken, p.TakenAt)
	}
	if p := at("4.jpg"); p.Taken.Zoned || p.Taken.Clock.Format("15:04:05.99") != "09:00:01.08" || p.TakenAt.Format(time.RFC3339Nano) != "2026-07-01T07:00:01.08Z" {
		t.Errorf("%+v, %v", p.Taken, p.TakenAt)
	}
	if p := at("0.jpg"); p.TakenAt.Format(time.RFC3339) != "1969-12-31T23:00:00Z" || p.Taken.Clock.IsZero() {
		t.Errorf("the beginning of 1970: %+v, %v", p.Taken, p.TakenAt)
	}
	if p := at("6.jpg"); !p.TakenAt.IsZero() || !p.Taken.Clock.IsZero() {
		t.Errorf("no time: %+v, %v", p.Taken, p.TakenAt)
	}
	o, _, err := w.s.Original(t.Context(), at("3.jpg").SHA)
	w.must(err)
	if !o.Camera.Zoned || !o.Camera.TakenAt.Equal(at("3.jpg").TakenAt) {
		t.Errorf("%+v", o.Camera)
	}

	// Another zone of the account changes TakenAt, so these photos count as changed.
	since, err := w.s.All().LastChange(t.Context())
	w.must(err)
	w.tx(func(tx *Tx) error { return tx.SetTimeZone(w.acct, "America/New_York") })
	w.must(w.s.Retime(t.Context(), w.acct))
	changed, err := w.s.All().Photos(t.Context(), PhotoQuery{Order: ByChange, ChangedSince: since})
	w.must(err)
	var names []string
	for _, p := range changed {
		names = append(names, p.File)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "0.jpg 2.jpg 4.jpg" {
		t.Errorf("changed: %s", got)
	}
	if p := at("4.jpg"); p.TakenAt.Hour() != 13 || p.Taken.Clock.Hour() != 9 {
		t.Errorf("%+v, %v", p.Taken, p.TakenAt)
	}
	if p := at("3.jpg"); p.TakenAt.Hour() != 7 {
		t.Errorf("%+v, %v", p.Taken, p.TakenAt)
	}
}

func TestTimeZoneOfAnAccount(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	zoneIs := func(want string) {
		t.Helper()
		if a, err := w.s.All().Account(t.Context(), w.acct.Name); err != nil || a.TimeZone != want {
			t.Errorf("%q %v, want %s", a.TimeZone, err, want)
		}
	}
	zoneIs("UTC") // none was given
	for _, name := range []string{"", "Local", "Europe/Nowhere", "../UTC"} {
		if err := w.s.Update(t.Context(), func(tx *Tx) error { return tx.SetTimeZone(w.acct, name) }); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	w.tx(func(tx *Tx) error { return tx.SetTimeZone(w.acct, "Asia/Kathmandu") })
	w.tx(func(tx *Tx) error { return tx.SetLanguage(w.acct, language.German) })
	zoneIs("Asia/Kathmandu")
	// An account that is removed and added again keeps its zone, because the photos of
	// its cameras were kept too.
	w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, false) })
	w.tx(func(tx *Tx) (err error) {
		w.acct, err = tx.AddAccount(Account{Name: "acme", Layout: layout.Jobs, TimeZone: "Europe/Berlin"})
		return err
	})
	if w.acct.TimeZone != "Asia/Kathmandu" || w.acct.Language != language.German {
		t.Error(w.acct.TimeZone, w.acct.Language)
	}
	zoneIs("Asia/Kathmandu")
}
