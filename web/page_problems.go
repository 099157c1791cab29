package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"picday/layout"
	"picday/store"
)

// A problemRow is a problem as it is shown.
type problemRow struct {
	store.Problem
	Path  string
	Photo *store.Photo // what is still shown in its place
}

// problemRows adds the photos.
func (v *visit) problemRows(problems []store.Problem) ([]problemRow, error) {
	rows := make([]problemRow, len(problems))
	for i, p := range problems {
		rows[i] = problemRow{Problem: p, Path: layout.Shown(p.RawPath)}
		if p.PhotoID == 0 {
			continue
		}
		switch photo, err := v.view.Photo(v.Context(), p.PhotoID); {
		case err == nil && photo.WithdrawnAt.IsZero():
			rows[i].Photo = &photo
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
	}
	return rows, nil
}

// A choice is a value to filter by.
type choice struct {
	Label, URL string
	N          int
	Chosen     bool
}

type problemsPage struct {
	Rows              []problemRow
	Replaced          []replacedRow // on the first page, before the files
	MoreReplaced      bool
	Accounts, Reasons []choice
	Total             int
	Filtered          bool
	Job               string
	Next, First       string
	live
}

const problemsPerPage = 100

// reasonNames are what the reasons are called on a button.
var reasonNames = map[store.Reason]string{
	store.NoAlbum: "No album", store.UnknownFolder: "Unknown folder", store.BadName: "Bad name", store.DuplicateID: "Duplicate ID",
	store.NotJPEG: "Not a JPEG", store.Incomplete: "Incomplete", store.Damaged: "Damaged", store.TooComplex: "Too complex", store.TrailingData: "Too much behind the picture",
	store.Unreadable: "Unreadable", store.TooManyFiles: "Too many files", store.TooManyFolders: "Too many folders", store.Reverted: "Reverted", store.OtherShot: "Replaced",
}

// Name is what the reason is called.
func (p problemRow) Name() string { return reasonNames[p.Reason] }

func problemList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	account, reason, job := v.FormValue("account"), v.FormValue("reason"), v.FormValue("job")
	after, _ := strconv.ParseInt(v.FormValue("after"), 10, 64)
	found, err := v.view.Problems(v.Context(), store.ProblemQuery{
		Account: account, Job: job, Reason: store.Reason(reason), Newest: true, After: max(0, after), Limit: problemsPerPage + 1,
	})
	if err != nil {
		return err
	}
	page := problemsPage{Job: job, Filtered: account+reason+job != "", live: following}
	here := func(change ...string) string { return query("/problems", v.URL.Query(), change...) }
	if after > 0 {
		page.First = here("after", "")
	}
	if len(found) > problemsPerPage {
		found = found[:problemsPerPage]
		page.Next = here("after", strconv.FormatInt(found[problemsPerPage-1].ID, 10))
	}
	if page.Rows, err = v.problemRows(found); err != nil {
		return err
	}
	if after == 0 && (reason == "" || reason == string(store.OtherShot)) {
		if page.Replaced, err = v.replacedRows(account, job); err != nil {
			return err
		}
		page.MoreReplaced = len(page.Replaced) == replacedPerPage
	}
	counts, err := v.view.ProblemCounts(v.Context())
	if err != nil {
		return err
	}
	replaced, err := v.view.ReplacedCounts(v.Context())
	if err != nil {
		return err
	}
	counts = counted(counts, replaced)
	accounts, reasons := choices{}, choices{}
	for _, c := range counts {
		page.Total += c.N
		if reason == "" || reason == string(c.Reason) {
			accounts.add(c.Account, c.Account, c.N, here("account", c.Account, "after", "", "job", ""), account)
		}
		if account == "" || account == c.Account {
			reasons.add(string(c.Reason), reasonNames[c.Reason], c.N, here("reason", string(c.Reason), "after", ""), reason)
		}
	}
	page.Accounts = accounts.with(here("account", "", "after", "", "job", ""), account)
	page.Reasons = reasons.with(here("reason", "", "after", ""), reason)
	return render(w, v, http.StatusOK, "problems", page)
}

// choices collects what can be chosen, in the order in which it comes.
type choices struct {
	all []choice
	at  map[string]int
}

func (c *choices) add(value, label string, n int, to, chosen string) {
	if i, known := c.at[value]; known {
		c.all[i].N += n
		return
	}
	if c.at == nil {
		c.at = map[string]int{}
	}
	c.at[value] = len(c.all)
	c.all = append(c.all, choice{label, to, n, value == chosen})
}

// with puts the choice of all before the others. Where there is nothing to
// choose there are no choices.
func (c *choices) with(all, chosen string) []choice {
	if len(c.all) < 2 && chosen == "" {
		return nil
	}
	total := 0
	for _, x := range c.all {
		total += x.N
	}
	return append([]choice{{"All", all, total, chosen == ""}}, c.all...)
}

// query is an address with some parameters changed; an empty value removes.
func query(path string, q url.Values, change ...string) string {
	out := url.Values{}
	for key, values := range q {
		if key != "done" && len(values) > 0 && values[0] != "" {
			out.Set(key, values[0])
		}
	}
	for i := 0; i < len(change); i += 2 {
		out.Del(change[i])
		if change[i+1] != "" {
			out.Set(change[i], change[i+1])
		}
	}
	if len(out) == 0 {
		return path
	}
	return path + "?" + out.Encode()
}
