package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/contract"
	"picday/store"
)

type photosSeen struct {
	Photos       []contract.Photo `json:"photos"`
	Next         *string          `json:"next"`
	ChangedUntil int64            `json:"changed_until"`
}

// until is where a follower is that has read everything.
func (b *adminBed) until(bearer string) int64 {
	b.Helper()
	var seen photosSeen
	if code := b.get(bearer, "/photos?limit=1000", &seen); code != http.StatusOK {
		b.Fatal(code)
	}
	return seen.ChangedUntil
}

// waits asks and waits; the answer comes over the channel.
func (b *adminBed) waits(bearer string, since int64, query string) <-chan *httptest.ResponseRecorder {
	b.Helper()
	before := b.waiting()
	answer := make(chan *httptest.ResponseRecorder, 1)
	r := b.request("GET", fmt.Sprintf("/api/v1/photos?changed_since=%d%s", since, query), "Authorization", bearer)
	go func() { answer <- b.answer(r) }()
	for b.waiting() == before && len(answer) == 0 {
		time.Sleep(time.Millisecond)
	}
	return answer
}

func (b *adminBed) waiting() int {
	b.gate.watch.mu.Lock()
	defer b.gate.watch.mu.Unlock()
	return b.gate.watch.total
}

func seen(t *testing.T, w *httptest.ResponseRecorder) (people string, until int64) {
	t.Helper()
	var s photosSeen
	if err := json.Unmarshal(w.Body.Bytes(), &s); w.Code != http.StatusOK || err != nil {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	for _, p := range s.Photos {
		people += p.Person + p.File + " "
	}
	return people, s.ChangedUntil
}

// Whoever waits is answered when something has changed that is in the view and the
// filters, and not before.
func TestAQuestionWaitsForAChange(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	all, one := b.token("all", 0), b.token("one", b.acct.ID)
	since := b.until(all)
	first := b.waits(all, since, "&wait=50")
	own := b.waits(one, since, "&wait=50")
	filtered := b.waits(all, since, "&wait=50&person=14")
	many := make([]<-chan *httptest.ResponseRecorder, 20)
	for i := range many {
		many[i] = b.waits(all, since, "&wait=50")
	}
	b.shoot("Class 1", "IMG_1.jpg")
	for _, ch := range append(many, first) {
		if people, until := seen(t, <-ch); people != "IMG_1.jpg " || until <= since {
			t.Errorf("answered with %q until %d, after %d", people, until, since)
		}
	}
	b.put("13", "Ben")
	if people, _ := seen(t, <-own); people != "1313.jpg " {
		t.Errorf("the token of one account was answered with %q", people)
	}
	b.put("14", "Cid")
	if people, _ := seen(t, <-filtered); people != "1414.jpg " {
		t.Errorf("the question for one person was answered with %q", people)
	}
}

// When nothing changes the answer is an empty list, and what others did meanwhile need
// not be asked for again.
func TestWaitingComesToAnEnd(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	all := b.token("all", 0)
	since := b.until(all)
	ch := b.waits(all, since, "&wait=1&account=lincoln")
	b.shoot("Class 1", "IMG_1.jpg")
	if people, until := seen(t, <-ch); people != "" || until <= since {
		t.Errorf("answered with %q until %d, after %d", people, until, since)
	}
	for { // the watch ends with the last one who waits
		b.gate.watch.mu.Lock()
		running := b.gate.watch.running
		b.gate.watch.mu.Unlock()
		if !running {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if people, _ := seen(t, <-b.waits(all, since, "&wait=50")); people != "IMG_1.jpg " {
		t.Errorf("and later with %q", people)
	}
}

// A bounded number can wait, of one token half as many.
func TestTooManyWait(t *testing.T) {
	b := newAdminBed(t)
	defer func(n int) { maxWaiting = n }(maxWaiting)
	maxWaiting = 4
	all, other := b.token("all", 0), b.token("other", 0)
	since := b.until(all)
	in := []<-chan *httptest.ResponseRecorder{b.waits(all, since, "&wait=50"), b.waits(all, since, "&wait=50")}
	refused := func(bearer string) {
		t.Helper()
		w := b.ask("GET", fmt.Sprintf("/api/v1/photos?wait=50&changed_since=%d", since), nil, "Authorization", bearer)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "wait") {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	}
	refused(all)
	in = append(in, b.waits(other, since, "&wait=50"), b.waits(other, since, "&wait=50"))
	refused(b.token("third", 0))
	if w := b.ask("GET", fmt.Sprintf("/api/v1/photos?changed_since=%d", since), nil, "Authorization", all); w.Code != http.StatusOK {
		t.Errorf("without wait: %d", w.Code)
	}
	b.put("12", "Ann")
	for _, ch := range in {
		if people, _ := seen(t, <-ch); people != "1212.jpg " {
			t.Errorf("answered with %q", people)
		}
	}
	if people, _ := seen(t, <-b.waits(all, since, "&wait=50")); people != "1212.jpg " {
		t.Errorf("when there is room again: %q", people)
	}
}

// Everybody who waits is answered when picdayd stops.
func TestWaitingEndsWithTheDaemon(t *testing.T) {
	b := newAdminBed(t)
	all := b.token("all", 0)
	b.put("12", "Ann")
	var in []<-chan *httptest.ResponseRecorder
	since := b.until(all)
	for range 5 {
		in = append(in, b.waits(all, since, "&wait=50"))
	}
	b.gate.Stop()
	for _, ch := range in {
		if people, until := seen(t, <-ch); people != "" || until != since {
			t.Errorf("answered with %q until %d", people, until)
		}
	}
}

// A token that is revoked while somebody waits with it shows nothing any more.
func TestARevokedTokenDoesNotWait(t *testing.T) {
	b := newAdminBed(t)
	all := b.token("all", 0)
	b.put("12", "Ann")
	ch := b.waits(all, b.until(all), "&wait=50")
	b.tx(func(tx *store.Tx) error { return tx.RemoveToken("all") })
	b.put("13", "Ben")
	if w := <-ch; w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "13") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// What is forgotten while somebody waits is said at once.
func TestWhatIsForgottenEndsTheWaiting(t *testing.T) {
	b := newAdminBed(t)
	all := b.token("all", 0)
	b.put("12", "Ann")
	since := b.until(all)
	ch := b.waits(all, since, "&wait=50")
	b.tx(func(tx *store.Tx) error {
		_, _, err := tx.Missing(b.acct, b.path("12"), "", 10, gone{})
		if err == nil {
			_, _, err = tx.Withdraw(-time.Hour, store.SweepPosition{}, 10, gone{})
		}
		if err == nil {
			_, _, err = tx.EmptyTrash(0, store.SweepPosition{}, 10)
		}
		return err
	})
	if w := <-ch; w.Code != http.StatusGone {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// No change is missed, whenever it is made between two questions.
func TestFollowersThatWaitMissNothing(t *testing.T) {
	b := newAdminBed(t)
	all := b.token("all", 0)
	const photos = 60
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			has, since := map[string]bool{}, int64(1)
			for len(has) < photos {
				var s photosSeen
				if code := b.get(all, fmt.Sprintf("/photos?limit=1000&wait=50&changed_since=%d", since), &s); code != http.StatusOK {
					t.Error(code)
					return
				}
				for _, p := range s.Photos {
					has[p.Person] = true
				}
				since = s.ChangedUntil
			}
		})
	}
	for i := range photos {
		b.put(fmt.Sprint(i), fmt.Sprint(i))
		time.Sleep(time.Duration(i%7) * time.Millisecond)
	}
	group.Wait()
}
