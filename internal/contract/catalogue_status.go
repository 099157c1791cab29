package contract

import (
	"context"
	"fmt"

	"picday/internal/control"
	"picday/store"
)

// CatalogueStatus is what the catalogue says of the status, without picdayd.
func CatalogueStatus(ctx context.Context, s *store.Store, uploadDir string) (control.Status, error) {
	st := control.NewStatus()
	counts, err := s.All().Counts(ctx)
	if err != nil {
		return st, fmt.Errorf("catalogue: %w", err)
	}
	st.Photos, st.Unusual, st.Problems = counts.Photos, counts.Unusual, counts.Problems
	if err := s.CheckVolume(ctx, uploadDir); err != nil {
		st.Warn(err.Error())
	}
	return st, nil
}
