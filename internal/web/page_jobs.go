package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"picday/internal/helper"
	"picday/internal/names"
	"picday/store"
)

type jobsPage struct {
	Jobs        []store.Job
	Accounts    []string // of the layout jobs
	Text, State string
	Sort        string // "latest", or "" for the name
	States      []choice
	Sorts       []choice
	Pages       pageLinks
	followed
}

const jobsPerPage = 100

func jobList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := jobsPage{Text: v.FormValue("q"), State: v.FormValue("state"), followed: following}
	if v.FormValue("sort") == "latest" {
		page.Sort = "latest"
	}
	jobs, err := v.turnJobs(&page)
	if err != nil {
		return err
	}
	page.Jobs = jobs
	q := v.URL.Query()
	start := []string{"account_after", "", "job_after", "", "after", "", "id", "", "back", ""}
	for _, s := range []struct{ value, label string }{{"", v.t("All")}, {"planned", v.t("Planned")}, {"active", v.t("On sale")}} {
		page.States = append(page.States, choice{s.label, query("/jobs", q, append(start, "state", s.value)...), 0, page.State == s.value})
	}
	for _, s := range []struct{ value, label string }{{"", v.t("Name")}, {"latest", v.t("Last upload")}} {
		page.Sorts = append(page.Sorts, choice{s.label, query("/jobs", q, append(start, "sort", s.value)...), 0, page.Sort == s.value})
	}
	if len(jobs) == 0 || v.root.may(helper.JobAdd) {
		if page.Accounts, err = v.jobsAccounts(); err != nil {
			return err
		}
	}
	return render(w, v, http.StatusOK, "jobs", page)
}

// turnJobs reads a page of jobs.
func (v *visit) turnJobs(page *jobsPage) ([]store.Job, error) {
	want := store.JobQuery{
		Text: page.Text, State: store.JobState(page.State), Account: v.FormValue("account"), Limit: jobsPerPage + 1, Backwards: v.FormValue("back") != "",
	}
	from := false
	if want.ByLatest = page.Sort != ""; want.ByLatest {
		want.AfterLatest, _ = strconv.ParseInt(v.FormValue("after"), 10, 64)
		want.AfterID, _ = strconv.ParseInt(v.FormValue("id"), 10, 64)
		from = want.AfterID != 0
	} else {
		want.AfterAccount, want.AfterJob = v.FormValue("account_after"), v.FormValue("job_after")
		from = want.AfterAccount != ""
	}
	jobs, err := v.view.Jobs(v.Context(), want)
	if err == nil && want.Backwards && len(jobs) <= jobsPerPage { // the first page: all of it
		want.Backwards, want.AfterAccount, want.AfterID, from = false, "", 0, false
		jobs, err = v.view.Jobs(v.Context(), want)
	}
	if err != nil {
		return nil, err
	}
	jobs, before, after := cut(jobs, jobsPerPage, from, want.Backwards)
	at := func(back string, j ...store.Job) string {
		change := []string{"account_after", "", "job_after", "", "after", "", "id", "", "back", back}
		for _, j := range j {
			if want.ByLatest {
				change = append(change, "after", strconv.FormatInt(j.Latest, 10), "id", strconv.FormatInt(j.ID, 10))
			} else {
				change = append(change, "account_after", j.Account, "job_after", j.Key)
			}
		}
		return query("/jobs", v.URL.Query(), change...)
	}
	if before && len(jobs) > 0 {
		page.Pages.First, page.Pages.Prev = at(""), at("1", jobs[0])
	}
	if after && len(jobs) > 0 {
		page.Pages.Next, page.Pages.Last = at("", jobs[len(jobs)-1]), at("1")
	}
	return jobs, nil
}

type albumCard struct {
	store.Album
	Cover *store.Photo
}

type jobPageData struct {
	Job       store.Job
	Arrival   arrivalView
	Albums    []albumCard
	Sale      saleView
	Downloads []choice
	Cards     bool // the job has cards or people
	People    bool
	Doubt     int // cards that wait for a person
	Nobodys   int // photos
	Proposals int // open
	followed
}

// maxCovers is how many albums of a job are shown with a picture.
const maxCovers = 120

func jobPage(w http.ResponseWriter, v *visit) error { return v.showJob(w, http.StatusOK, "") }

