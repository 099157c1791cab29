package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"picday/internal/language"
	"picday/internal/layout"
)

// What comes in is counted until the job is quiet, and an upload that goes on meanwhile
// is not ended.
func TestArrivingUploadsAreCounted(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	arriving := func() string {
		t.Helper()
		all, err := w.s.Arriving(t.Context())
		w.must(err)
		slices.SortFunc(all, func(a, b ArrivingUpload) int { return int(a.JobID - b.JobID) })
		text := ""
		for _, u := range all {
			text += fmt.Sprintf("%s/%s +%d ~%d !%d open %d; ", u.Account, u.Job, u.Added, u.Replaced, u.Problems, u.Open)
		}
		return text
	}
	expect := func(what, want string) {
		t.Helper()
		if got := arriving(); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "two")
	w.put("job1/A/3.jpg", "broken")
	w.put("job2/A/4.jpg", "four")
	w.settle()
	expect("uploaded", "acme/job1 +2 ~0 !1 open 1; acme/job2 +1 ~0 !0 open 0; ")
	before, err := w.s.Arriving(t.Context())
	w.must(err)
	w.put("job1/A/3.jpg", "three")
	w.settle()
	w.put("job1/A/1.jpg", "one again")
	w.settle()
	expect("mended and overwritten", "acme/job1 +3 ~1 !1 open 0; acme/job2 +1 ~0 !0 open 0; ")
	for _, u := range before {
		err := w.s.Update(t.Context(), func(tx *Tx) error { return tx.EndArriving(u) })
		if more := u.Job == "job1"; errors.Is(err, ErrNotFound) != more {
			t.Errorf("%+v: %v", u, err)
		}
	}
	expect("only what was quiet is ended", "acme/job1 +3 ~1 !1 open 0; ")
	w.mv("job1/A/1.jpg", "job1/A/9.jpg")
	w.rm("job1/A/2.jpg")
	w.settle()
	expect("moves and deletions are no upload", "acme/job1 +3 ~1 !1 open 0; ")
}

