package store

import (
	"slices"
	"testing"

	"picday/internal/layout"
)

// The counts of a receipt are those of its job, and its mark changes with all that it says.
func TestReceiptsOfAJob(t *testing.T) {
	w := newCards(t)
	of := func() ReceiptOf {
		t.Helper()
		all, err := w.s.Receipts(t.Context(), w.acct)
		w.must(err)
		if len(all) != 2 || all[0].Job != "job1" {
			t.Fatalf("%+v", all)
		}
		return all[0]
	}
	last := of()
	changed := func(what string) ReceiptOf {
		t.Helper()
		now := of()
		if now.Mark == last.Mark {
			t.Errorf("%s: the mark stays", what)
		}
		last = now
		return now
	}
	w.arrive(dirA, "411 K7Q2", "412", "413")
	if r := changed("photos"); r.Photos != 3 || r.Files != 3 || r.Replaced+r.Unchanged+r.Aside != 0 {
		t.Errorf("%+v", r)
	}
	w.group(0, 100)
	changed("cards")
	w.arrive(dirA, "413 ")
	if r := changed("replaced"); r.Replaced != 1 || r.Photos != 3 {
		t.Errorf("%+v", r)
	}
	w.arrive(dirA, "413 ")
	if r := changed("unchanged"); r.Unchanged != 1 || r.Replaced != 1 {
		t.Errorf("%+v", r)
	}
	w.tx(func(tx *Tx) error {
		_, err := tx.AddSubject(Subject{AccountID: w.acct.ID, JobID: 1, Kind: Person})
		return err
	})
	changed("people")
	w.tx(func(tx *Tx) error { return tx.SetExpected(Job{ID: 1}, 7, "") })
	if r := changed("expected"); r.Expected != 7 {
		t.Errorf("%+v", r)
	}
	albums, upto, err := w.s.AlbumsChanged(t.Context(), 1, 0)
	if w.must(err); !slices.Equal(albums, []string{"A"}) || upto == 0 {
		t.Errorf("%v %d", albums, upto)
	}
	if albums, again, err := w.s.AlbumsChanged(t.Context(), 1, upto); len(albums) != 0 || again != upto || err != nil {
		t.Errorf("%v %d %v", albums, again, err)
	}
	shots, err := w.s.AlbumShots(t.Context(), 1, "A")
	w.must(err)
	if len(shots) != 3 || shots[0].File != "IMG_0411.JPG" || shots[0].Serial != "0815" {
		t.Errorf("%+v", shots)
	}
	if others, err := w.s.OtherShots(t.Context(), 1, 10); len(others) != 0 || err != nil {
		t.Errorf("%v %v", others, err)
	}
	w.tx(func(tx *Tx) error { _, err := tx.exec(`UPDATE photo SET replaced = x'00' WHERE id = 1`); return err })
	if others, err := w.s.OtherShots(t.Context(), 1, 10); !slices.Equal(others, []string{"job1/A/IMG_0411.JPG"}) || err != nil {
		t.Errorf("%v %v", others, err)
	}
}

// A school has one receipt.
func TestTheReceiptOfASchool(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	w.put("acme/user-pictures/12.jpg", "A")
	w.settle()
	w.put("acme/user-pictures/12.jpg", "B")
	w.settle()
	all, err := w.s.Receipts(t.Context(), w.acct)
	w.must(err)
	if len(all) != 1 || all[0].Photos != 1 || all[0].Replaced != 1 || all[0].JobID != 0 {
		t.Errorf("%+v", all)
	}
}
