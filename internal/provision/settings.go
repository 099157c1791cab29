package provision

import (
	"context"
	"strings"

	"picday/internal/areas"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/store"
)

// SetAreas replaces the account's own names of folders that mean an area. picdayd looks
// again at what is in such folders.
func SetAreas(ctx context.Context, s *store.Store, acct store.Account, n areas.Names) ([]string, error) {
	if acct.Layout != layout.Jobs {
		return nil, failure.Usagef("account %s has the layout %s: it has no such folders", acct.Name, acct.Layout)
	}
	if err := n.Check(); err != nil {
		return nil, failure.Usage(err)
	}
	if err := s.Update(ctx, func(tx *store.Tx) error { return tx.SetAreas(acct, n) }); err != nil {
		return nil, err
	}
	if n.None() {
		return []string{acct.Name + " has no names of its own for the folders individuals and group"}, nil
	}
	var said []string
	for area, list := range map[string][]string{areas.Individuals: n.Individuals, areas.Group: n.Group} {
		if len(list) > 0 {
			said = append(said, "in albums of "+acct.Name+" these folders mean "+area+", too: "+strings.Join(list, ", "))
		}
	}
	return said, nil
}
