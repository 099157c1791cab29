package store_test

import (
	"testing"

	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/internal/upload"
	"picday/store"
)

// A catalogue that was generated for measurements has the rows and counters of one that
// was filled by Publish.
func TestAGeneratedCatalogueIsConsistent(t *testing.T) {
	ctx := t.Context()
	s, _, err := store.Create(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs})
		if err != nil {
			return err
		}
		return tx.AddJob(a, "job1")
	}); err != nil {
		t.Fatal(err)
	}
	if err := catalogues.Bulk(ctx, s, "acme", "job1", 250, 100); err != nil {
		t.Fatal(err)
	}
	volume := uint64(7)
	if err := catalogues.Identify(ctx, s, "acme", func(path string) (upload.Identity, error) {
		return upload.Identity{Volume: volume, Ino: uint64(len(path))}, nil
	}); err != nil {
		t.Fatal(err)
	}
	c, err := s.All().Counts(ctx)
	if err != nil || c.Photos != 250 || c.OriginalFiles != 250 || c.RenditionFiles != 500 {
		t.Errorf("%+v, %v", c, err)
	}
	jobs, err := s.All().Jobs(ctx, store.JobQuery{Account: "acme"})
	if err != nil || len(jobs) != 1 || jobs[0].Photos != 250 || jobs[0].Albums != 3 {
		t.Errorf("%+v, %v", jobs, err)
	}
	acct, err := s.All().Account(ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	known, err := s.Known(ctx, acct.ID, "job1/Class 000001")
	if len(known) != 100 {
		t.Errorf("%d files known in an album of 100", len(known))
	}
	for _, id := range known {
		if id.Volume != volume {
			t.Errorf("%+v", id)
		}
	}
	if n, _, cerr := s.PictureCount(ctx); n != 250 || cerr != nil {
		t.Errorf("%d pictures are pointed to, %v", n, cerr)
	}
	if wrong, uerr := s.Faults(ctx); err != nil || uerr != nil || len(wrong) > 0 {
		t.Errorf("%q, %v, %v", wrong, err, uerr)
	}
}
