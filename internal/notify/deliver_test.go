package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/test/receivers"
	"picday/store"
)

// Whatever ails a receiver for a day: uploads go on, another receiver gets all at once,
// and afterwards it gets everything, each event once and those of an account in order.
func TestAReceiverThatAilsForADayGetsEverythingLater(t *testing.T) {
	for _, ill := range []string{"down", "500", "redirect", "slow", "bad certificate"} {
		t.Run(ill, func(t *testing.T) {
			t.Parallel()
			var sick, well *receivers.Webhook
			w := newWorld(t, func(dir string, c *config.Config) {
				sick, well = receivers.NewWebhook(t, dir, "sick"), receivers.NewWebhook(t, dir, "well")
				c.Webhooks = []config.Webhook{sick.Config, well.Config}
			})
			if ill == "slow" {
				w.n.senders["webhook:sick"].(*webhook).timeout = 200 * time.Millisecond
			}
			sick.Become(ill)
			began := w.now
			var want []string
			for hour := range 24 {
				for _, a := range []store.Account{w.Acme, w.Lincoln} {
					w.tell(a, fmt.Sprintf("in hour %d", hour))
					want = append(want, fmt.Sprintf("%s in hour %d", a.Name, hour))
				}
				path := fmt.Sprintf("acme/job1/A/%d.jpg", hour)
				w.Write(path, fmt.Sprint(hour))
				if w.Publish(path).ID == 0 {
					t.Errorf("%s is not taken in", path)
				}
				if ill == "slow" && hour > 0 {
					w.now = began.Add(time.Duration(hour) * time.Hour) // each try takes its time
					continue
				}
				w.run(began.Add(time.Duration(hour+1) * time.Hour))
			}
			w.run(w.now)
			if got := well.Accepted(); !slices.Equal(sorted(got), sorted(want)) {
				t.Errorf("the other receiver got %q", got)
			}
			if got := sick.Accepted(); len(got) != 0 || ill != "down" && ill != "bad certificate" && sick.Tries() == 0 {
				t.Errorf("got %q in %d tries", got, sick.Tries())
			}
			failing, err := w.Store.FailingLanes(t.Context())
			if err != nil || len(failing) != 2 {
				t.Errorf("%+v %v", failing, err)
			}
			for _, l := range failing {
				if l.Error == "" || len(l.Error) > 1000 || strings.ContainsAny(l.Error, "\x1b\n") {
					t.Errorf("%q", l.Error)
				}
				t.Log(l.Tries, l.Error)
			}
			if ill != "slow" {
				warnings, err := Warnings(t.Context(), w.Store, w.now)
				if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], "events have not reached webhook:sick since ") {
					t.Errorf("%q %v", warnings, err)
				}
			}
			numbers, err := w.n.Numbers(t.Context())
			if err != nil || numbers.Waiting["webhook:sick"] != 48 || numbers.Waiting["webhook:well"] != 0 || numbers.Failures["webhook:sick"] == 0 {
				t.Errorf("%+v %v", numbers, err)
			}
			tries := sick.Tries()
			sick.Become("")
			w.n.senders["webhook:sick"].(*webhook).timeout = webhookTimeout
			w.run(w.now.Add(2 * time.Hour)) // the longest pause is one hour and a fifth
			got := sick.Accepted()
			for _, a := range []string{"acme", "lincoln"} {
				of := func(all []string) []string {
					return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, a) })
				}
				if !slices.Equal(of(got), of(want)) {
					t.Errorf("%s: got %q, want %q", a, of(got), of(want))
				}
			}
			sick.Once()
			well.Once()
			if sick.Tries() != tries+48 {
				t.Errorf("%d tries for 48 events", sick.Tries()-tries)
			}
		})
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// What nobody takes for a week is given up, and delivered all the same when it is asked
// for again.
func TestWhatNobodyTakesForAWeekIsGivenUp(t *testing.T) {
	var r *receivers.Webhook
	w := newWorld(t, func(dir string, c *config.Config) {
		r = receivers.NewWebhook(t, dir, "shop")
		c.Webhooks = []config.Webhook{r.Config}
	})
	r.Become("500")
	w.tell(w.Acme, "old")
	w.run(w.now.Add(6 * 24 * time.Hour))
	w.tell(w.Acme, "young")
	w.run(w.now.Add(2 * 24 * time.Hour))
	if r.Tries() < 150 || r.Tries() > 300 {
		t.Errorf("%d tries in 8 days", r.Tries())
	}
	r.Become("")
	w.run(w.now.Add(2 * time.Hour))
	if got := r.Accepted(); !slices.Equal(got, []string{"acme young"}) {
		t.Errorf("%q", got)
	}
	w.Update(func(tx *store.Tx) error {
		n, err := tx.RetryNotices(nil, w.now)
		if n != 1 {
			t.Errorf("%d wait again", n)
		}
		return err
	})
	w.run(w.now)
	if got := r.Accepted(); !slices.Equal(got, []string{"acme young", "acme old"}) {
		t.Errorf("%q", got)
	}
	w.now = w.now.Add(w.n.Config.Notify.Keep.Std())
	w.Must(w.n.Prune(t.Context(), w.now))
	if left := w.events(); len(left) != 0 {
		t.Errorf("%q", left)
	}
}

