package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"picday/internal/contract"
	"picday/internal/names"
	"picday/internal/people"
	"picday/store"
)

// A placeView is whose people a page shows: a job's, or with an empty Job an account's.
type placeView struct {
	Account, Job string
	Here         string // which page about them it is, as in PageURL
}

// section is where the pages of it are.
func (p placeView) section() string {
	if p.Job == "" {
		return "portraits"
	}
	return "jobs"
}

// Name is what the place is called.
func (p placeView) Name() string {
	if p.Job == "" {
		return p.Account
	}
	return p.Job
}

// PageURL is the address of another page about the same people.
func (p placeView) PageURL(kind string) string { return placeURL(kind, p.Account, p.Job) }

// placeURL is the address of one of the pages about the people of a job or account.
func placeURL(kind, account, job string) string {
	at := "/" + kind + "/" + url.PathEscape(account)
	if job != "" {
		at += "/" + url.PathEscape(job)
	}
	return at
}

// place is whose people the path is about. Of a jobs account each job has its own.
func (v *visit) place() (p people.Place, s store.Scope, err error) {
	p = people.Place{View: v.view, Job: v.PathValue("job"), Files: v.site.Files}
	if p.Account, err = v.view.Account(v.Context(), v.PathValue("account")); err != nil {
		return p, s, err
	}
	s, err = v.view.Scope(v.Context(), p.Account, p.Job)
	return p, s, err
}

func placeOf(p people.Place, here string) placeView { return placeView{p.Account.Name, p.Job, here} }

type peoplePageData struct {
	placeView
	Total, Missing int // people, and those of them without a photo
	Classes        []store.ClassCount
	Class, Text    string
	Show           string // "with" or "without" a photo, "problem"; "" = all
	Shows          []choice
	People         []personLine
	Pages          pageLinks
	Cards          cardForm
	followed
}

// A personLine is somebody on a list.
type personLine struct {
	contract.Subject
	Name      string
	Why, Path string // of somebody without a photo: contract.Missing
}

func lineOf(s contract.Subject) personLine {
	return personLine{Subject: s, Name: strings.TrimSpace(s.First + " " + s.Last)}
}

const peoplePerList = 200

func peoplePage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	p, s, err := v.place()
	if err != nil {
		return err
	}
	page := peoplePageData{placeView: placeOf(p, "people"), Class: v.FormValue("class"), Text: strings.TrimSpace(v.FormValue("q")), Show: v.FormValue("show"), followed: following}
	if page.Classes, err = v.view.Classes(v.Context(), s.AccountID, s.JobID); err != nil {
		return err
	}
	for _, c := range page.Classes {
		page.Total += c.Subjects
		page.Missing += c.Missing
	}
	here := placeURL("people", page.Account, page.Job)
	start := []string{"after", "", "id", "", "back", "", "from", ""}
	for _, c := range []struct {
		show, label string
		n           int
	}{
		{"", v.t("All"), page.Total},
		{"with", v.t("With photos"), page.Total - page.Missing},
		{"without", v.t("Without a photo"), page.Missing},
		{"problem", v.t("Only a problem"), 0},
	} {
		page.Shows = append(page.Shows, choice{c.label, query(here, v.URL.Query(), append(start, "show", c.show)...), c.n, page.Show == c.show})
	}
	page.Cards = cardFormOf(page.placeView, page.Class, false)
	if err := v.listPeople(&page, p, s, here); err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "people", page)
}

// listPeople reads what the page shows. A text, and who has only a problem, are looked for
// in the whole list; the rest is read a page at a time.
func (v *visit) listPeople(page *peoplePageData, p people.Place, s store.Scope, here string) error {
	q := store.SubjectQuery{
		AccountID: s.AccountID, JobID: s.JobID, Class: page.Class, WithPhoto: page.Show == "with", Missing: page.Show == "without", Limit: peoplePerList,
	}
	if page.Text == "" && page.Show != "problem" {
		all, pages, err := v.turnSubjects(q, here, "")
		for _, s := range all {
			page.People = append(page.People, lineOf(contract.NewSubject(s)))
		}
		page.Pages = pages
		return err
	}
	var lines []personLine
	if page.Show == "problem" {
		all, err := p.Missing(v.Context())
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.Why == "only-problem" && (page.Class == "" || m.Class == page.Class) {
				line := lineOf(m.Subject)
				line.Why, line.Path = m.Why, m.Path
				lines = append(lines, line)
			}
		}
	} else {
		q.Limit = 0
		all, err := v.view.Subjects(v.Context(), q)
		if err != nil {
			return err
		}
		for _, s := range all {
			lines = append(lines, lineOf(contract.NewSubject(s)))
		}
	}
	words := strings.Fields(names.Fold(page.Text))
	lines = slices.DeleteFunc(lines, func(l personLine) bool {
		text := names.Fold(l.First + " " + l.Last + " " + l.Class + " " + l.ExternalID + " " + l.Code)
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
	page.People, page.Pages = turnSlice(v, lines, peoplePerList, here)
	return nil
}

// turnSlice cuts a page out of a list that is whole in memory.
func turnSlice[T any](v *visit, all []T, size int, here string) (rows []T, p pageLinks) {
	from, err := strconv.Atoi(v.FormValue("from"))
	if err != nil || from < 0 || from >= len(all) {
		from = 0
	}
	from -= from % size
	at := func(n int) string {
		text := ""
		if n > 0 {
			text = strconv.Itoa(n)
		}
		return query(here, v.URL.Query(), "from", text)
	}
	if from > 0 {
		p.First, p.Prev = at(0), at(from-size)
	}
	if from+size < len(all) {
		p.Next, p.Last = at(from+size), at((len(all)-1)/size*size)
	}
	return all[from:min(from+size, len(all))], p
}

// turnSubjects reads a page of subjects in their order, q.Limit of them. anchor is the part
// of the page where they are.
func (v *visit) turnSubjects(q store.SubjectQuery, here, anchor string) (all []store.Subject, p pageLinks, err error) {
	size := q.Limit
	q.Limit, q.Backwards = size+1, v.FormValue("back") != ""
	q.After.Text = v.FormValue("after")
	q.After.ID, _ = strconv.ParseInt(v.FormValue("id"), 10, 64)
	from := q.After.ID != 0
	if all, err = v.view.Subjects(v.Context(), q); err != nil {
		return nil, p, err
	}
	if q.Backwards && len(all) <= size { // it is the first page: show all of that
		q.Backwards, q.After, from = false, store.Key{}, false
		if all, err = v.view.Subjects(v.Context(), q); err != nil {
			return nil, p, err
		}
	}
	all, before, after := cut(all, size, from, q.Backwards)
	at := func(back string, s ...store.Subject) string {
		change := []string{"after", "", "id", "", "back", back}
		for _, s := range s {
			change = append(change, "after", s.Key(false).Text, "id", strconv.FormatInt(s.ID, 10))
		}
		return query(here, v.URL.Query(), change...) + anchor
	}
	if before && len(all) > 0 {
		p.First, p.Prev = at(""), at("1", all[0])
	}
	if after && len(all) > 0 {
		p.Next, p.Last = at("", all[len(all)-1]), at("1")
	}
	return all, p, nil
}
