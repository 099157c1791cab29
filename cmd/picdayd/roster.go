package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"picday/layout"
	"picday/store"
	"picday/watcher"
)

// A roster keeps the watcher and the ingester told which accounts and planned
// jobs there are. The catalogue is the only messenger: the tool changes it,
// and the roster looks every second whether somebody did.
type roster struct {
	*service
	mu  sync.Mutex
	ids map[string]int64
}

func (r *roster) id(account string) (int64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok := r.ids[account]
	return id, ok
}

func (r *roster) load(ctx context.Context) error {
	accounts, err := r.store.Accounts(ctx)
	if err != nil {
		return err
	}
	ids := map[string]int64{}
	var roots []watcher.Root
	var readable []store.Account
	for _, a := range accounts {
		if err := a.Flawed(); err != nil {
			r.log.Error().Err(err).Msg("a damaged row")
			if !a.Readable() {
				continue
			}
		}
		readable = append(readable, a)
		root := watcher.Root{
			Name: a.Name, Dir: filepath.Join(r.cfg.UploadDir, a.Name),
			// An account of another customer, or one whose rules have changed.
			Generation: fmt.Sprint(a.ID, " ", a.IDPattern),
		}
		switch a.Layout {
		case store.Portraits:
			root.Trees = []string{a.Name + "/" + layout.UserPictures}
		case store.Jobs:
			states, err := r.store.JobStates(ctx, a.ID)
			if errors.Is(err, store.ErrFlawed) {
				r.log.Error().Err(err).Str("account", a.Name).Msg("a job cannot be looked after, the others are")
			} else if err != nil {
				return err
			}
			for name, state := range states {
				// Also on the way to active: if that was interrupted, uploads
				// may still come.
				if state != store.Active {
					root.Trees = append(root.Trees, name)
				}
			}
			sort.Strings(root.Trees)
		}
		ids[a.Name] = a.ID
		roots = append(roots, root)
	}
	r.mu.Lock()
	r.ids = ids
	r.mu.Unlock()
	r.ingest.SetAccounts(readable)
	r.watcher.SetRoots(roots)
	return nil
}

// follow looks for changes by other processes until ctx ends, and passes the
// word on.
func (r *roster) follow(ctx context.Context, nudge chan<- struct{}) error {
	var seen int64
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		version, err := r.store.Version(ctx)
		if err == nil && version != seen {
			if err = r.load(ctx); err == nil {
				seen = version
				select {
				case nudge <- struct{}{}:
				default:
				}
			}
		}
		if err != nil && ctx.Err() == nil {
			r.log.Error().Err(err).Msg("cannot read the accounts, will try again")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
