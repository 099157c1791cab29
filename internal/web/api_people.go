package web

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"picday/internal/contract"
	"picday/store"
)

// apiSubjects lists who is, or is to be, on pictures, in the order of their last change.
// With changed_since it lists those who were removed, too.
func apiSubjects(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 2, "account", "job", "code", "changed_since")
	if err != nil {
		return err
	}
	want := store.SubjectQuery{ByChange: true, Limit: limit + 1}
	if want.AccountID, want.JobID, err = v.whose(q, q.Has("code")); err != nil {
		return err
	}
	if q.Has("changed_since") {
		if want.ChangedSince, err = sinceTime(q.Get("changed_since")); err != nil {
			return err
		}
	}
	if want.After.Number, err = number(behind[0], math.MinInt64); err != nil {
		return err
	}
	if want.After.ID, err = number(behind[1], 1); err != nil {
		return err
	}
	all, err := v.view.Subjects(v.Context(), want)
	if err == nil && q.Has("code") {
		all, err = v.byCode(want, q.Get("code"))
	}
	if err != nil {
		return err
	}
	rows, next := page(all, limit, func(s store.Subject) string {
		return cursor(strconv.FormatInt(s.ChangedAt, 10), strconv.FormatInt(s.ID, 10))
	})
	return tell(w, v, struct {
		Subjects []contract.Subject `json:"subjects"`
		Next     *string            `json:"next"`
	}{shown(rows, contract.NewSubject), next})
}

// byCode is who has a code, or has had it.
func (v *visit) byCode(want store.SubjectQuery, code string) ([]store.Subject, error) {
	s, err := v.view.SubjectByCode(v.Context(), want.AccountID, code)
	if errors.Is(err, store.ErrNotFound) || err == nil && want.JobID != 0 && s.JobID != want.JobID {
		return nil, nil
	}
	return []store.Subject{s}, err
}

// whose finds the account and job that a list is narrowed to, 0 = all. A job, or whatever
// else needs one, is of one account.
func (v *visit) whose(q url.Values, needed bool) (account, job int64, err error) {
	name := q.Get("account")
	if name == "" && (needed || q.Has("job")) {
		if name, err = v.oneAccount(""); err != nil {
			return 0, 0, err
		}
	}
	if name == "" {
		return 0, 0, nil
	}
	a, err := v.view.Account(v.Context(), name)
	if err != nil || !q.Has("job") {
		return a.ID, 0, err
	}
	j, err := v.view.Job(v.Context(), name, q.Get("job"))
	return a.ID, j.ID, err
}

// apiRosters lists the lists of people that came, the latest first.
func apiRosters(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 1, "account", "job")
	if err != nil {
		return err
	}
	var want store.Scope
	if want.AccountID, want.JobID, err = v.whose(q, false); err != nil {
		return err
	}
	before, err := number(behind[0], 1)
	if err != nil {
		return err
	}
	all, err := v.view.AllRosters(v.Context(), want, before, limit+1)
	if err != nil {
		return err
	}
	rows, next := page(all, limit, func(r store.Roster) string { return cursor(strconv.FormatInt(r.ID, 10)) })
	return tell(w, v, struct {
		Rosters []contract.Roster `json:"rosters"`
		Next    *string           `json:"next"`
	}{shown(rows, func(r store.Roster) contract.Roster { return contract.NewRoster(r.Account, r.Job, r) }), next})
}

// A personPhoto is the picture of an ID, with whom a list says that it shows.
type personPhoto struct {
	contract.Photo
	Subject *contract.Subject `json:"subject,omitempty"`
}

func (v *visit) showPerson(p store.Photo) (personPhoto, error) {
	shown := personPhoto{Photo: v.showPhoto(p)}
	all, err := v.view.SubjectsOf(v.Context(), p)
	for _, s := range slices.Backward(all) {
		known := contract.NewSubject(s)
		shown.Subject = &known
	}
	return shown, err
}