// showJob writes the page of the job in the path. refused says why it was not put on
// sale.
func (v *visit) showJob(w http.ResponseWriter, status int, refused string) error {
	following := v.follow("status")
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	albums, err := v.view.Albums(v.Context(), store.AlbumQuery{Account: job.Account, Job: job.Name})
	if err != nil {
		return err
	}
	page := jobPageData{Job: job, followed: following}
	if refused != "" {
		page.followed = followed{} // it is the answer to a form: loading its address again gives another page
	}
	page.Arrival = v.arrivalOf(job)
	page.Downloads = v.downloadsOf(job, "")
	if page.Sale, err = v.sale(job, refused); err != nil {
		return err
	}
	if err := v.countCards(&page); err != nil {
		return err
	}
	for i, al := range albums {
		card := albumCard{Album: al}
		if i < maxCovers {
			cover, err := v.view.Photos(v.Context(), store.PhotoQuery{
				Account: job.Account, Job: job.Name, Album: al.Name, Area: coverArea(al), Order: store.ByFile, Limit: 1,
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
	return render(w, v, status, "job", page)
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
	Title, ID string
	Total     int
	Photos    []store.Photo
	Pages     pageLinks
	Sort      string
}

type albumPageData struct {
	Album     store.Album
	Job       store.Job
	Sort      string // "taken", or "" for the file name
	Sorts     []choice
	From      string // begin with this file name
	Only      string // the half that is shown; "" = both
	Sheet     string // the address of the contact sheet, "" on the sheet itself
	Parts     []part
	Downloads []choice
	Chosen    chosenView
	followed
}

const photosPerPage = 200

// photosPerSheet is how many photos of a half are on a contact sheet: more than an album has.
const photosPerSheet = 2000

func albumPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	page := albumPageData{Job: job, Sort: v.FormValue("sort"), From: v.FormValue("from"), Only: v.FormValue("area"), followed: following}
	page.Album, err = v.view.Album(v.Context(), job, v.PathValue("album"))
	if done := v.FormValue("done"); errors.Is(err, store.ErrNotFound) && doneSentences[done] != "" { // all of it was withdrawn
		return redirect(w, query(jobURL(job.Account, job.Name), nil, "done", done))
	}
	if err != nil {
		return err
	}
	if page.Only == "" && v.FormValue("at") != "" {
		page.Only = v.halfOf(v.FormValue("at"))
	}
	page.Downloads, page.Chosen = v.downloadsOf(job, page.Album.Name), v.chosen("withdraw")
	q, here := v.URL.Query(), albumURL(job.Account, job.Name, page.Album.Name)
	if page.Sort != "taken" {
		page.Sort = ""
	}
	if v.FormValue("sheet") == "" {
		page.Sheet = query(here, q, atPage("sheet", "1", "area", "", "from", "")...)
	}
	page.Sorts = []choice{
		{v.t("File name"), query(here, q, atPage("sort", "")...), 0, page.Sort == ""},
		{v.t("Time taken"), query(here, q, atPage("sort", "taken", "from", "")...), 0, page.Sort == "taken"},
	}
	for _, p := range []part{
		{Title: v.t("Individuals"), ID: "individuals", Total: page.Album.Individuals}, {Title: v.t("Group photos"), ID: "group", Total: page.Album.Group},
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

// halfOf is the half of its album in which a photo is, if that is so long that the photo
// may not be on the first page.
func (v *visit) halfOf(photo string) string {
	id, err := strconv.ParseInt(photo, 10, 64)
	if err != nil {
		return ""
	}
	p, err := v.view.Photo(v.Context(), id)
	if err != nil || p.Job == "" {
		return ""
	}
	job, err := v.view.Job(v.Context(), p.Account, p.Job)
	if err != nil {
		return ""
	}
	al, err := v.view.Album(v.Context(), job, p.Album)
	if err != nil || p.Area == "group" && al.Group <= photosPerPage || p.Area != "group" && al.Individuals <= photosPerPage {
		return ""
	}
	return p.Area
}

// fill reads the photos of a half that are on this page.
func (v *visit) fill(p *part, page albumPageData, here string, q url.Values) (err error) {
	want := store.PhotoQuery{Account: page.Job.Account, Job: page.Job.Name, Album: page.Album.Name, Area: p.ID, Order: orderOf(page.Sort)}
	if page.Sheet == "" {
		want.Limit = photosPerSheet
	}
	if page.Only != "" {
		want.After, want.Backwards = keyFrom(v, want.Order), v.FormValue("back") != ""
	}
	if want.After.ID == 0 && page.From != "" && want.Order == store.ByFile {
		want.After = store.Key{Text: names.Key(page.From), ID: -1}
	}
	if page.Only != "" {
		isIn := func(x store.Photo) bool {
			return x.Account == page.Job.Account && x.Job == page.Job.Name && x.Album == page.Album.Name && x.Area == p.ID
		}
		if err := v.around(&want, isIn); err != nil {
			return err
		}
	}
	p.Photos, p.Pages, err = v.turn(want, func(change ...string) string {
		return query(here, q, append([]string{"area", p.ID, "from", ""}, change...)...)
	})
	if p.Pages.First != "" {
		p.Pages.First = query(here, q, atPage("area", "", "from", "")...)
	}
	return err
}

// orderOf is the order that a page's parameter sort names.
func orderOf(sort string) store.Order {
	if sort == "taken" {
		return store.ByTaken
	}
	return store.ByFile
}
