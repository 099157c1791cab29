package trash

import (
	"context"
	"time"

	"picday/internal/contract"
	"picday/internal/failure"
	"picday/internal/names"
	"picday/store"
)

// List lists the withdrawn photos of an account ("" = all), which the trash keeps for
// keep.
func List(ctx context.Context, s *store.Store, account string, keep time.Duration) (list []contract.TrashedPhoto, err error) {
	for p, err := range s.All().StreamPhotos(ctx, store.PhotoQuery{Account: account, Show: store.ShowWithdrawn}) {
		if err != nil {
			return nil, err
		}
		row := contract.NewTrashedPhoto(p, keep)
		if p.WithdrawnBy != "" {
			if row.HasFile, err = s.All().HasFile(ctx, p); err != nil {
				return nil, err
			}
		}
		list = append(list, row)
	}
	return names.SortPaths(list, contract.TrashedPhoto.Place), nil
}

// atOnce is how many photos Empty ends in one transaction; picdayd gets its turn
// between two.
const atOnce = 500

// Empty ends the photos in the trash of an account, or of all, and returns how many,
// also beside an error. picdayd deletes their files later. Exactly one of accountID
// and all must be given.
func Empty(ctx context.Context, s *store.Store, accountID int64, all bool) (n int64, err error) {
	switch {
	case all && accountID != 0:
		return 0, failure.Usagef("ACCOUNT and --all contradict each other")
	case !all && accountID == 0:
		return 0, failure.Refusalf("nothing was ended: say whose trash, or end that of every account: picday trash empty --all")
	}
	for from := (store.SweepPosition{More: true}); err == nil && from.More; {
		err = s.Update(ctx, func(tx *store.Tx) error {
			ended, to, err := tx.EmptyTrash(accountID, from, atOnce)
			if err == nil {
				n, from = n+ended, to
			}
			return err
		})
	}
	return n, err
}