// Until a delivery is noted, this process does not repeat it; another one, after a crash,
// repeats it under the same id.
func TestADeliveryThatIsNotNoted(t *testing.T) {
	var r *receivers.Webhook
	w := newWorld(t, func(dir string, c *config.Config) {
		r = receivers.NewWebhook(t, dir, "shop")
		c.Webhooks = []config.Webhook{r.Config}
	})
	w.tell(w.Acme, "one")
	w.broken = errors.New("disk full")
	for range 5 {
		if _, err := w.n.Deliver(t.Context(), "webhook:shop", w.now); !errors.Is(err, w.broken) {
			t.Error(err)
		}
	}
	if r.Tries() != 1 {
		t.Errorf("%d tries", r.Tries())
	}
	w.start(w.n.Config)
	w.broken = nil
	w.run(w.now)
	if r.Tries() != 2 || r.IDs() != 1 {
		t.Errorf("%d tries, %d", r.Tries(), r.IDs())
	}
	w.start(w.n.Config)
	w.run(w.now)
	if r.Tries() != 2 {
		t.Errorf("what is noted is repeated: %d", r.Tries())
	}
}

// A webhook gets only the accounts that it is for, and nothing after it left the
// configuration.
func TestWebhooksGetTheirAccountsOnly(t *testing.T) {
	var all, one *receivers.Webhook
	w := newWorld(t, func(dir string, c *config.Config) {
		all, one = receivers.NewWebhook(t, dir, "all"), receivers.NewWebhook(t, dir, "one")
		one.Config.Accounts = []string{"lincoln"}
		c.Webhooks = []config.Webhook{all.Config, one.Config}
	})
	w.tell(w.Acme, "a")
	w.tell(w.Lincoln, "b")
	w.tell(store.Account{}, "c")
	w.run(w.now)
	if a, b := sorted(all.Accepted()), one.Accepted(); !slices.Equal(a, []string{"acme a", "c", "lincoln b"}) || !slices.Equal(b, []string{"lincoln b"}) {
		t.Errorf("%q %q", a, b)
	}
	w.tell(w.Lincoln, "d")
	c := w.n.Config
	c.Webhooks = c.Webhooks[:1]
	w.start(c)
	w.Must(w.n.begin(t.Context()))
	w.run(w.now)
	if b, err := w.Store.Backlogs(t.Context()); err != nil || len(b) != 0 {
		t.Errorf("%+v %v", b, err)
	}
}

func TestDelays(t *testing.T) {
	for failures, want := range map[int]time.Duration{0: 5 * time.Second, 1: 5 * time.Second, 3: time.Minute, 7: time.Hour, 1000: time.Hour} {
		for jitter, factor := range map[float64]float64{0: 0.8, 0.5: 1, 1: 1.2} {
			if d := delay(failures, jitter); d.Round(time.Millisecond) != time.Duration(float64(want)*factor).Round(time.Millisecond) {
				t.Errorf("%d %v: %v", failures, jitter, d)
			}
		}
	}
}