// A lane delivers in order, one after the other, and keeps what fails.
func TestLanesKeepTheOrder(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	now := time.UnixMilli(1_800_000_000_000).UTC()
	hash, err := HashPassword("correct horse")
	w.must(err)
	w.tx(func(tx *Tx) error {
		return errors.Join(tx.AddOperator(Operator{Name: "eva"}, hash), tx.SetMailbox("eva", "eva@example.org", nil),
			tx.AddOperator(Operator{Name: "otto"}, hash), tx.SetMailbox("otto", "otto@example.org", []int64{w.acct.ID}),
			tx.AddOperator(Operator{Name: "nora"}, hash))
	})
	for id, want := range map[int64][]string{0: {"eva"}, w.acct.ID: {"eva", "otto"}, 77: {"eva"}} {
		if got, err := w.s.MailReceivers(t.Context(), id); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d: %v %v", id, got, err)
		}
	}
	shop := Receiver{Via: ViaWebhook + "shop"}
	mail := Receiver{Via: ViaMail, Who: "eva", Interval: time.Minute}
	var told []Notice
	tell := func(account int64, to ...Receiver) {
		t.Helper()
		w.tx(func(tx *Tx) error {
			n, err := tx.AddNotice(Notice{At: now, Kind: "test", AccountID: account, Message: "a test", Data: json.RawMessage(`{"n":1}`)}, to)
			told = append(told, n)
			return err
		})
	}
	tell(w.acct.ID, shop, mail)
	tell(w.acct.ID, shop, mail)
	tell(0, Receiver{Via: shop.Via, Delivered: true}, mail)
	next := func(via string) Lane {
		t.Helper()
		l, found, err := w.s.NextLane(t.Context(), via)
		if err != nil || !found {
			t.Fatalf("%s: %v %v", via, found, err)
		}
		return l
	}
	l := next(shop.Via)
	if l.AccountID != w.acct.ID || !l.Due.Equal(now) {
		t.Errorf("%+v", l)
	}
	waiting, err := w.s.WaitingNotices(t.Context(), l, 10)
	w.must(err)
	if len(waiting) != 2 || waiting[0].Key != told[0].Key || waiting[0].Account != "acme" || string(waiting[0].Data) != `{"n":1}` {
		t.Fatalf("%+v", waiting)
	}
	later := now.Add(time.Hour)
	w.tx(func(tx *Tx) error { return tx.DeliveryFailed(l, "500", later, now.Add(-time.Hour), now) })
	if l = next(shop.Via); !l.Due.Equal(later) || l.Tries != 1 || l.Error != "500" || !l.FailingSince.Equal(now) {
		t.Errorf("%+v", l)
	}
	if failing, err := w.s.FailingLanes(t.Context()); err != nil || len(failing) != 1 {
		t.Errorf("%+v %v", failing, err)
	}
	if n, err := w.s.CountWaiting(t.Context(), l, 1); err != nil || n != 1 {
		t.Error(n, err)
	}
	w.tx(func(tx *Tx) error { return tx.EndDelivery(l, waiting[0], Delivered, later) })
	if l = next(shop.Via); !l.Due.Equal(later) || l.Tries != 0 || l.Error != "" || !l.FailingSince.IsZero() {
		t.Errorf("%+v", l)
	}
	w.tx(func(tx *Tx) error { return tx.DeliveryFailed(l, "dead", later, later, later) })
	if l, found, err := w.s.NextLane(t.Context(), shop.Via); found || err != nil {
		t.Errorf("all is given up: %+v %v", l, err)
	}
	// Mail waits for the gap.
	l = next(ViaMail)
	l.Interval = mail.Interval
	w.tx(func(tx *Tx) error { return tx.EndDelivery(l, told[2], Delivered, now) })
	tell(l.AccountID, mail)
	all, err := collect(t.Context(), w.s.read, scanLane, laneColumns+`WHERE via = 'mail' AND account_id = ? LIMIT 1`, l.AccountID)
	if err != nil || !all[0].Due.Equal(now.Add(time.Minute)) {
		t.Errorf("%+v %v", all, err)
	}
	if b, err := w.s.Backlogs(t.Context()); err != nil || len(b) != 1 || b[0].Via != ViaMail {
		t.Errorf("%+v %v", b, err)
	}
	if ways, err := w.s.Channels(t.Context()); err != nil || !slices.Equal(ways, []string{"mail"}) {
		t.Errorf("%+v %v", ways, err)
	}
	w.tx(func(tx *Tx) error { return tx.EndChannel(ViaWebhook + "gone") })
	undelivered, err := w.s.Notices(t.Context(), NoticeQuery{Undelivered: true, Account: "acme", Limit: 10})
	if err != nil || !slices.ContainsFunc(undelivered, func(n Notice) bool { return n.Key == told[1].Key }) {
		t.Errorf("%+v %v", undelivered, err)
	}
	for view, want := range map[View]bool{w.s.All(): true, w.s.View(told[1].AccountID): true, w.s.View(77): false} {
		seen, err := view.Undelivered(t.Context(), 10)
		if err != nil || slices.ContainsFunc(seen, func(n Notice) bool { return n.Key == told[1].Key }) != want {
			t.Errorf("%+v %v", seen, err)
		}
		if d, err := view.Deliveries(t.Context(), told[1]); err != nil || (len(d) == 2) != want {
			t.Errorf("%+v %v", d, err)
		}
	}
	d, err := w.s.Deliveries(t.Context(), told[1].ID)
	if err != nil || len(d) != 2 || d[1].String() != "webhook:shop" || d[1].State != GivenUp {
		t.Errorf("%+v %v", d, err)
	}
	w.tx(func(tx *Tx) error {
		if n, err := tx.RetryNotices([]string{told[1].Key}, later); err != nil || n < 1 {
			t.Error(n, err)
		}
		if _, err := tx.RetryNotices([]string{"evt_none"}, later); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		_, err := tx.RetryNotices(nil, later)
		return err
	})
	if l = next(shop.Via); !l.Due.Equal(later) {
		t.Errorf("%+v", l)
	}
	if _, _, err := w.s.MailAddress(t.Context(), "otto", 0); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if at, _, err := w.s.MailAddress(t.Context(), "otto", w.acct.ID); at != "otto@example.org" {
		t.Error(at, err)
	}
	// Mail is in the operator's language, else in the account's.
	speaks := func(want language.Language) {
		t.Helper()
		if _, l, err := w.s.MailAddress(t.Context(), "otto", w.acct.ID); l != want || err != nil {
			t.Errorf("%q, not %q: %v", l, want, err)
		}
	}
	speaks(language.English)
	w.tx(func(tx *Tx) error { return tx.SetLanguage(w.acct, language.German) })
	speaks(language.German)
	w.tx(func(tx *Tx) error { return tx.SetOperatorLanguage("otto", language.English) })
	speaks(language.English)
	boxes, err := w.s.Mailboxes(t.Context())
	if err != nil || len(boxes) != 2 || boxes[1].Language != language.English || !slices.Equal(boxes[1].Accounts, []string{"acme"}) {
		t.Errorf("%+v %v", boxes, err)
	}
	// An account that ends takes its notices along, and nobody gets other mail for it.
	w.tx(func(tx *Tx) error { return errors.Join(tx.RemoveAccount(w.acct, true), tx.RemoveOperator("eva")) })
	if left, err := w.s.Notices(t.Context(), NoticeQuery{}); err != nil || slices.ContainsFunc(left, func(n Notice) bool { return n.AccountID != 0 }) {
		t.Errorf("%+v %v", left, err)
	}
	if boxes, err := w.s.Mailboxes(t.Context()); err != nil || len(boxes) != 0 {
		t.Errorf("%+v %v", boxes, err)
	}
}

