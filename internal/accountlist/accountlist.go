// Package accountlist tells the watcher and the ingester which accounts and planned
// jobs there are. The tool changes them in the catalogue; the daemon looks
// every second whether it did.
package accountlist

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/areas"
	"picday/internal/layout"
	"picday/store"
	"picday/watcher"
)

// Options are what a List needs; all are required.
type Options struct {
	UploadDir string

	// Accounts, JobStates and Version ask the catalogue. Version changes whenever
	// another process has committed.
	Accounts  func(context.Context) ([]store.Account, error)
	JobStates func(ctx context.Context, accountID int64) (map[string]store.JobState, error)
	Version   func(context.Context) (int64, error)

	// Areas are names of folders that mean an area, of all accounts.
	Areas areas.Names

	// Apply gets what was read last: the accounts that can be worked for, and the
	// tree of each. It is never called twice at the same time. After an error it is
	// called again by Follow.
	Apply func(context.Context, []store.Account, []watcher.Root) error
	Log   zerolog.Logger
}

// A List reads the accounts and applies them.
type List struct {
	Options
	// loading has one place, for whoever reads and applies: otherwise a reader that
	// is overtaken would apply older accounts after newer ones.
	loading chan struct{}
}

// New makes a List; nothing is read before Load.
func New(o Options) *List { return &List{Options: o, loading: make(chan struct{}, 1)} }

// Load reads the accounts and applies them.
func (l *List) Load(ctx context.Context) error {
	select {
	case l.loading <- struct{}{}:
		defer func() { <-l.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	accounts, err := l.Accounts(ctx)
	if err != nil {
		return err
	}
	var roots []watcher.Root
	var readable []store.Account
	for _, a := range accounts {
		if err := a.Flawed(); err != nil {
			l.Log.Error().Err(err).Msg("a damaged row")
			if !a.Readable() {
				continue
			}
		}
		root, err := l.root(ctx, a)
		if err != nil {
			return err
		}
		readable = append(readable, a)
		roots = append(roots, root)
	}
	if err := l.Apply(ctx, readable, roots); err != nil {
		return fmt.Errorf("%w: %w", ErrNotApplied, err)
	}
	return nil
}

// ErrNotApplied is an error of Options.Apply.
var ErrNotApplied = errors.New("not all files can be looked at again")

// root is what the watcher has to watch of an account.
func (l *List) root(ctx context.Context, a store.Account) (watcher.Root, error) {
	root := watcher.Root{
		Account: a.Name, Dir: filepath.Join(l.UploadDir, a.Name),
		// Changes with the account's rules, and where another account has the name.
		Generation: fmt.Sprint(a.ID, " ", a.IDPattern),
	}
	if m := areas.Of(l.Areas, a.Areas); len(m) > 0 {
		root.Generation += " " + m.String()
	}
	switch a.Layout {
	case layout.Portraits:
		root.Trees = []string{a.Name + "/" + layout.UserPictures}
	case layout.Jobs:
		states, err := l.JobStates(ctx, a.ID)
		if errors.Is(err, store.ErrFlawed) {
			l.Log.Error().Err(err).Str("account", a.Name).Msg("a job cannot be looked after, the others are")
		} else if err != nil {
			return root, err
		}
		for name, state := range states {
			// Also while it is being activated: if that was interrupted, uploads may
			// still come.
			if state != store.Active {
				root.Trees = append(root.Trees, name)
			}
		}
		sort.Strings(root.Trees)
	}
	return root, nil
}

// Follow loads the accounts at once, and again after each commit by another
// process, until ctx ends. After each time it puts something into changed, unless
// there is something in it already.
func (l *List) Follow(ctx context.Context, changed chan<- struct{}) error {
	var seen int64
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		version, err := l.Version(ctx)
		if err == nil && version != seen {
			if err = l.Load(ctx); err == nil {
				seen = version
				select {
				case changed <- struct{}{}:
				default:
				}
			}
		}
		if err != nil && ctx.Err() == nil {
			l.Log.Error().Err(err).Msg("cannot read the accounts, will try again")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
