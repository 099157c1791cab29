package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/durable"
	"picday/internal/language"
	"picday/store"
)

// An Observer notices from outside that picdayd does not run, or runs without being able to
// send notices, and sends its notice: once for an outage, and once when it is over. Each
// Check is a process of its own. It does not touch the catalogue, and works with a
// configuration that cannot be read any more: whom to tell, and how, is what the last Check
// with a running picdayd has kept.
type Observer struct {
	Load  func() (config.Config, error)
	Ask   func(ctx context.Context, runDir string) (control.Teller, error)
	Dir   string        // of its state
	After time.Duration // how long picdayd must have failed to answer
	Boot  string        // of the machine: what failed before the last one is no outage
	Now   func() time.Time
	Log   zerolog.Logger
}

// DefaultAfter is how long picdayd must have failed to answer an Observer.
const DefaultAfter = unprovenAfter

// observed is what an Observer keeps between two checks.
type observed struct {
	RunDir   string                     `json:"run_dir"`
	Mail     config.Mail                `json:"mail"`
	Webhooks []config.Webhook           `json:"webhooks"`
	Mailed   map[string]control.Mailbox `json:"mailed"` // mailboxes of those who are told about the machine, by operator

	Since        time.Time `json:"since"`         // when the picdayd that was seen last has started
	FailingSince time.Time `json:"failing_since"` // zero: it was there at the last check
	Boot         string    `json:"boot"`          // of FailingSince
	Outage       bool      `json:"outage"`        // it was told, and is not over
	OutageSince  time.Time `json:"outage_since"`

	Notices []store.Notice       `json:"notices"` // the oldest first
	Sent    map[string]int       `json:"sent"`    // how many of them a receiver has, by its name
	Tries   map[string]int       `json:"tries"`
	Due     map[string]time.Time `json:"due"`
}

const (
	observerFile = "state.json"
	// observerBlock is what the state's size is a multiple of, in bytes: it can be written
	// in place on a disk that is full.
	observerBlock = 16 << 10
	observerMost  = 1 << 20
)

// ToldByObserver tells whether an Observer with its state in dir has sent notice that
// picdayd does not run, and not yet that it runs again.
func ToldByObserver(dir string) bool {
	s, err := readObserved(dir)
	return err == nil && s.Outage
}

