package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"picday/internal/codes"
	"picday/store"
)

func subjectURL(id int64) string { return "/subjects/" + strconv.FormatInt(id, 10) }

type subjectPageData struct {
	placeView
	Subject posedPerson
	Title   string
	followed
}

// subject is the one whose number is in the path, and whose place it is of. One that was
// removed is not found.
func (v *visit) subject() (s store.Subject, at store.Scope, err error) {
	id, err := v.id()
	if err != nil {
		return s, at, err
	}
	if s, err = v.view.Subject(v.Context(), id); err == nil && !s.RemovedAt.IsZero() {
		err = store.ErrNotFound
	}
	return s, store.Scope{AccountID: s.AccountID, JobID: s.JobID}, err
}

// subjectPage shows somebody with the photos, and how they are cut for other programs.
func subjectPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	s, at, err := v.subject()
	if err != nil {
		return err
	}
	page := subjectPageData{placeView: placeView{s.Account, s.Job, "subject"}, Title: s.Name(), followed: following}
	if page.Title == "" {
		page.Title = s.Code
	}
	top, err := v.view.CropTop(v.Context(), at)
	if err != nil {
		return err
	}
	if page.Subject, err = v.posed(s, top); err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "subject", page)
}

// mostOfField bounds what a person is called.
const mostOfField = 200

// changeSubject gives somebody another name, class or ID.
func changeSubject(w http.ResponseWriter, v *visit) error {
	s, _, err := v.subject()
	if err != nil {
		return err
	}
	fields := map[string]*string{"first": &s.First, "last": &s.Last, "class": &s.Class, "grade": &s.Grade, "id": &s.ExternalID, "code": &s.Code}
	for name, to := range fields {
		text := strings.Join(strings.Fields(v.PostForm.Get(name)), " ")
		if len(text) > mostOfField || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			return refuse(http.StatusBadRequest, "A name has at most %d characters, in one line.", mostOfField)
		}
		*to = text
	}
	if s.Kind == store.Spare && s.First+s.Last != "" && !strings.HasPrefix(s.Last, "Extra ") {
		s.Kind = store.Person // somebody has got the card
	}
	err = v.changePeople(s.Account, func(tx *store.Tx, _ string) error { return tx.UpdateSubject(s) })
	switch {
	case errors.Is(err, store.ErrIDTaken):
		return refuse(http.StatusConflict, "Somebody else has the ID %s.", s.ExternalID)
	case errors.Is(err, store.ErrCodeTaken):
		return refuse(http.StatusConflict, "The code %s is somebody else's, or was: no code is given out twice.", s.Code)
	case errors.Is(err, codes.ErrInvalid):
		return refuse(http.StatusBadRequest, "That cannot be a code: up to 100 printable characters.")
	case err != nil:
		return err
	}
	return redirect(w, subjectURL(s.ID)+"?done=subject")
}

// removeSubject forgets somebody. The photos stay.
func removeSubject(w http.ResponseWriter, v *visit) error {
	s, _, err := v.subject()
	if err != nil {
		return err
	}
	if err := v.changePeople(s.Account, func(tx *store.Tx, _ string) error { return tx.RemoveSubject(s.ID) }); err != nil {
		return err
	}
	return redirect(w, placeURL("people", s.Account, s.Job)+"?done=subject-gone")
}

// choosePose makes one photo the one that is exported of somebody.
func choosePose(w http.ResponseWriter, v *visit) error {
	s, _, err := v.subject()
	if err != nil {
		return err
	}
	photo, err := strconv.ParseInt(v.PostForm.Get("photo"), 10, 64)
	if err != nil || photo < 0 {
		return store.ErrNotFound
	}
	if err := v.changePeople(s.Account, func(tx *store.Tx, operator string) error { return tx.ChoosePose(s.ID, photo, operator) }); err != nil {
		return poseError(err)
	}
	return redirect(w, subjectURL(s.ID)+"?done=poses")
}
