package store

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"picday/internal/layout"
)

// If a photo's file was missing, and another photo has its path now, only one of them can
// have its file put back there. The other one goes to the trash.
func TestForgetUploads(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.put(bJPG, "B")
	w.settle()
	link := w.link(bJPG)
	w.tx(func(tx *Tx) error { // missing, in its grace, and its name is taken
		_, err := tx.exec(`UPDATE upload SET gone_at = 1 WHERE name = ?`, []byte("a.jpg"))
		return err
	})
	w.tx(func(tx *Tx) error {
		_, _, err := tx.insertPhoto(photoRow{accountID: w.acct.ID, jobID: 1, place: Place{Path: aJPG, Shown: aJPG, Job: "job1", Album: "x"}, sha: shaOf("B"), now: tx.now})
		if err == nil {
			_, err = tx.exec(`INSERT INTO upload (account_id, dir, name, identity, photo_id, since)
				SELECT account_id, dir, name, zeroblob(32), (SELECT max(id) FROM photo), 1 FROM upload WHERE name = ?`, []byte("a.jpg"))
		}
		return err
	})
	var ids map[int64][]int64
	w.tx(func(tx *Tx) (err error) {
		var trashed int
		if ids, trashed, err = tx.ForgetUploads(); trashed != 1 {
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

// Photos that were published between the backup and the loss are not in the restored
// catalogue, but their links were given out. No later photo may get one of them.
func TestNoLinkIsGivenOutAgainAfterARestore(t *testing.T) {
	for _, taken := range []bool{false, true} { // whether there was any photo before the backup
		w := newWorld(t, layout.Jobs)
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
			w.tx(func(tx *Tx) (err error) {
				a, err = tx.AddAccount(Account{Name: name, Layout: layout.Portraits})
				return err
			})
			return a
		}
		oak := later("oak")

		w.must(os.WriteFile(filepath.Join(old, LinkKeyFile), w.s.key, 0o400))
		s, err := Open(t.Context(), old)
		w.must(errors.Join(err, w.s.Close()))
		t.Cleanup(func() { s.Close() })
		w.s = s
		w.tx(func(tx *Tx) error { _, _, err := tx.ForgetUploads(); return err })
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

// A session that was ended between the backup and the restore does not become valid again.
func TestNobodyIsLoggedInAfterARestore(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	var cookie string
	w.tx(func(tx *Tx) (err error) {
		if err = tx.AddOperator(Operator{Name: "ann"}, "no hash"); err == nil {
			cookie, err = tx.StartSession("ann", "no hash")
		}
		return err
	})
	w.tx(func(tx *Tx) error { _, _, err := tx.ForgetUploads(); return err })
	if _, _, err := w.s.Session(t.Context(), cookie); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// The catalogue is restored, the upload volume is not, and files were renamed to each
// other's names since the backup. No link may show another child than before; if it is
// unknown whose file one is, the link is dead.
func TestShiftedNamesAfterARestore(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(t, layout.Jobs)
		w.rng = rand.New(rand.NewPCG(seed, 1))
		w.put("job1/A/1.jpg", "Anna")
		w.put("job1/A/2.jpg", "Ben")
		w.settle()
		links := map[string]string{"Anna": w.link("job1/A/1.jpg"), "Ben": w.link("job1/A/2.jpg")}
		w.mv("job1/A/2.jpg", "job1/A/3.jpg")
		w.mv("job1/A/1.jpg", "job1/A/2.jpg")
		w.put("job1/A/1.jpg", "Carl")
		w.tx(func(tx *Tx) error { _, _, err := tx.ForgetUploads(); return err })
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
