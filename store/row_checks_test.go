package store

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"picday/internal/layout"
)

// Each case writes a value that picday never writes. Lists show such a row without control
// characters; an operation that root does with it fails.
func TestNobodyActsOnARowThatPicdayCannotHaveWritten(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.put(bJPG, "B")
	w.settle()
	w.rm(aJPG)
	w.settle()
	w.expire()
	ctx := t.Context()
	sha := shaOf("B")
	flawed := func(err error) bool { return errors.Is(err, ErrFlawed) && !strings.ContainsAny(err.Error(), "\n\x1b") }
	photos := func(show Show) func(*Store) error {
		return func(s *Store) error {
			n := 0
			for p, err := range s.All().StreamPhotos(ctx, PhotoQuery{Show: show}) {
				if err != nil {
					return err
				}
				n++
				if strings.ContainsAny(p.Path+p.RawPath+p.Link+p.WithdrawnBy+p.Job, "\n\x1b") || strings.Contains(p.RawPath, "..") {
					t.Errorf("shown: %+v", p)
				}
			}
			if n != 1 {
				t.Errorf("%d photos shown", n)
			}
			return nil
		}
	}
	trashed := func(s *Store) error { _, err := s.All().Trashed(ctx, "acme", aJPG, ""); return err }
	states := func(s *Store) error {
		states, err := s.JobStates(ctx, w.acct.ID)
		if len(states) != 1 {
			t.Errorf("jobs: %v", states)
		}
		return err
	}
	// A flawed job is listed, but cannot be changed.
	jobs := func(s *Store) error {
		all, err := s.All().Jobs(ctx, JobQuery{})
		if err != nil || len(all) != 2 {
			t.Errorf("jobs %+v, %v", all, err)
		}
		for _, j := range all {
			if strings.ContainsAny(j.Name, "\n\x1b") {
				t.Errorf("shown: %+v", j)
			}
			if j.Flawed() != nil {
				return s.Update(ctx, func(tx *Tx) error { return tx.SetJobState(j, Active, "") })
			}
		}
		return nil
	}
	for _, c := range []struct {
		what, change string
		arg          any
		act          func(*Store) error
		shown        bool
	}{
		{"a path out of the tree", `UPDATE photo SET path = ? WHERE withdrawn_at NOT NULL`, []byte("job1/../../../etc/cron.d/x"), trashed, false},
		{"a path out of the tree", `UPDATE photo SET path = ? WHERE withdrawn_at NOT NULL`, []byte("/etc/shadow"), photos(ShowWithdrawn), true},
		{"two lines", `UPDATE photo SET path_shown = ? WHERE withdrawn_at IS NULL`, "a\npicday: all is well\x1b[2J", photos(ShowPublished), true},
		{"a link", `UPDATE photo SET link = ? WHERE withdrawn_at IS NULL`, "../x\n", photos(ShowPublished), true},
		{"an operator", `UPDATE photo SET withdrawn_by = ? WHERE withdrawn_at NOT NULL`, "eva\nroot", photos(ShowWithdrawn), true},
		{"a job's name", `UPDATE job SET name = ? WHERE name = 'job2'`, "../../etc", states, false},
		{"a job's name", `UPDATE job SET name = ? WHERE name = 'job2'`, "x\ny", states, false},
		{"a job's name", `UPDATE job SET name = ? WHERE name = 'job2'`, "x\ny", jobs, false},
		{
			"a rendition's name", `INSERT INTO rendition (sha256, name, longest, quality, width, height, bytes, hash) SELECT sha256, ?, 100, 80, 1, 1, 1, sha256 FROM original WHERE sha256 = x'` + sha.String() + `'`,
			"../../../../etc/shadow", func(s *Store) error { _, err := s.pictures(ctx, SHA{}, 10); return err }, false,
		},
		{
			"an upload's name", `UPDATE upload SET name = ? WHERE gone_at IS NULL`, []byte("../x"),
			func(s *Store) error {
				if known, err := s.Known(ctx, w.acct.ID, "job1/x"); len(known) != 0 || err != nil {
					t.Errorf("known: %v %v", known, err)
				}
				bad, err := s.Faults(ctx)
				if len(bad) != 1 {
					t.Errorf("unsound: %v", bad)
				}
				return err
			}, true,
		},
		{
			"an upload's folder", `UPDATE upload SET dir = ? WHERE gone_at IS NULL`, []byte("../.."),
			func(s *Store) error {
				_, err := uploadsByInode(ctx, s.read, w.acct.ID, w.files[bJPG].Identity)
				return err
			}, false,
		},
		{"a hash", `PRAGMA foreign_keys = OFF; UPDATE photo SET sha256 = x'00' WHERE withdrawn_at NOT NULL; INSERT INTO original (sha256, bytes, width, height) VALUES (x'00', ?, 1, 1)`, 1, trashed, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			copied := w.copy(t)
			_, err := copied.write.ExecContext(context.Background(), c.change, c.arg)
			w.must(err)
			if err := c.act(copied); c.shown && err != nil || !c.shown && !flawed(err) {
				t.Errorf("%v", err)
			}
		})
	}
	// Names of operators and tokens are returned without control characters.
	w.tx(func(tx *Tx) error {
		_, err := tx.AddToken(Token{Name: "ok\npicday: all is well\x1b[2J"})
		return err
	})
	all, err := w.s.Tokens(ctx)
	if w.must(err); len(all) != 1 || strings.ContainsAny(all[0].Name, "\n\x1b") {
		t.Errorf("%+v", all)
	}
}

// copy returns a catalogue with the same rows.
func (w *world) copy(t *testing.T) *Store {
	t.Helper()
	s := bareStore(t)
	w.must(s.Close())
	w.must(os.Remove(s.dir + "/" + CatalogueFile))
	w.must(w.s.Snapshot(t.Context(), s.dir+"/"+CatalogueFile))
	s, err := open(t.Context(), s.dir, mustExist)
	w.must(err)
	t.Cleanup(func() { s.Close() })
	return s
}
