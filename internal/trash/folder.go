package trash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/store"
)

// A Request says which photos are to be restored.
type Request struct {
	Path   string    // of a photo, or of a folder and all below it; "/" is all of the account
	SHA    string    // only of a photo: the beginning of the picture's SHA-256
	Since  time.Time // only photos withdrawn then or later; zero = all
	DryRun bool      // restore nothing, say what would be

	Progress func(done, of int) // told about a folder; may be nil
}

// Run restores the photo at the path, or else those below it. It returns sentences that
// say what was restored, also beside an error. Accounts must not be changed meanwhile.
//
// What an operator has withdrawn is restored only if its own path is asked for, because
// whoever brings back a folder that was deleted by mistake has not thought of it.
func (t *Trash) Run(ctx context.Context, acct store.Account, r Request) ([]string, error) {
	p, err := t.find(ctx, acct, r.Path, r.SHA)
	switch {
	case err == nil && p.WithdrawnAt.Before(r.Since):
		return nil, fmt.Errorf("%s was withdrawn earlier than that: %w", p.Path, store.ErrNotFound)
	case err == nil && r.DryRun:
		return []string{"would be restored: " + p.Path}, nil
	case err == nil:
		return t.RestorePhoto(ctx, acct, p)
	case !errors.Is(err, store.ErrNotFound) || r.SHA != "":
		return nil, err
	}
	photos, others, ferr := t.below(ctx, acct, r)
	if ferr != nil {
		return nil, ferr
	}
	if len(photos) == 0 {
		return others, err // there is no such folder either
	}
	return t.restoreAll(ctx, acct, r, photos, others)
}

// below finds the photos to restore in a folder: of several pictures that had one path
// the one that was withdrawn last. others says what else is there.
func (t *Trash) below(ctx context.Context, acct store.Account, r Request) (photos []store.Photo, others []string, err error) {
	folder := strings.Trim(r.Path, "/")
	if folder != "" {
		folder = strings.Trim(layout.FromRoot(acct.Layout, acct.Name, folder), "/") + "/"
	}
	byOperators, earlier := 0, 0
	for p, err := range t.Store.All().StreamPhotos(ctx, store.PhotoQuery{Account: acct.Name, Show: store.ShowWithdrawn}) {
		if err == nil {
			err = p.Flawed()
		}
		if err != nil {
			return nil, nil, err
		}
		if !strings.HasPrefix(p.Path, folder) && !strings.HasPrefix(p.RawPath, folder) || p.WithdrawnAt.Before(r.Since) {
			continue
		}
		last := len(photos) - 1
		switch {
		case p.WithdrawnBy != "":
			byOperators++
		case last >= 0 && photos[last].RawPath == p.RawPath: // they come in the order of paths
			earlier++
			if p.WithdrawnAt.After(photos[last].WithdrawnAt) {
				photos[last] = p
			}
		default:
			photos = append(photos, p)
		}
	}
	if byOperators > 0 {
		others = append(others, fmt.Sprintf("%d that operators have withdrawn stay withdrawn: restore each by its path", byOperators))
	}
	if earlier > 0 {
		others = append(others, fmt.Sprintf("%d earlier pictures of the same paths stay in the trash", earlier))
	}
	return photos, others, nil
}

func (t *Trash) restoreAll(ctx context.Context, acct store.Account, r Request, photos []store.Photo, others []string) (report []string, err error) {
	if r.DryRun {
		for _, p := range photos {
			report = append(report, "would be restored: "+p.Path)
		}
		return append(report, others...), nil
	}
	done, refused := 0, 0
	for i, p := range photos {
		if err := ctx.Err(); err != nil {
			return append(report, fmt.Sprintf("%d of %d photos are back; the rest is still in the trash", done, len(photos))), err
		}
		switch _, err := t.RestorePhoto(ctx, acct, p); {
		case err == nil:
			done++
		default:
			if errors.Is(err, account.ErrRefused) {
				refused++
			}
			report = append(report, fmt.Sprintf("not restored: %s: %v", p.Path, err))
		}
		if r.Progress != nil {
			r.Progress(i+1, len(photos))
		}
	}
	report = append(slices.Concat(report, others), fmt.Sprintf("%d photos are back, under their old links", done))
	if failed := len(photos) - done; failed > 0 {
		err = fmt.Errorf("%d of %d photos are not restored", failed, len(photos))
		if failed == refused {
			err = failure.Refusal(err)
		}
	}
	return report, err
}
