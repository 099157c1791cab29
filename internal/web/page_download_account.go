package web

import (
	"iter"
	"net/http"

	"picday/internal/layout"
	"picday/store"
)

// accountZip streams all photos of an account.
func accountZip(w http.ResponseWriter, v *visit) error {
	a, err := v.view.AccountSummary(v.Context(), v.PathValue("account"))
	if err != nil {
		return err
	}
	if a.Photos == 0 {
		return refuse(http.StatusNotFound, "There are no photos yet.")
	}
	d := download{size: v.FormValue("size"), name: a.Name, photos: v.photosOfAccount(a.Account)}
	d.folders = func(p store.Photo) []string { return []string{p.Job, p.Album, p.Area} }
	return v.sendZip(w, d, func(tell func(account, what string, n int) error) error { return tell(a.Name, a.Name, a.Photos) })
}

// accountCSV streams a list of all photos of an account with their links.
func accountCSV(w http.ResponseWriter, v *visit) error {
	a, err := v.view.AccountSummary(v.Context(), v.PathValue("account"))
	if err != nil {
		return err
	}
	columns := shootColumns
	if a.Layout == layout.Portraits {
		columns = portraitColumns
	}
	return v.sendCSV(w, a.Name, a.Name, a.Photos, columns, v.photosOfAccount(a.Account))
}

// photosOfAccount are the numbers of the published photos of an account, job by job or by
// ID.
func (v *visit) photosOfAccount(a store.Account) iter.Seq2[int64, error] {
	if a.Layout == layout.Portraits {
		return v.photosIn(store.PhotoQuery{Account: a.Name, Order: store.ByPerson})
	}
	return func(yield func(int64, error) bool) {
		q := store.JobQuery{Account: a.Name, Limit: jobsPerPage}
		for {
			jobs, err := v.view.Jobs(v.Context(), q)
			if err != nil {
				yield(0, err)
				return
			}
			for _, job := range jobs {
				for id, err := range v.photosOf(job, "") {
					if !yield(id, err) {
						return
					}
				}
			}
			if len(jobs) < q.Limit {
				return
			}
			last := jobs[len(jobs)-1]
			q.AfterAccount, q.AfterJob = last.Account, last.Key
		}
	}
}
