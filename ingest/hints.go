package ingest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// hints holds the paths that the watcher reported as missing, each until it is known
// whether it exists. After an error (no descriptor left, a full disk, a volume that is
// not mounted) a hint is retried, because otherwise a deleted photo would stay
// published until the next scan of everything.
type hints struct {
	mu     sync.Mutex
	states map[upload.Gone]*retryState

	withdrawFailure  error // of the last failed withdrawal
	withdrawFailedAt time.Time
}

// A retryState says when a hint is tried again, and why.
type retryState struct {
	since time.Time
	due   time.Time // of the next try; zero: a try is running
	tries int
	again bool // the same hint came while a try was running
	err   error
}

// An Unverified is a path that was reported as missing and could not be checked yet.
type Unverified struct {
	Account, Path string
	Since         time.Time
	Err           error
}

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// If an account has more than maxHints hints, they are merged into one per job.
	maxHints = 1000
)

// receiveHint starts to check whether a file or folder is missing.
func (in *Ingester) receiveHint(ctx context.Context, h upload.Gone) {
	a, ok := in.account(h.Account)
	if !ok {
		return
	}
	if in.hints.begin(h) {
		in.checkMissing(ctx, a, h, "", nil)
	}
}

// begin marks the hint as being tried. It returns false if a try is running already.
func (hs *hints) begin(h upload.Gone) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.states == nil {
		hs.states = map[upload.Gone]*retryState{}
	}
	s := hs.states[h]
	if s == nil {
		s = &retryState{since: time.Now()}
		hs.states[h] = s
	} else if s.due.IsZero() {
		s.again = true
		return false
	}
	s.due = time.Time{}
	return true
}

// checkMissing marks missing files as gone, sweepLimit files after the path from in one
// transaction, and continues with the next ones. retryErr is the last reason to try the
// hint again, nil if there is none.
func (in *Ingester) checkMissing(ctx context.Context, a account, h upload.Gone, from string, retryErr error) {
	var missing []string
	var next string
	err := in.Writer.Submit(ctx, store.Change{
		Apply: func(tx *store.Tx) error {
			diskErr, err := in.askDisk(tx.Budget(), func(d store.Disk) (err error) {
				missing, next, err = tx.Missing(a.Account, h.Path, from, sweepLimit, d)
				return err
			})
			if diskErr != nil {
				retryErr = diskErr
			}
			return err
		},
		Done: func(err error) {
			if err != nil {
				in.scheduleRetry(ctx, h, err)
				return
			}
			if len(missing) > 0 {
				in.Log.Info().Str("account", a.Name).Str("path", layout.Shown(h.Path)).Int("files", len(missing)).Msg("missing")
				// Check them again: if a file came back before this commit, the
				// watcher took it for unchanged.
				for _, p := range missing {
					in.Watcher.Look(a.Name, p)
				}
			}
			in.background.start(func() { in.checkNext(ctx, a, h, next, retryErr) })
		},
	})
	if err != nil {
		in.scheduleRetry(ctx, h, err)
	}
}

// checkNext continues after one transaction of checkMissing: with the next files, a
// retry, or the end of the hint.
func (in *Ingester) checkNext(ctx context.Context, a account, h upload.Gone, next string, retryErr error) {
	if next != "" {
		in.checkMissing(ctx, a, h, next, retryErr)
		return
	}
	if a.Layout == layout.Portraits {
		retryErr = errors.Join(retryErr, in.retryDuplicates(ctx, a, h.Path))
	}
	if retryErr != nil {
		in.scheduleRetry(ctx, h, retryErr)
		return
	}
	in.hints.mu.Lock()
	s := in.hints.states[h]
	again := s != nil && s.again
	delete(in.hints.states, h)
	in.hints.mu.Unlock()
	if again {
		in.receiveHint(ctx, h)
	}
}

