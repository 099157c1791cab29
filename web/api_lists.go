package web

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"picday/contract"
	"picday/internal/control"
	"picday/store"
)

// knownAccount checks a filter, so that a mistyped account is not answered with
// an empty list. One that the token may not see is not there.
func knownAccount(v *visit, q url.Values) (string, error) {
	name := q.Get("account")
	if name == "" {
		return "", nil
	}
	_, err := v.view.Account(v.Context(), name)
	if errors.Is(err, store.ErrNotFound) {
		err = refuse(http.StatusNotFound, "There is no account "+strconv.Quote(name)+".")
	}
	return name, err
}

// readList reads the parameters that every list has.
func readList(v *visit, cursorParts int, filters ...string) (q url.Values, rows int, behind []string, err error) {
	q, err = v.parameters(append(filters, "limit", "after")...)
	if err == nil {
		rows, err = limit(q)
	}
	if err == nil {
		behind, err = after(q, cursorParts)
	}
	if err == nil {
		_, err = knownAccount(v, q)
	}
	return q, rows, behind, err
}

// accountRow is a card with what a list adds.
type accountRow struct {
	contract.Card
	Photos     int        `json:"photos"`
	Problems   int        `json:"problems"`
	LastUpload *time.Time `json:"last_upload"`
}

func apiAccounts(w http.ResponseWriter, v *visit) error {
	_, limit, behind, err := readList(v, 1)
	if err != nil {
		return err
	}
	all, err := v.view.Accounts(v.Context())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(a store.AccountSummary) bool { return a.Kept || a.Name <= behind[0] })
	keys, err := v.view.HostKeys(v.Context())
	if err != nil {
		return err
	}
	rows, next := page(all, limit, func(a store.AccountSummary) string { return cursor(a.Name) })
	return tell(w, v, struct {
		Accounts []accountRow `json:"accounts"`
		Next     *string      `json:"next"`
	}{shown(rows, func(a store.AccountSummary) accountRow {
		row := accountRow{Card: contract.NewCard(a.Account, v.site.Host, v.site.Port, keys), Photos: a.Photos, Problems: a.Problems}
		if !a.LastUpload.IsZero() {
			row.LastUpload = &a.LastUpload
		}
		return row
	}), next})
}

func apiJobs(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 2, "account")
	if err != nil {
		return err
	}
	all, err := v.view.Jobs(v.Context(), store.JobQuery{Account: q.Get("account"), AfterAccount: behind[0], AfterJob: behind[1], Limit: limit + 1})
	if err != nil {
		return err
	}
	rows, next := page(all, limit, func(j store.Job) string { return cursor(j.Account, j.Key) })
	return tell(w, v, struct {
		Jobs []contract.Job `json:"jobs"`
		Next *string        `json:"next"`
	}{shown(rows, contract.NewJob), next})
}

func apiAlbums(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 3, "account", "job")
	if err != nil {
		return err
	}
	all, err := v.view.AlbumPage(v.Context(), store.AlbumQuery{
		Account: q.Get("account"), Job: q.Get("job"),
		AfterAccount: behind[0], AfterJob: behind[1], AfterAlbum: behind[2], Limit: limit + 1,
	})
	if err != nil {
		return err
	}
	rows, next := page(all, limit, func(a store.Album) string { return cursor(a.Account, a.Job, a.Name) })
	return tell(w, v, struct {
		Albums []contract.Album `json:"albums"`
		Next   *string          `json:"next"`
	}{shown(rows, contract.NewAlbum), next})
}

