package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"picday/internal/contract"
	"picday/internal/control"
	"picday/internal/names"
	"picday/store"
)

// knownAccount refuses a filter by an account that does not exist or that the token may not
// see; an empty list would hide a typing error.
func knownAccount(v *visit, q url.Values) (string, error) {
	name := q.Get("account")
	if name == "" {
		return "", nil
	}
	_, err := v.view.Account(v.Context(), name)
	if errors.Is(err, store.ErrNotFound) {
		err = noAccount(name)
	}
	return name, err
}

func noAccount(name string) error {
	return refuse(http.StatusNotFound, "There is no account "+strconv.Quote(name)+".")
}

// readList reads the parameters that every list has.
func readList(v *visit, cursorParts int, filters ...string) (q url.Values, rows int, behind []string, err error) {
	q, rows, behind, err = readListOf(v, cursorParts, filters...)
	if err == nil {
		_, err = knownAccount(v, q)
	}
	return q, rows, behind, err
}

// readListOf is readList for an account that need not be there any more.
func readListOf(v *visit, cursorParts int, filters ...string) (q url.Values, rows int, behind []string, err error) {
	q, err = v.parameters(append(filters, "limit", "after")...)
	if err == nil {
		rows, err = limit(q)
	}
	if err == nil {
		behind, err = after(q, cursorParts)
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
	all, err := v.view.AccountSummaries(v.Context())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(a store.AccountSummary) bool { return a.Kept || names.Compare(a.Name, behind[0]) <= 0 })
	names.Sort(all, func(a store.AccountSummary) string { return a.Name }) // whatever stands in a flawed row
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
	}{shown(rows, contract.JobsWith(v.status())), next})
}

func apiAlbums(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 3, "account", "job")
	if err != nil {
		return err
	}
	all, err := v.view.Albums(v.Context(), store.AlbumQuery{
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

// apiPhotos lists photos in the order of their last change, so that what changes while a
// client reads is listed again at the end. With changed_since it lists withdrawn photos,
// too, and those that were moved out of the filters.
func apiPhotos(w http.ResponseWriter, v *visit) error {
	a, wait, err := readPhotos(v)
	if err != nil {
		return err
	}
	if wait > 0 {
		text, err := a.wait(w, v, wait)
		if err != nil {
			return err
		}
		return serveJSON(w, v, text)
	}
	answer, err := a.read(v.Context(), v)
	if err != nil {
		return err
	}
	return tell(w, v, answer)
}

// A photosAsked is a request for photos.
type photosAsked struct {
	want  store.PhotoQuery
	limit int
	since bool  // changed_since is given
	begun int64 // the latest change when the client asked for the first page; 0: this is it
}

// photosAnswer is the answer to it.
type photosAnswer struct {
	Photos       []contract.Photo `json:"photos"`
	Next         *string          `json:"next"`
	ChangedUntil *int64           `json:"changed_until"`
}

func readPhotos(v *visit) (a photosAsked, wait time.Duration, err error) {
	q, limit, behind, err := readListOf(v, 3, "account", "job", "album", "area", "person", "changed_since", "wait")
	if err != nil {
		return a, 0, err
	}
	if wait, err = readWait(q); err != nil {
		return a, 0, err
	}
	a = photosAsked{limit: limit, since: q.Has("changed_since"), want: store.PhotoQuery{
		Order: store.ByChange, Limit: limit + 1,
		Account: q.Get("account"), Job: q.Get("job"), Album: q.Get("album"), Area: q.Get("area"), Person: q.Get("person"),
	}}
	if a.want.Area != "" && a.want.Area != "individuals" && a.want.Area != "group" {
		return a, 0, refuse(http.StatusBadRequest, "area is individuals or group.")
	}
	if a.since {
		a.want.Show = store.ShowBoth
		if a.want.ChangedSince, err = sinceTime(q.Get("changed_since")); err != nil {
			return a, 0, err
		}
	}
	if a.want.After.Number, err = number(behind[0], math.MinInt64); err != nil {
		return a, 0, err
	}
	if a.want.After.ID, err = number(behind[1], 1); err != nil {
		return a, 0, err
	}
	if a.begun, err = number(behind[2], 1); err != nil {
		return a, 0, err
	}
	// An account that is gone has changed: its photos are withdrawn.
	if a.want.ChangedSince == 0 {
		_, err = knownAccount(v, q)
	}
	return a, wait, err
}

func (a photosAsked) read(ctx context.Context, v *visit) (answer photosAnswer, err error) {
	begun := a.begun
	if begun == 0 {
		if begun, err = v.view.LastChange(ctx); err != nil {
			return answer, err
		}
	}
	all, err := v.view.Changed(ctx, a.want)
	if errors.Is(err, store.ErrNotFound) {
		err = noAccount(a.want.Account)
	}
	if err != nil {
		return answer, err
	}
	rows, next := page(all, a.limit, func(p store.Photo) string {
		return cursor(strconv.FormatInt(p.ChangedAt, 10), strconv.FormatInt(p.ID, 10), strconv.FormatInt(max(begun, 1), 10))
	})
	answer = photosAnswer{Photos: shown(rows, v.showPhoto), Next: next}
	// Only at the end has the client seen all up to some point: one transaction may have
	// changed several photos. All that had changed when it asked for the first page was
	// told by now; what was told beyond that does not count for a client that began from
	// nothing, because it was not told of what was withdrawn meanwhile.
	if next == nil {
		seen := begun
		if a.want.ChangedSince != 0 {
			seen = max(seen, a.want.ChangedSince, a.want.After.Number)
			if len(rows) > 0 {
				seen = max(seen, rows[len(rows)-1].ChangedAt)
			}
		}
		answer.ChangedUntil = &seen
	}
	return answer, nil
}

func (v *visit) showPhoto(p store.Photo) contract.Photo {
	return contract.NewPhoto(p, v.site.PublicURL)
}

// apiPerson finds the picture of an ID, for tills.
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
		Account: account, Person: v.PathValue("id"), Order: store.ByChange, Limit: 2,
	})
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return refuse(http.StatusNotFound, "There is no picture of "+strconv.Quote(v.PathValue("id"))+".")
	case len(all) > 1:
		return refuse(http.StatusConflict, "Several accounts have a picture of this ID: say which with ?account=NAME.")
	}
	shown, err := v.showPerson(all[0])
	if err != nil {
		return err
	}
	return tell(w, v, shown)
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
	// Files first, then photos that replaced another shot.
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

// partStatus is the status for a token of one account: without what is about all of them.
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
	Backlog         []control.Backlog  `json:"backlog"`
	BacklogKnown    bool               `json:"backlog_known"`
}

func apiStatus(w http.ResponseWriter, v *visit) error {
	if _, err := v.parameters(); err != nil {
		return err
	}
	st := v.status()
	if v.view.Everything() {
		return tell(w, v, st)
	}
	return tell(w, v, partStatus{st.Running, st.Version, st.Since, st.LastProvenAlive, st.InProgress, st.Uploading, st.Photos, st.Unusual, st.Problems, st.Backlog, st.BacklogKnown})
}