func readObserved(dir string) (s observed, err error) {
	f, err := os.Open(filepath.Join(dir, observerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer f.Close()
	text := make([]byte, observerMost)
	n, _ := f.Read(text) // what was not read is no JSON
	if err := json.Unmarshal(text[:n], &s); err != nil {
		return observed{}, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return s, nil
}

// write keeps the state. On a full disk it is written over the old one.
func (s observed) write(dir string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	text = append(text, strings.Repeat(" ", observerBlock-len(text)%observerBlock-1)+"\n"...)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	name := filepath.Join(dir, observerFile)
	if err = durable.WriteFile(name, text, 0o640); err == nil {
		return nil
	}
	f, oerr := os.OpenFile(name, os.O_WRONLY, 0)
	if oerr != nil {
		return err
	}
	_, werr := f.Write(text)
	if errors.Join(werr, f.Close()) != nil {
		return err
	}
	return nil
}

// Check looks once whether picdayd is there, and sends what is to be sent. Its error says
// what somebody should see: what could not be delivered or kept.
func (o Observer) Check(ctx context.Context) error {
	s, err := readObserved(o.Dir)
	if err != nil {
		o.Log.Error().Err(err).Msg("the state cannot be read, and is begun anew")
	}
	now := o.Now().UTC()
	cfg, cerr := o.Load()
	if cerr == nil {
		s.RunDir, s.Mail, s.Webhooks = cfg.RunDir, cfg.Mail, cfg.Webhooks
	}
	answer, aerr := o.Ask(ctx, s.RunDir)
	why := errors.Join(aerr, cerr)
	if aerr == nil {
		if answer.Mailed != nil {
			s.Mailed = answer.Mailed
		}
		// One that is another at each check is being started again and again.
		if !s.Since.IsZero() && !answer.Since.Equal(s.Since) {
			why = errors.New("it is started again and again")
		} else {
			why = nil
		}
		s.Since = answer.Since
	}
	o.judge(&s, why, now)
	if kerr := s.write(o.Dir); kerr != nil { // before it is sent, for the key of the notice
		err = errors.Join(err, kerr)
	}
	if len(s.Notices) == 0 {
		return err
	}
	err = errors.Join(err, o.deliver(ctx, &s, now))
	return errors.Join(err, s.write(o.Dir))
}

// judge notes an outage, or its end. why is nil if picdayd is there.
func (o Observer) judge(s *observed, why error, now time.Time) {
	add := func(n store.Notice) {
		s.Notices = append(s.Notices, n)
		o.Log.Warn().Str("id", n.Key).Str("type", n.Kind).Str("text", n.Message).Msg("event")
	}
	if why == nil {
		if s.Outage {
			add(newNotice(now, DaemonProven, 0, "", Unproven{Since: s.OutageSince, Until: &now}, "picdayd on %s is proven to work again", hostName()))
		}
		s.Outage, s.FailingSince = false, time.Time{}
		return
	}
	if s.FailingSince.IsZero() || s.Boot != o.Boot {
		s.FailingSince, s.Boot = now, o.Boot
	}
	if s.Outage || now.Sub(s.FailingSince) < o.After {
		return
	}
	s.Outage, s.OutageSince = true, s.FailingSince
	text := brief(strings.ReplaceAll(why.Error(), "\n", "; "))
	add(newNotice(now, DaemonUnproven, 0, "", Unproven{Since: s.OutageSince, Why: text},
		"picdayd on %s has not been proven to work since %s: %s", hostName(), s.OutageSince.Format(time.RFC3339), text))
}

// observerTry is how long one receiver may take.
const observerTry = 20 * time.Second

// deliver sends each receiver what it does not have, and forgets what all have, or nobody
// has taken for giveUpAfter.
func (o Observer) deliver(ctx context.Context, s *observed, now time.Time) (err error) {
	cfg := config.Config{Mail: s.Mail, Webhooks: s.Webhooks}
	ways := senders(cfg)
	to := webhooksFor(cfg, "")
	for _, operator := range slices.Sorted(maps.Keys(s.Mailed)) {
		if s.Mail.Server != "" {
			to = append(to, store.Receiver{Via: store.ViaMail, Who: operator})
		}
	}
	if s.Sent == nil {
		s.Sent, s.Tries, s.Due = map[string]int{}, map[string]int{}, map[string]time.Time{}
	}
	rest := false
	for _, r := range to {
		name := r.String()
		for s.Sent[name] < len(s.Notices) && now.Sub(s.Notices[s.Sent[name]].At) > giveUpAfter {
			s.Sent[name]++
		}
		if s.Sent[name] >= len(s.Notices) {
			continue
		}
		if s.Due[name].After(now) {
			rest = true
			continue
		}
		box := s.Mailed[r.Who]
		terr := o.send(ctx, ways[r.Via], mailbox{box.Address, language.Language(box.Language)}, s.Notices[s.Sent[name]:])
		if terr == nil {
			s.Sent[name], s.Tries[name] = len(s.Notices), 0
			o.Log.Info().Str("receiver", name).Str("last", s.Notices[len(s.Notices)-1].Key).Msg("delivered, without the catalogue")
			continue
		}
		rest = true
		s.Tries[name]++
		s.Due[name] = now.Add(delay(s.Tries[name], 0))
		o.Log.Warn().Str("receiver", name).Int("tries", s.Tries[name]).Err(terr).Msg("not delivered")
		err = errors.Join(err, fmt.Errorf("%s: %w", name, terr))
	}
	if !rest {
		s.Notices, s.Sent, s.Tries, s.Due = nil, nil, nil, nil
	}
	return err
}

func (o Observer) send(ctx context.Context, way sender, to mailbox, notices []store.Notice) error {
	for part := range slices.Chunk(notices, min(way.maxNotices(), len(notices))) {
		ctx, cancel := context.WithTimeout(ctx, observerTry)
		err := way.send(ctx, to, part)
		if cancel(); err != nil {
			return err
		}
	}
	return nil
}
