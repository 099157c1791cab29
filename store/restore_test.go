package store

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A name was taken by another file while the photo that had it was missing:
// only one of the two can have its file back, the other goes to the trash.
func TestUproot(t *testing.T) {
	w := newWorld(t, Jobs)
	w.put(aJPG, "A")
	w.put(bJPG, "B")
	w.settle()
	link := w.link(bJPG)
	w.tx(func(tx *Tx) error { // missing, in its grace, and its name is taken
		_, err := tx.Exec(`UPDATE upload SET gone_at = 1 WHERE name = ?`, []byte("a.jpg"))
		return err
	})
	w.tx(func(tx *Tx) error {
		_, _, err := tx.insertPhoto(photoRow{accountID: w.acct.ID, jobID: 1, place: Place{Path: aJPG, Shown: aJPG, Job: "job1", Album: "x"}, sha: shaOf("B"), now: tx.now})
		if err == nil {
			_, err = tx.Exec(`INSERT INTO upload (account_id, dir, name, identity, photo_id, since)
				SELECT account_id, dir, name, zeroblob(32), (SELECT max(id) FROM photo), 1 FROM upload WHERE name = ?`, []byte("a.jpg"))
		}
		return err
	})
	var ids map[int64][]int64
	w.tx(func(tx *Tx) (err error) {
		var trashed int
		if ids, trashed, err = tx.Uproot(); trashed != 1 {
			t.Errorf("%d trashed", trashed)
		}
		return err
	})
	if len(ids[w.acct.ID]) != 2 {
		t.Errorf("to be put back: %v", ids)
	}
	for _, id := range ids[w.acct.ID] {
		p, err := w.s.PhotoByID(t.Context(), w.acct, id)
		w.must(err)
		if p.Path == aJPG && p.SHA != shaOf("B") {
			t.Error("the missing photo would be put back over the one that has its name")
		}
	}
	if w.shows(link, "B") != "B" {
		t.Error("the other photo is published no more")
	}
	if known, err := w.s.Known(t.Context(), w.acct.ID, "job1/x"); len(known) != 0 || err != nil {
		t.Errorf("still known: %v %v", known, err)
	}
}

// What was published between the backup and the loss is not in the catalogue,
// but its links are out there: no later picture may come under them.
func TestNoLinkIsGivenOutAgainAfterARestore(t *testing.T) {
	for _, taken := range []bool{false, true} { // whether there was any photo before the backup
		w := newWorld(t, Jobs)
		if taken {
			w.put(aJPG, "A")
			w.settle()
			w.rm(aJPG)
			w.settle()
			w.expire()
		}
		old := t.TempDir()
		w.must(w.s.Snapshot(t.Context(), filepath.Join(old, CatalogueFile)))
		w.put(bJPG, "Anna")
		w.settle()
		anna := w.link(bJPG)
		later := func(name string) (a Account) {
			w.tx(func(tx *Tx) (err error) { a, err = tx.AddAccount(Account{Name: name, Layout: Portraits}); return err })
			return a
		}
		oak := later("oak")

		w.must(os.WriteFile(filepath.Join(old, linkKeyFile), w.s.key, 0o400))
		s, err := Open(t.Context(), old)
		w.must(errors.Join(err, w.s.Close()))
		t.Cleanup(func() { s.Close() })
		w.s = s
		w.tx(func(tx *Tx) error { _, _, err := tx.Uproot(); return err })
		w.rm(bJPG)
		w.put(bJPG, "Ben")
		w.settle()
		if w.link(bJPG) == anna {
			t.Error("the link of Anna shows Ben")
		}
		if elm := later("elm"); elm.ID == oak.ID {
			t.Error("the links of oak's portraits will show elm's")
		}
	}
}

// A log-out between the backup and the restore is not undone.
func TestNobodyIsLoggedInAfterARestore(t *testing.T) {
	w := newWorld(t, Jobs)
	var cookie string
	w.tx(func(tx *Tx) (err error) {
		if err = tx.AddOperator(Operator{Name: "ann"}, "no hash"); err == nil {
			cookie, err = tx.StartSession("ann", "no hash")
		}
		return err
	})
	w.tx(func(tx *Tx) error { _, _, err := tx.Uproot(); return err })
	if _, _, err := w.s.Session(t.Context(), cookie); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// The upload volume outlived the catalogue, and names were shifted since the
// backup. No link may show another child than before; where it cannot be told
// whose file it is, the link is dead.
func TestShiftedNamesAfterARestore(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(t, Jobs)
		w.rng = rand.New(rand.NewPCG(seed, 1))
		w.put("job1/A/1.jpg", "Anna")
		w.put("job1/A/2.jpg", "Ben")
		w.settle()
		links := map[string]string{"Anna": w.link("job1/A/1.jpg"), "Ben": w.link("job1/A/2.jpg")}
		w.mv("job1/A/2.jpg", "job1/A/3.jpg")
		w.mv("job1/A/1.jpg", "job1/A/2.jpg")
		w.put("job1/A/1.jpg", "Carl")
		w.tx(func(tx *Tx) error { _, _, err := tx.Uproot(); return err })
		clear(w.told)
		w.orphans = true
		w.settle()
		w.orphans = false
		w.consistent()
		w.matches()
		for child, link := range links {
			if got := w.shows(link, "Anna", "Ben", "Carl"); got != child {
				t.Errorf("seed %d: the link of %s shows %q", seed, child, got)
			}
		}
	}
}
