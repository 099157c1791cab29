package web

import (
	"net/http"
	"net/url"

	"picday/store"
)

type jobsPage struct {
	Jobs        []store.Job
	Accounts    []string // of the layout jobs
	Text, State string
	States      []choice
	Next, First string
	live
}

const jobsPerPage = 100

func jobList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := jobsPage{Text: v.FormValue("q"), State: v.FormValue("state"), live: following}
	jobs, err := v.view.Jobs(v.Context(), store.JobQuery{
		Text: page.Text, State: store.JobState(page.State), Account: v.FormValue("account"),
		AfterAccount: v.FormValue("account_after"), AfterJob: v.FormValue("job_after"), Limit: jobsPerPage + 1,
	})
	if err != nil {
		return err
	}
	q := v.URL.Query()
	if len(jobs) > jobsPerPage {
		jobs = jobs[:jobsPerPage]
		last := jobs[jobsPerPage-1]
		page.Next = query("/jobs", q, "account_after", last.Account, "job_after", last.Key)
	}
	if q.Get("account_after") != "" {
		page.First = query("/jobs", q, "account_after", "", "job_after", "")
	}
	page.Jobs = jobs
	for _, s := range []struct{ value, label string }{{"", "All"}, {"planned", "Planned"}, {"active", "Active"}} {
		page.States = append(page.States, choice{s.label, query("/jobs", q, "state", s.value, "account_after", "", "job_after", ""), 0, page.State == s.value})
	}
	if len(jobs) == 0 {
		accounts, err := v.view.Accounts(v.Context())
		if err != nil {
			return err
		}
		for _, a := range accounts {
			if a.Layout == store.Jobs {
				page.Accounts = append(page.Accounts, a.Name)
			}
		}
	}
	return render(w, v, http.StatusOK, "jobs", page)
}

type albumCard struct {
	store.Album
	Cover *store.Photo
}

type jobPageData struct {
	Job    store.Job
	Albums []albumCard
	live
}

// maxCovers is how many albums of a job are shown with a picture.
const maxCovers = 120

func jobPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	albums, err := v.view.Albums(v.Context(), job.Account, job.Name)
	if err != nil {
		return err
	}
	page := jobPageData{Job: job, live: following}
	for i, al := range albums {
		card := albumCard{Album: al}
		if i < maxCovers {
			cover, err := v.view.Photos(v.Context(), store.PhotoQuery{
				PhotoFilter: store.PhotoFilter{Account: job.Account, Job: job.Name, Album: al.Name, Area: coverArea(al)}, Order: store.ByFile, Limit: 1,
			})
			if err != nil {
				return err
			}
			if len(cover) > 0 {
				card.Cover = &cover[0]
			}
		}
		page.Albums = append(page.Albums, card)
	}
	return render(w, v, http.StatusOK, "job", page)
}

// coverArea is where an album's picture comes from: a group says more.
func coverArea(al store.Album) string {
	if al.Group > 0 {
		return "group"
	}
	return "individuals"
}

// A part is one of the two halves of an album, as far as it is on a page.
type part struct {
	Title, ID   string
	Total       int
	Photos      []store.Photo
	Next, First string
	Sort        string
}

type albumPageData struct {
	Album store.Album
	Job   store.Job
	Sort  string // "taken", or "" for the file name
	Sorts []choice
	From  string // begin with this file name
	Only  string // the half that is shown; "" = both
	Parts []part
	live
}

const photosPerPage = 200

func albumPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	page := albumPageData{Job: job, Sort: v.FormValue("sort"), From: v.FormValue("from"), Only: v.FormValue("area"), live: following}
	if page.Album, err = v.view.Album(v.Context(), job, v.PathValue("album")); err != nil {
		return err
	}
	q, here := v.URL.Query(), albumURL(job.Account, job.Name, page.Album.Name)
	if page.Sort != "taken" {
		page.Sort = ""
	}
	page.Sorts = []choice{
		{"File name", query(here, q, "sort", "", "after", "", "id", ""), 0, page.Sort == ""},
		{"Time taken", query(here, q, "sort", "taken", "after", "", "id", "", "from", ""), 0, page.Sort == "taken"},
	}
	for _, p := range []part{
		{Title: "Individuals", ID: "individuals", Total: page.Album.Individuals}, {Title: "Group", ID: "group", Total: page.Album.Group},
	} {
		if page.Only == "" || page.Only == p.ID {
			p.Sort = page.Sort
			if err := v.fill(&p, page, here, q); err != nil {
				return err
			}
			page.Parts = append(page.Parts, p)
		}
	}
	return render(w, v, http.StatusOK, "album", page)
}

// fill reads the photos of a half that are on this page.
func (v *visit) fill(p *part, page albumPageData, here string, q url.Values) (err error) {
	want := store.PhotoQuery{
		PhotoFilter: store.PhotoFilter{Account: page.Job.Account, Job: page.Job.Name, Album: page.Album.Name, Area: p.ID},
		Order:       store.ByFile, Limit: photosPerPage + 1,
	}
	if page.Sort == "taken" {
		want.Order = store.ByTaken
	}
	if page.Only != "" {
		want.After = keyFrom(v, want.Order)
	}
	if want.After.ID == 0 && page.From != "" && want.Order == store.ByFile {
		want.After = store.Key{Text: page.From, ID: -1}
	}
	if p.Photos, err = v.view.Photos(v.Context(), want); err != nil {
		return err
	}
	if len(p.Photos) > photosPerPage {
		p.Photos = p.Photos[:photosPerPage]
		p.Next = query(here, q, append([]string{"area", p.ID, "from", ""}, keyParams(p.Photos[photosPerPage-1].Key(want.Order))...)...)
	}
	if want.After.ID != 0 {
		p.First = query(here, q, "area", "", "from", "", "after", "", "id", "")
	}
	return nil
}
