package notify

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/test/receivers"
	"picday/internal/test/uploads"
	"picday/store"
)

// A world is a catalogue with a Notifier, whose clock and whose surroundings the test
// sets.
type world struct {
	*uploads.Site
	n       *Notifier
	now     time.Time
	backlog map[string]Backlog
	free    int64
	failing error
	proven  time.Time
	broken  error // of every write
}

const secret = receivers.Secret

func newWorld(t *testing.T, change func(dir string, c *config.Config)) *world {
	w := &world{Site: uploads.New(t), free: 1 << 40, backlog: map[string]Backlog{}}
	w.now = time.Now()
	w.proven = w.now
	c := config.Default()
	change(t.TempDir(), &c)
	w.start(c)
	return w
}

// start makes a Notifier, as a start of picdayd does.
func (w *world) start(c config.Config) {
	w.n = New(Options{
		Config: c, Store: w.Store,
		Write: func(ctx context.Context, fn func(*store.Tx) error) error {
			if w.broken != nil {
				return w.broken
			}
			return w.Store.Update(ctx, fn)
		},
		Backlog: func() (map[string]Backlog, bool) { return w.backlog, true },
		Disks:   func() []Disk { return []Disk{{"uploads", "/srv", w.free}} },
		Proven:  func() time.Time { return w.proven }, Failing: func() error { return w.failing },
		Log: zerolog.Nop(), Now: func() time.Time { return w.now },
	})
}

// run lets the clock go on until a time, and does all that is due on the way.
func (w *world) run(until time.Time) {
	w.Helper()
	for steps := 0; ; steps++ {
		if steps > 100_000 {
			w.Fatal("it never comes to rest")
		}
		soonest, busy := until, false
		for _, channel := range w.n.Channels() {
			next, err := w.n.Deliver(w.Context(), channel, w.now)
			w.Must(err)
			if !next.IsZero() && next.Before(soonest) {
				soonest = next
			}
			busy = busy || !next.IsZero() && !next.After(w.now)
		}
		if busy {
			continue
		}
		if soonest.After(w.now) {
			w.now = soonest
		} else if !w.now.Before(until) {
			return
		}
	}
}

func (w *world) look() { w.Helper(); w.Must(w.n.Look(w.Context(), w.now)) }

// tell enters a notice of an account.
func (w *world) tell(a store.Account, message string) {
	w.Helper()
	w.Must(w.n.addNotices(w.Context(), "look", []finding{{
		new(newNotice(w.now, Test, a.ID, a.Name, struct{}{}, "%s", message)), func(*store.Tx) error { return nil },
	}}))
}

func (w *world) events() (all []string) {
	w.Helper()
	notices, err := w.Store.Notices(w.Context(), store.NoticeQuery{})
	w.Must(err)
	for _, n := range notices {
		all = append([]string{n.Kind + ": " + n.Message}, all...)
	}
	return all
}
