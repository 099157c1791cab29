package explain

import (
	"strings"
	"testing"
	"time"

	"picday/internal/test/uploads"
	"picday/store"
)

// It is said whose a photo is and by which card, or why it is nobody's.
func TestWhoseAPhotoIs(t *testing.T) {
	s := uploads.New(t)
	e := newExplainer(s)
	ids := map[string]int64{}
	for _, file := range []string{"IMG_0411.jpg", "IMG_0412.jpg", "IMG_0414.jpg"} {
		s.Write("acme/job1/A/"+file, file)
		ids[file] = s.Publish("acme/job1/A/" + file).ID
	}
	var ann store.Subject
	s.Update(func(tx *store.Tx) error { return tx.SayCard(ids["IMG_0411.jpg"], "K7Q2", "eva") })
	due, err := s.Store.DueAlbums(t.Context(), time.Now())
	s.Must(err)
	for _, d := range due {
		s.Update(func(tx *store.Tx) (err error) {
			ann, err = tx.SubjectByCode(s.Photo("acme/job1/A/IMG_0411.jpg").AccountID, "K7Q2")
			s.Must(err)
			ann.Class = "5b"
			s.Must(tx.UpdateSubject(ann))
			_, err = tx.Regroup(d, 100)
			return err
		})
	}
	for file, want := range map[string]string{
		"IMG_0411.jpg": "It is the picture of a card, so its link shows nothing.",
		"IMG_0412.jpg": "It belongs to subject K7Q2, class 5b, by the card IMG_0411.jpg.",
		"IMG_0414.jpg": "It is nobody's: between IMG_0412.jpg and this a picture is missing, which may have been a card.",
	} {
		all, err := e.ExplainTyped(t.Context(), "acme", "job1/A/"+file)
		s.Must(err)
		if got := text(all[0]); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", file, want, got)
		}
	}
	s.Update(func(tx *store.Tx) error {
		_, err := tx.Assign(store.Assignment{PhotoID: ids["IMG_0412.jpg"], SubjectID: ann.ID, Way: store.ByOperator, Operator: "eva"})
		return err
	})
	all, err := e.ExplainTyped(t.Context(), "acme", "job1/A/IMG_0412.jpg")
	s.Must(err)
	if got := text(all[0]); !strings.Contains(got, "class 5b, as the operator eva said.") {
		t.Error(got)
	}
	for d, want := range map[time.Duration]string{12 * time.Second: "12 s", 5 * time.Minute: "5 min", 3 * time.Hour: "3 h"} {
		if got := spoken(d); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
}
