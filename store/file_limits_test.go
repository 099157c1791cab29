package store

import (
	"errors"
	"testing"

	"picday/internal/layout"
	"picday/internal/upload"
)

// Files are counted per account and per job, except those of active jobs and those that
// wait for a limit. Of the waiting ones the first file and the last folder are listed.
func TestWhatWaitsForALimit(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	at := func(path string, ino uint64) (Place, upload.Identity) {
		return Place{Path: path, Shown: path, Job: "job1"}, upload.Identity{Volume: 1, Ino: ino}
	}
	w.tx(func(tx *Tx) error {
		a, aID := at("job1/a/1.jpg", 1)
		b, bID := at("job1/a/b/2.jpg", 2)
		return errors.Join(tx.Problem(w.acct, a, aID, layout.Damaged, 0, w), tx.Problem(w.acct, b, bID, layout.Damaged, 0, w))
	})
	full := func(most int) bool {
		room, err := w.s.FilesLeft(t.Context(), w.acct.ID, most)
		if err != nil {
			t.Fatal(err)
		}
		return room <= 0
	}
	if !full(2) || full(3) {
		t.Errorf("with two files: %v of two, %v of three", full(2), full(3))
	}
	for _, path := range []string{"job1/a/3.jpg", "job1/a/4.jpg"} {
		w.tx(func(tx *Tx) error {
			p, id := at(path, 3)
			return tx.AddWaiting(w.acct, p, id, layout.TooManyFiles, w)
		})
		w.tx(func(tx *Tx) error {
			p, id := at(path+".d", 4)
			return tx.AddWaiting(w.acct, p, id, layout.TooManyFolders, w)
		})
	}
	all, err := w.s.All().Problems(t.Context(), ProblemQuery{Account: "acme", Order: ProblemsByPath})
	listed := map[string]layout.Reason{}
	for _, p := range all {
		listed[p.RawPath] = p.Reason
	}
	if err != nil || len(all) != 4 || listed["job1/a/3.jpg"] != layout.TooManyFiles || listed["job1/a/4.jpg.d"] != layout.TooManyFolders {
		t.Errorf("%v %v", listed, err)
	}
	if !full(2) || full(3) {
		t.Error("what waits counts")
	}
	for _, c := range []struct {
		path string
		ino  uint64
		want bool
	}{{"job1/a/1.jpg", 9, true}, {"job1/moved.jpg", 2, true}, {"job1/a/3.jpg", 3, false}, {"job1/new.jpg", 9, false}} {
		if known, err := w.s.KnownFile(t.Context(), w.acct.ID, c.path, upload.Identity{Volume: 1, Ino: c.ino}); err != nil || known != c.want {
			t.Errorf("%v: %v %v", c, known, err)
		}
	}
	for dir, want := range map[string]bool{"job1": true, "job1/a/b": true, "job1/a/bc": false, "job1/b": false} {
		if holds, err := w.s.Holds(t.Context(), w.acct.ID, dir); err != nil || holds != want {
			t.Errorf("%s: %v %v", dir, holds, err)
		}
	}
	waits := func() bool {
		yes, err := w.s.HasWaiting(t.Context(), w.acct.ID, layout.TooManyFiles)
		names, nerr := w.s.AccountsWaiting(t.Context(), layout.TooManyFiles)
		if err := errors.Join(err, nerr); err != nil || yes != (len(names) == 1 && names[0] == "acme") {
			t.Errorf("waiting: %v %q %v", yes, names, err)
		}
		return yes
	}
	if !waits() {
		t.Error("nothing waits")
	}
	w.tx(func(tx *Tx) error { return tx.RemoveWaiting(w.acct) })
	if waits() {
		t.Error("something waits for ever")
	}
	w.consistent()
	job, err := w.s.All().Job(t.Context(), "acme", "job1")
	if err != nil {
		t.Fatal(err)
	}
	w.tx(func(tx *Tx) error { return tx.SetJobState(job, Active, "") })
	if full(1) {
		t.Error("an active job's files count")
	}
}
