package notify

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"picday/internal/config"
	"picday/store"
)

// Backlog counts the files of one account that are not taken in yet.
type Backlog struct {
	Files     int
	Uploading int // of these: still being written, or were a minute ago
}

// A Disk that has a floor.
type Disk struct {
	What, Dir string
	Free      int64 // bytes
}

// Options are what a Notifier needs; all but Now and Jitter are required.
type Options struct {
	Config config.Config
	Store  *store.Store
	Write  func(context.Context, func(*store.Tx) error) error // store.Writer.Do
	// Backlog returns the accounts with files that are not taken in; known is false until
	// the first scan has ended.
	Backlog func() (accounts map[string]Backlog, known bool)
	Disks   func() []Disk
	// Proven and Failing are of health.Monitor.
	Proven  func() time.Time
	Failing func() error
	// LastProven is store.Store.LastProven from before this start.
	LastProven time.Time
	// Told is true if an Observer has told, and not taken back, that picdayd does not run.
	Told bool
	Log  zerolog.Logger

	Now    func() time.Time // of Run; nil = time.Now
	Jitter func() float64   // from 0 to 1; nil = random
}

// A sender delivers notices of one account, in order, to one receiver.
type sender interface {
	// send returns nil if all notices have arrived for good. to is an operator's.
	send(ctx context.Context, to mailbox, notices []store.Notice) error
	// maxNotices is how many notices one call of send takes.
	maxNotices() int
}

// A Notifier finds and delivers notices. Use New.
type Notifier struct {
	Options
	senders map[string]sender // by channel
	started time.Time

	mu sync.Mutex
	// waiting is since when files of an account wait and nothing was taken in.
	waiting map[string]time.Time
	takenIn map[string]time.Time // when a file of an account was dealt with last
	// sent has the last notice of deliveries that are not in the catalogue yet.
	sent map[store.Receiver]map[int64]store.Notice
	// mailed has the mailboxes of the operators who get notices about the machine, by
	// name, nil until they were read. It is needed when the catalogue cannot be read.
	mailed   map[string]mailbox
	failures map[string]int64 // attempts, by channel
	writing  map[string]bool  // by writer: its last write has not ended yet
}

// New makes a Notifier. It reads nothing and connects to nothing before Run.
func New(o Options) *Notifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	n := &Notifier{
		Options: o, senders: senders(o.Config), started: o.Now(),
		waiting: map[string]time.Time{}, sent: map[store.Receiver]map[int64]store.Notice{}, failures: map[string]int64{},
		writing: map[string]bool{}, takenIn: map[string]time.Time{},
	}
	for channel := range n.senders {
		n.failures[channel] = 0
	}
	return n
}

func senders(c config.Config) map[string]sender {
	all := map[string]sender{}
	for _, w := range c.Webhooks {
		all[store.ViaWebhook+w.Name] = newWebhook(w)
	}
	if c.Mail.Server != "" {
		all[store.ViaMail] = newMail(c.Mail)
	}
	return all
}

// Receivers returns the receivers of notices about an account, or about the machine if it
// is empty, from the configuration and the catalogue.
func Receivers(ctx context.Context, c config.Config, s *store.Store, accountID int64, account string) ([]store.Receiver, error) {
	to := webhooksFor(c, account)
	if c.Mail.Server == "" {
		return to, nil
	}
	mailed, err := s.MailReceivers(ctx, accountID)
	for _, operator := range mailed {
		to = append(to, store.Receiver{Via: store.ViaMail, Who: operator, Interval: c.Mail.Every.Std()})
	}
	return to, err
}

func webhooksFor(c config.Config, account string) (to []store.Receiver) {
	for _, w := range c.Webhooks {
		if len(w.Accounts) == 0 || account != "" && slices.Contains(w.Accounts, account) {
			to = append(to, store.Receiver{Via: store.ViaWebhook + w.Name})
		}
	}
	return to
}

const (
	pollEvery  = time.Second      // for notices that another process has added
	lookEvery  = 10 * time.Second // at most
	pruneEvery = 10 * time.Minute
	mostKept   = 10_000
	pruneLimit = 500
)

// Run looks and delivers until ctx ends. What fails is logged and tried again.
func (n *Notifier) Run(ctx context.Context) error {
	if err := n.begin(ctx); err != nil && ctx.Err() == nil {
		n.Log.Error().Err(err).Msg("the outbox cannot be read, will try again")
	}
	var group errgroup.Group
	every := min(lookEvery, max(n.Config.Notify.Quiet.Std()/4, 200*time.Millisecond))
	group.Go(func() error { n.repeat(ctx, every, n.Look, "look for events"); return nil })
	group.Go(func() error { n.repeat(ctx, pruneEvery, n.Prune, "prune the outbox"); return nil })
	group.Go(func() error { n.watch(ctx); return nil })
	for channel := range n.senders {
		group.Go(func() error {
			n.repeat(ctx, pollEvery, func(ctx context.Context, now time.Time) error {
				for ctx.Err() == nil {
					next, err := n.Deliver(ctx, channel, now)
					if err != nil || next.IsZero() || next.After(now) {
						return err
					}
					now = n.Now()
				}
				return nil
			}, "deliver events")
			return nil
		})
	}
	return group.Wait()
}

// repeat calls do periodically until ctx ends. It logs an error once until another one
// occurs.
func (n *Notifier) repeat(ctx context.Context, every time.Duration, do func(context.Context, time.Time) error, what string) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	said := ""
	for {
		text := ""
		if err := do(ctx, n.Now()); err != nil && ctx.Err() == nil {
			text = err.Error()
		}
		if text != "" && text != said {
			n.Log.Error().Str("error", text).Str("task", what).Msg("failed, will try again")
		}
		said = text
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// begin ends deliveries to receivers that are no longer configured, and adds a notice if
// picdayd did not work for long before this start.
func (n *Notifier) begin(ctx context.Context) error {
	channels, err := n.Store.Channels(ctx)
	if err != nil {
		return err
	}
	for _, channel := range channels {
		if n.senders[channel] != nil {
			continue
		}
		n.Log.Warn().Str("receiver", channel).Msg("is no longer configured: what waits for it is given up")
		if err := n.write(ctx, "look", func(tx *store.Tx) error { return tx.EndChannel(channel) }); err != nil {
			return err
		}
	}
	return n.reportDowntime(ctx)
}

var errWriting = errors.New("the catalogue has not answered the last write yet")

// writeWithin is how long write waits. On a frozen disk the write takes longer.
const writeWithin = 10 * time.Second

// write calls Options.Write, one at a time for each writer, so that a frozen disk does not
// queue them up. After errWriting the change may be committed later.
func (n *Notifier) write(ctx context.Context, writer string, change func(*store.Tx) error) error {
	n.mu.Lock()
	busy := n.writing[writer]
	n.writing[writer] = true
	n.mu.Unlock()
	if busy {
		return errWriting
	}
	done := make(chan error, 1)
	go func() {
		err := n.Write(context.WithoutCancel(ctx), change)
		n.mu.Lock()
		n.writing[writer] = false
		n.mu.Unlock()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(writeWithin):
		return errWriting
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Prune deletes what is older than notify.keep, and the oldest beyond a number.
func (n *Notifier) Prune(ctx context.Context, now time.Time) error {
	for more := true; more && ctx.Err() == nil; {
		err := n.Write(ctx, func(tx *store.Tx) (err error) {
			_, more, err = tx.PruneNotices(now.Add(-n.Config.Notify.Keep.Std()), mostKept, pruneLimit)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
