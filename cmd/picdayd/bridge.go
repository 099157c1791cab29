package main

import (
	"context"

	"picday/ingest"
	"picday/store"
	"picday/watcher"
)

// bridge carries what the watcher finds to the ingester. The two do not know
// each other; their words differ only in type.
func (s *service) bridge(ctx context.Context, files chan<- ingest.File) error {
	for {
		select {
		case f := <-s.watcher.Settled():
			select {
			case files <- ingest.File{Account: f.Root, Path: f.Path, Identity: store.Identity(f.Identity), Regular: f.Regular, Dir: f.Dir}:
			case <-ctx.Done():
				return nil
			}
		case g := <-s.watcher.Gone():
			s.ingest.Gone(ctx, g.Root, g.Path)
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *service) done(f ingest.File, again bool) {
	s.watcher.Done(watcher.File{Root: f.Account, Path: f.Path, Identity: watcher.Identity(f.Identity), Regular: f.Regular, Dir: f.Dir}, again)
}

// A ledger tells the watcher what the catalogue has dealt with already.
type ledger struct{ *service }

func (l ledger) Known(ctx context.Context, root, dir string) (map[string]watcher.Identity, error) {
	id, ok := l.roster.id(root)
	if !ok {
		return nil, nil
	}
	known, err := l.store.Known(ctx, id, dir)
	if err != nil {
		return nil, err
	}
	same := make(map[string]watcher.Identity, len(known))
	for name, identity := range known {
		same[name] = watcher.Identity(identity)
	}
	return same, nil
}

func (l ledger) Dirs(ctx context.Context, root string) ([]string, error) {
	id, ok := l.roster.id(root)
	if !ok {
		return nil, nil
	}
	return l.store.KnownDirs(ctx, id)
}

func (l ledger) Holds(ctx context.Context, root, dir string) (bool, error) {
	id, ok := l.roster.id(root)
	if !ok {
		return false, nil
	}
	return l.store.Holds(id, dir)
}
