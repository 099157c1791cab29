package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"picday/internal/layout"
	"picday/store"
)

// Remove forgets the person of a place who has this code or ID.
func (p Place) Remove(ctx context.Context, who string) ([]string, error) {
	v, scope, err := p.scope(ctx)
	if err != nil {
		return nil, err
	}
	x, err := v.SubjectByCode(ctx, scope.AccountID, who)
	if err == nil && (!x.RemovedAt.IsZero() || x.JobID != scope.JobID) {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		x, err = v.SubjectByID(ctx, scope.AccountID, scope.JobID, who)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("nobody here has the code or ID %q: %w: see 'picday roster show'", layout.Shown(who), store.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	name := cmp.Or(x.Name(), "an unnamed person")
	if err := p.Update(ctx, func(tx *store.Tx) error { return tx.RemoveSubject(x.ID) }); err != nil {
		return nil, err
	}
	said := []string{fmt.Sprintf("%s is forgotten: the name, the ID, the class, and who is on which photo. The photos stay, of nobody. The code %s is never given out again", name, x.Code)}
	if x.Listed == store.OnList {
		said = append(said, "a list that still has this person brings the person back with another code")
	}
	return said, nil
}