// The outbox does not grow: what is old goes, and the oldest beyond a number.
func TestOldNoticesArePruned(t *testing.T) {
	s := bareStore(t)
	now := time.UnixMilli(1_800_000_000_000)
	err := s.Update(t.Context(), func(tx *Tx) error {
		for i := range 30 {
			if _, err := tx.AddNotice(Notice{At: now.Add(time.Duration(i) * time.Minute), Kind: "test", Message: fmt.Sprint(i)}, []Receiver{{Via: "webhook:x"}}); err != nil {
				return err
			}
		}
		for more := true; more; {
			var err error
			if _, more, err = tx.PruneNotices(now.Add(10*time.Minute), 5, 3); err != nil {
				return err
			}
		}
		return nil
	})
	left, lerr := s.Notices(t.Context(), NoticeQuery{})
	if err != nil || lerr != nil || len(left) != 5 || left[0].Message != "29" {
		t.Errorf("%+v %v %v", left, err, lerr)
	}
	if n, err := column[int](t.Context(), s.read, `SELECT notice_id FROM delivery LIMIT 100`); err != nil || len(n) != 5 {
		t.Error(n, err)
	}
}

// Old problems are counted from where they were told last.
func TestOldProblemsAreCounted(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	never := func(int64) time.Time { return time.Time{} }
	if old, err := w.s.OldProblems(t.Context(), never, time.Now(), 10); len(old) != 0 || err != nil {
		t.Error(old, err)
	}
	for i := range 5 {
		w.put(fmt.Sprintf("job1/A/%d.jpg", i), "broken")
	}
	w.settle()
	now := time.Now().Add(time.Second)
	for limit, want := range map[int]int{3: 3, 10: 5} {
		old, err := w.s.OldProblems(t.Context(), never, now, limit)
		if err != nil || len(old) != 1 || old[0].Count != want || old[0].All != 5 || old[0].Account != "acme" || old[0].Oldest.IsZero() {
			t.Errorf("%+v %v", old, err)
		}
	}
	c := Condition{What: "problems", AccountID: w.acct.ID, At: now, Upto: now.Truncate(time.Millisecond)}
	w.tx(func(tx *Tx) error { return errors.Join(tx.SetCondition(c), tx.SetCondition(c)) })
	all, err := w.s.Conditions(t.Context())
	if err != nil || len(all) != 1 || !all[0].Upto.Equal(c.Upto) {
		t.Errorf("%+v %v", all, err)
	}
	if old, err := w.s.OldProblems(t.Context(), func(int64) time.Time { return all[0].Upto }, now, 10); len(old) != 0 || err != nil {
		t.Error(old, err)
	}
	w.tx(func(tx *Tx) error { return tx.EndCondition(c) })
	if at, err := w.s.LastProven(t.Context()); err != nil || !at.IsZero() {
		t.Error(at, err)
	}
	w.tx((*Tx).WriteAliveRow)
	if at, err := w.s.LastProven(t.Context()); err != nil || time.Since(at) > time.Minute {
		t.Error(at, err)
	}
}
