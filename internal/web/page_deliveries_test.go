package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"picday/store"
)

// An administrator sees which events wait, since when and why, those of his account only if
// he sees one, and has them tried again.
func TestDeliveriesOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	b.addOperator("eve", b.acct.ID)
	ann, eve := b.session("ann"), b.session("eve")
	page := func(cookie string) string {
		t.Helper()
		w := b.ask("GET", "/deliveries", nil, "Cookie", cookie)
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	if !strings.Contains(page(ann), "Nothing waits") {
		t.Error("something waits")
	}
	now := time.Now()
	shop := store.Receiver{Via: store.ViaWebhook + "shop"}
	b.tx(func(tx *store.Tx) error {
		for account, message := range map[int64]string{0: "a disk <is> full", b.acct.ID: "mine is quiet", b.other.ID: "theirs is quiet"} {
			if _, err := tx.AddNotice(store.Notice{At: now, Kind: "test", AccountID: account, Message: message}, []store.Receiver{shop}); err != nil {
				return err
			}
		}
		return nil
	})
	next := func() store.Lane {
		t.Helper()
		l, found, err := b.s.NextLane(t.Context(), shop.Via)
		if b.must(err); !found {
			t.Fatal("nothing waits")
		}
		return l
	}
	for range 3 {
		l := next()
		b.tx(func(tx *store.Tx) error {
			return tx.DeliveryFailed(l, "it answered 500: <b>", now.Add(time.Hour), now.Add(-time.Hour), now)
		})
	}
	all, own := page(ann), page(eve)
	for text, forEve := range map[string]bool{"a disk &lt;is&gt; full": false, "mine is quiet": true, "theirs is quiet": false, "webhook:shop": true, "it answered 500: &lt;b&gt;": true, "/deliveries/retry": true} {
		if !strings.Contains(all, text) || strings.Contains(own, text) != forEve {
			t.Errorf("%q: seen by all %v, by eve %v", text, strings.Contains(all, text), strings.Contains(own, text))
		}
	}
	retry := func(cookie string, want ...int64) {
		t.Helper()
		if w := b.ask("POST", "/deliveries/retry", url.Values{}, "Cookie", cookie); w.Header().Get("Location") != "/deliveries?done=retried" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		due := map[int64]bool{}
		lanes, err := b.s.FailingLanes(t.Context())
		b.must(err)
		for _, account := range want {
			due[account] = true
		}
		for _, l := range lanes { // a retry forgets since when it fails
			if due[l.AccountID] {
				t.Errorf("that of the account %d was not tried again", l.AccountID)
			}
		}
		if len(lanes)+len(want) != 3 {
			t.Errorf("%+v are left", lanes)
		}
	}
	retry(eve, b.acct.ID)
	retry(ann, 0, b.acct.ID, b.other.ID)
	b.tx(func(tx *store.Tx) error { return tx.EndChannel(shop.Via) })
	if all := page(ann); !strings.Contains(all, "given up") {
		t.Errorf("%s", all)
	}
}
