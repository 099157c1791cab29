package trash

import (
	"context"
	"errors"
	"fmt"

	"picday/internal/failure"
	"picday/store"
)

// Rotate gives a photo a new link.
func Rotate(ctx context.Context, s *store.Store, p *store.Photo) error {
	return s.Update(ctx, func(tx *store.Tx) (err error) {
		p.Link, err = tx.Rotate(p.ID, "")
		return err
	})
}

// Revert makes a photo show an earlier picture again, the one whose SHA-256 begins with sha
// if that is not empty, and returns a sentence that says so.
func Revert(ctx context.Context, s *store.Store, p store.Photo, sha string) (string, error) {
	var now store.SHA
	err := s.Update(ctx, func(tx *store.Tx) (err error) {
		now, err = tx.Revert(p.ID, sha, "")
		return err
	})
	switch {
	case errors.Is(err, store.ErrNoEarlier):
		return "", fmt.Errorf("%s: %w: see 'picday photo history'", p.Path, err)
	case errors.Is(err, store.ErrNotShown):
		return "", failure.Refusalf("%s: %w: restore it first", p.Path, err)
	}
	return fmt.Sprintf("%s shows %s again, under its old link", p.Path, now.String()[:12]), err
}

// Accept says that a photo is rightly another shot than before. Nothing is said if nobody is
// told of it.
func Accept(ctx context.Context, s *store.Store, p store.Photo) (done []string, err error) {
	if p.Replaced == (store.SHA{}) {
		return nil, nil
	}
	return []string{p.Path + " is accepted"}, s.Update(ctx, func(tx *store.Tx) error { return tx.Accept(p.ID, "") })
}
