package store

import (
	"context"
	"fmt"
)

// Named finds the photo at a path (shown form) or else of a person: the published one,
// or else the one that was withdrawn last. Without one it fails with ErrNotFound, and
// with ErrFlawed if the photo's row has an invalid value.
func (v View) Named(ctx context.Context, path, person string) (Photo, error) {
	for _, show := range []Show{ShowPublished, ShowWithdrawn} {
		for _, q := range []PhotoQuery{{Path: path}, {Person: person}} {
			q.Show, q.Order = show, ByChange
			found, err := v.Photos(ctx, q)
			if err != nil {
				return Photo{}, err
			}
			if n := len(found); n > 0 {
				return found[n-1], found[n-1].Flawed()
			}
		}
	}
	return Photo{}, fmt.Errorf("photo %q: %w", path, ErrNotFound)
}
