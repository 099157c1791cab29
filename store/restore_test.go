package store

import "testing"

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
		_, err := tx.insertPhoto(photoRow{accountID: w.acct.ID, jobID: 1, place: Place{Path: aJPG, Shown: aJPG, Job: "job1", Album: "x"}, sha: shaOf("B"), now: tx.now})
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
