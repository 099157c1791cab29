package store

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

// Each row is changed as picday never would. What is to be shown is shown, with
// nothing in it that could steer a terminal; what root would act upon is an error.
func TestNobodyActsOnARowThatPicdayCannotHaveWritten(t *testing.T) {
	w := newWorld(t, Jobs)
	w.put(aJPG, "A")
	w.put(bJPG, "B")
	w.settle()
	w.rm(aJPG)
	w.settle()
	w.expire()
	ctx := t.Context()
	sha := shaOf("B")
	flawed := func(err error) bool { return errors.Is(err, ErrFlawed) && !strings.ContainsAny(err.Error(), "\n\x1b") }
	photos := func(withdrawn bool) func(*Store) error {
		return func(s *Store) error {
			n := 0
			err := s.Photos(ctx, PhotoFilter{Withdrawn: withdrawn}, func(p Photo) error {
				n++
				if strings.ContainsAny(p.Path+p.RawPath+p.Link+p.WithdrawnBy+p.Job, "\n\x1b") || strings.Contains(p.RawPath, "..") {
					t.Errorf("shown: %+v", p)
				}
				return nil
			})
			if n != 1 {
				t.Errorf("%d photos shown, %v", n, err)
			}
			return err
		}
	}
	trashed := func(s *Store) error { _, err := s.Trashed(ctx, "acme", aJPG, ""); return err }
	states := func(s *Store) error {
		states, err := s.JobStates(ctx, w.acct.ID)
		if len(states) != 1 {
			t.Errorf("jobs: %v", states)
		}
		return err
	}
	for _, c := range []struct {
		what, change string
		arg          any
		act          func(*Store) error
		shown        bool
	}{
		{"a path out of the tree", `UPDATE photo SET path = ? WHERE withdrawn_at NOT NULL`, []byte("job1/../../../etc/cron.d/x"), trashed, false},
		{"a path out of the tree", `UPDATE photo SET path = ? WHERE withdrawn_at NOT NULL`, []byte("/etc/shadow"), photos(true), true},
		{"two lines", `UPDATE photo SET path_shown = ? WHERE withdrawn_at IS NULL`, "a\npicday: all is well\x1b[2J", photos(false), true},
		{"a link", `UPDATE photo SET link = ? WHERE withdrawn_at IS NULL`, "../x\n", photos(false), true},
		{"an operator", `UPDATE photo SET withdrawn_by = ? WHERE withdrawn_at NOT NULL`, "eva\nroot", photos(true), true},
		{"a job's name", `UPDATE job SET name = ? WHERE name = 'job2'`, "../../etc", states, false},
		{"a job's name", `UPDATE job SET name = ? WHERE name = 'job2'`, "x\ny", states, false},
		{
			"a rendition's name", `INSERT INTO rendition (sha256, name, longest, quality, width, height, bytes, hash) SELECT sha256, ?, 100, 80, 1, 1, 1, sha256 FROM original WHERE sha256 = x'` + sha.String() + `'`,
			"../../../../etc/shadow", func(s *Store) error { _, err := s.Pictures(ctx, SHA{}, 10); return err }, false,
		},
		{
			"an upload's name", `UPDATE upload SET name = ? WHERE gone_at IS NULL`, []byte("../x"),
			func(s *Store) error {
				if known, err := s.Known(ctx, w.acct.ID, "job1/x"); len(known) != 0 || err != nil {
					t.Errorf("known: %v %v", known, err)
				}
				bad, err := s.Unsound(ctx)
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
	// Names of log-ins come out as they can be put into a sentence.
	w.tx(func(tx *Tx) error {
		_, err := tx.AddToken(Token{Name: "ok\npicday: all is well\x1b[2J"})
		return err
	})
	all, err := w.s.Tokens(ctx)
	if w.must(err); len(all) != 1 || strings.ContainsAny(all[0].Name, "\n\x1b") {
		t.Errorf("%+v", all)
	}
}

// copy is a catalogue with the same rows.
func (w *world) copy(t *testing.T) *Store {
	t.Helper()
	s := bareStore(t)
	w.must(s.Close())
	w.must(os.Remove(s.dir + "/" + CatalogueFile))
	w.must(w.s.Snapshot(t.Context(), s.dir+"/"+CatalogueFile))
	s, err := open(t.Context(), s.dir, mustBe)
	w.must(err)
	t.Cleanup(func() { s.Close() })
	return s
}