// apiPhotos lists photos by when they were changed, so that whatever happens
// while a client reads comes again at the end. With changed_since those that
// were withdrawn are listed too.
func apiPhotos(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 3, "account", "job", "album", "area", "person", "changed_since")
	if err != nil {
		return err
	}
	want := store.PhotoQuery{Order: store.ByChange, Limit: limit + 1, PhotoFilter: store.PhotoFilter{
		Account: q.Get("account"), Job: q.Get("job"), Album: q.Get("album"), Area: q.Get("area"), Person: q.Get("person"),
	}}
	if want.Area != "" && want.Area != "individuals" && want.Area != "group" {
		return refuse(http.StatusBadRequest, "area is individuals or group.")
	}
	if q.Has("changed_since") {
		want.Show = store.ShowBoth
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
	begun, err := number(behind[2], 1)
	if err != nil {
		return err
	}
	if begun == 0 {
		if begun, err = v.view.LastChange(v.Context()); err != nil {
			return err
		}
	}
	all, err := v.view.Photos(v.Context(), want)
	if err != nil {
		return err
	}
	rows, next := page(all, limit, func(p store.Photo) string {
		return cursor(strconv.FormatInt(p.ChangedAt, 10), strconv.FormatInt(p.ID, 10), strconv.FormatInt(max(begun, 1), 10))
	})
	// Only who has read to the end has seen all up to some point: several
	// photos may have been changed at once.
	var until *int64
	if next == nil {
		seen := max(want.ChangedSince, want.After.Number)
		if len(rows) > 0 {
			seen = rows[len(rows)-1].ChangedAt
		}
		// Who began from nothing is not told what was withdrawn while he read:
		// he must hear all from the beginning of his first page on.
		if !q.Has("changed_since") {
			seen = begun
		}
		until = &seen
	}
	return tell(w, v, struct {
		Photos       []contract.Photo `json:"photos"`
		Next         *string          `json:"next"`
		ChangedUntil *int64           `json:"changed_until"`
	}{shown(rows, v.showPhoto), next, until})
}

func (v *visit) showPhoto(p store.Photo) contract.Photo {
	return contract.NewPhoto(p, v.site.PublicURL)
}

// apiPerson is what a till asks: whose picture is this ID's?
func apiPerson(w http.ResponseWriter, v *visit) error {
	q, err := v.parameters("account")
	if err != nil {
		return err
	}
	account, err := knownAccount(v, q)
	if err != nil {
		return err
	}
	all, err := v.view.Photos(v.Context(), store.PhotoQuery{
		PhotoFilter: store.PhotoFilter{Account: account, Person: v.PathValue("id")}, Order: store.ByChange, Limit: 2,
	})
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return refuse(http.StatusNotFound, "There is no picture of "+strconv.Quote(v.PathValue("id"))+".")
	case len(all) > 1:
		return refuse(http.StatusConflict, "Several accounts have a picture of this ID: say which with ?account=NAME.")
	}
	return tell(w, v, v.showPhoto(all[0]))
}

func apiProblems(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 2, "account")
	if err != nil {
		return err
	}
	last, err := number(behind[1], 1)
	if err != nil {
		return err
	}
	// The files first, then the photos that took another one's place.
	type row struct {
		contract.Problem
		at string
	}
	var all []row
	if behind[0] != "photo" {
		files, err := v.view.Problems(v.Context(), store.ProblemQuery{Account: q.Get("account"), After: last, Limit: limit + 1})
		if err != nil {
			return err
		}
		for _, p := range files {
			all = append(all, row{contract.NewProblem(p), cursor("file", strconv.FormatInt(p.ID, 10))})
		}
		last = 0
	}
	if len(all) <= limit {
		photos, err := v.view.Replaced(v.Context(), q.Get("account"), last, limit+1-len(all))
		if err != nil {
			return err
		}
		for _, p := range photos {
			all = append(all, row{contract.NewReplaced(p), cursor("photo", strconv.FormatInt(p.ID, 10))})
		}
	}
	rows, next := page(all, limit, func(r row) string { return r.at })
	return tell(w, v, struct {
		Problems []contract.Problem `json:"problems"`
		Next     *string            `json:"next"`
	}{shown(rows, func(r row) contract.Problem { return r.Problem }), next})
}

// partStatus is the status for who sees one account: without what is about
// all of them.
type partStatus struct {
	Running         bool               `json:"running"`
	Version         string             `json:"version,omitempty"`
	Since           *time.Time         `json:"since,omitempty"`
	LastProvenAlive *time.Time         `json:"last_proven_alive,omitempty"`
	InProgress      []control.Progress `json:"in_progress"`
	Uploading       []control.Progress `json:"uploading"`
	Photos          int                `json:"photos"`
	Unusual         int                `json:"unusual"`
	Problems        int                `json:"problems"`
}

func apiStatus(w http.ResponseWriter, v *visit) error {
	if _, err := v.parameters(); err != nil {
		return err
	}
	st := v.status()
	if v.view.Everything() {
		return tell(w, v, st)
	}
	return tell(w, v, partStatus{st.Running, st.Version, st.Since, st.LastProvenAlive, st.InProgress, st.Uploading, st.Photos, st.Unusual, st.Problems})
}