// retryDuplicates has the watcher send those files again that were duplicates of a
// portrait that is now missing.
func (in *Ingester) retryDuplicates(ctx context.Context, a account, path string) error {
	person, like := a.rules.Of(path).Person, ""
	if isASCII(person) && person != "" {
		like = path // an ID with other characters has several spellings
	}
	duplicates, err := in.Store.Duplicates(ctx, a.Account, like)
	if err != nil {
		return err
	}
	for _, u := range duplicates {
		if person != "" && a.rules.Of(u.Path).Person != person {
			continue
		}
		if err := in.Writer.Do(ctx, func(tx *store.Tx) error { return tx.Forget(u) }); err != nil {
			return err
		}
		in.Watcher.Look(a.Name, u.Path)
	}
	return nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// scheduleRetry plans a retry of a hint.
func (in *Ingester) scheduleRetry(ctx context.Context, h upload.Gone, err error) {
	if ctx.Err() != nil {
		return // the scan at the next start finds the missing file
	}
	in.hints.mu.Lock()
	s := in.hints.states[h]
	if s == nil {
		in.hints.mu.Unlock()
		return
	}
	s.tries++
	s.err, s.again = err, false
	s.due = time.Now().Add(min(firstRetry<<min(s.tries-1, 10), lastRetry))
	first := s.tries == 1
	in.hints.mu.Unlock()
	if first {
		in.Log.Warn().Err(err).Str("account", h.Account).Str("path", layout.Shown(h.Path)).Msg("cannot tell whether it was deleted, will try again")
	}
}

// retryHints starts a try of all hints that are due.
func (in *Ingester) retryHints(ctx context.Context, now time.Time) {
	for _, h := range in.hints.takeDue(now, in.mergedHint) {
		a, ok := in.account(h.Account)
		if !ok { // removed meanwhile
			in.hints.mu.Lock()
			delete(in.hints.states, h)
			in.hints.mu.Unlock()
			continue
		}
		in.checkMissing(ctx, a, h, "", nil)
	}
}

// mergedHint returns the hint that replaces h if its account has too many: one about the
// job, or about ACCOUNT/user-pictures.
func (in *Ingester) mergedHint(h upload.Gone) upload.Gone {
	a, ok := in.account(h.Account)
	parts := strings.SplitN(h.Path, "/", 3)
	if ok && a.Layout == layout.Portraits && len(parts) > 1 {
		return upload.Gone{Account: h.Account, Path: parts[0] + "/" + parts[1]}
	}
	return upload.Gone{Account: h.Account, Path: parts[0]}
}

// takeDue returns the hints that are due at now and marks them as being tried. It first
// merges the hints of accounts that have too many.
func (hs *hints) takeDue(now time.Time, merged func(upload.Gone) upload.Gone) (due []upload.Gone) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	count := map[string]int{}
	for h, s := range hs.states {
		if !s.due.IsZero() {
			count[h.Account]++
		}
	}
	for h, s := range hs.states {
		if m := merged(h); count[h.Account] > maxHints && m != h && !s.due.IsZero() {
			delete(hs.states, h)
			if hs.states[m] == nil {
				hs.states[m] = s
			} else if hs.states[m].due.IsZero() {
				hs.states[m].again = true
			}
		}
	}
	for h, s := range hs.states {
		if !s.due.IsZero() && !s.due.After(now) {
			s.due = time.Time{}
			due = append(due, h)
		}
	}
	return due
}

func (hs *hints) setWithdrawFailure(err error) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.withdrawFailure, hs.withdrawFailedAt = err, time.Now()
}

// WithdrawFailure returns the error for which photos stay published although their files
// have been missing for longer than the grace; nil if none occurred within a minute.
func (in *Ingester) WithdrawFailure() error {
	in.hints.mu.Lock()
	defer in.hints.mu.Unlock()
	if time.Since(in.hints.withdrawFailedAt) > 2*sweepRetry {
		return nil
	}
	return in.hints.withdrawFailure
}

// Unverified lists the paths that were reported as missing and could not be checked yet,
// the oldest first.
func (in *Ingester) Unverified() []Unverified {
	in.hints.mu.Lock()
	defer in.hints.mu.Unlock()
	var all []Unverified
	for h, s := range in.hints.states {
		if s.tries > 0 {
			all = append(all, Unverified{h.Account, h.Path, s.since, s.err})
		}
	}
	slices.SortFunc(all, func(a, b Unverified) int { return a.Since.Compare(b.Since) })
	return all
}
