package store

import (
	"fmt"
	"maps"
	"testing"

	"picday/internal/layout"
)

// EmptyAccount with any limit leaves a consistent catalogue after each transaction, and
// the same result as one large transaction.
func TestEmptyAccount(t *testing.T) {
	var want string
	for _, limit := range []int{0, 1, 2, 3, 7, 100} { // 0: one transaction of RemoveAccount
		w := newWorld(t, layout.Jobs)
		for i := range 7 {
			w.put(fmt.Sprintf("job1/A/%d.jpg", i), fmt.Sprint("picture ", i))
		}
		for i := range 3 {
			w.put(fmt.Sprintf("job1/A/broken%d.jpg", i), fmt.Sprint("broken ", i))
		}
		w.settle()
		w.rm("job1/A/5.jpg") // missing, and still published
		w.settle()
		w.tx(func(tx *Tx) error { return tx.WithdrawBy(w.photoAt("job1/A/6.jpg").ID, "eva") }) // with its upload

		shown := len(w.photos(false))
		steps, done := 0, 0
		for more := limit > 0; more; steps++ {
			w.tx(func(tx *Tx) (err error) {
				var n int
				n, more, err = tx.emptyAccount(w.acct, limit)
				if done += n; n > limit {
					t.Errorf("limit %d: %d photos in one transaction", limit, n)
				}
				return err
			})
			w.consistent()
		}
		if least := shown / max(limit, 1); limit > 0 && (done != shown || steps < least) {
			t.Errorf("limit %d: %d of %d photos in %d transactions", limit, done, shown, steps)
		}
		w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, true) })
		w.consistent()
		got := fmt.Sprint(len(w.photos(false)), len(w.photos(true)))
		left, err := column[string](t.Context(), w.s.read, `SELECT (SELECT count(*) FROM photo WHERE withdrawn_by IS NOT NULL) || ' by an operator, ' ||
			(SELECT count(*) FROM upload) || ' uploads, ' || (SELECT count(*) FROM account WHERE state <> 'gone') || ' accounts'`)
		w.must(err)
		got += fmt.Sprint(left)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("limit %d leaves %s, want %s", limit, got, want)
		}
	}
}

// EmptyAccount continues after an interruption, reports its progress, and succeeds if
// there is nothing to do.
func TestEmptyAccountProgress(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	w.put("1.jpg", "one")
	w.put("2.jpg", "two")
	w.settle()
	if n, err := w.s.View(w.acct.ID).CountPhotos(t.Context(), PhotoQuery{Show: ShowBoth}); n != 2 || err != nil {
		t.Errorf("%d photos, %v", n, err)
	}
	w.tx(func(tx *Tx) error { _, _, err := tx.emptyAccount(w.acct, 1); return err })
	told := map[string]bool{}
	note := func(done, of int) { told[fmt.Sprint(done, " of ", of)] = true }
	w.must(w.s.EmptyAccount(t.Context(), w.acct, note))
	w.must(w.s.EmptyAccount(t.Context(), w.acct, nil))
	if !maps.Equal(told, map[string]bool{"1 of 1": true}) {
		t.Errorf("told %v", told)
	}
	if n, err := w.s.View(w.acct.ID).CountPhotos(t.Context(), PhotoQuery{Show: ShowBoth}); n != 2 || err != nil {
		t.Errorf("%d photos in the trash, %v", n, err)
	}
	if len(w.photos(false)) > 0 {
		t.Error("photos are still shown")
	}
}
