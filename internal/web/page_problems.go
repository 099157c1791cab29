package web

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"

	"picday/internal/layout"
	"picday/store"
)

// A problemRow is a file that cannot become a photo, as it is shown.
type problemRow struct {
	store.Problem
	Path   string
	File   string       // the last element of Path
	Photo  *store.Photo // what is still shown in its place
	Winner *store.Photo // a duplicate ID: the picture that is shown under it
	Say    bool         // what helps is said with the file, not above the list
	Form   string       // where it is ignored or not; "" = the operator may not
	Back   string       // the page it is on
	Seen   int64        // its Since, in milliseconds
	Small  string       // the address of its preview; "" = it can have none
}

// Name is what the reason is called.
func (p problemRow) Name() string { return reasonNames[p.Reason] }

// Ignorable tells whether people can say that it is no photo.
func (p problemRow) Ignorable() bool { return store.Ignorable(p.Reason) }

// problemRows adds the photos.
func (v *visit) problemRows(problems []store.Problem) ([]problemRow, error) {
	rows := make([]problemRow, len(problems))
	for i, p := range problems {
		shown := layout.Shown(p.RawPath)
		rows[i] = problemRow{Problem: p, Path: shown, File: path.Base(shown), Seen: p.Since.UnixMilli(), Back: query(v.URL.Path, v.URL.Query())}
		if v.preview != nil && previewable(p) {
			rows[i].Small = previewURL(p)
		}
		if v.role.May(store.Work) {
			rows[i].Form = "/problems/files/" + strconv.FormatInt(p.ID, 10)
		}
		if p.Reason == layout.DuplicateID {
			id, _ := layout.TrimJPEG(rows[i].File)
			won, err := v.view.Photos(v.Context(), store.PhotoQuery{Account: p.Account, Person: id, Order: store.ByChange, Limit: 1})
			if err != nil {
				return nil, err
			}
			if len(won) > 0 {
				rows[i].Winner = &won[0]
			}
		}
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

// A groupRow is a group of problems as it is shown.
type groupRow struct {
	store.ProblemGroup
	N     int         // files that the list is about
	Dir   string      // for people
	First *problemRow // nil: just mended
	URL   string
}

// Name is what the reason is called.
func (g groupRow) Name() string { return reasonNames[g.Reason] }

// groupRows adds the first file of each.
func (v *visit) groupRows(groups []store.ProblemGroup, ignored bool) ([]groupRow, error) {
	rows := make([]groupRow, len(groups))
	for i, g := range groups {
		rows[i] = groupRow{ProblemGroup: g, N: g.Files, Dir: dirShown(g.RawDir), URL: groupURL(g.ID, ignored)}
		if ignored {
			rows[i].N = g.Ignored
		}
		first, err := v.view.ProblemsOf(v.Context(), g, store.GroupPage{Ignored: ignored, Limit: 1})
		if err != nil {
			return nil, err
		}
		shown, err := v.problemRows(first)
		if err != nil {
			return nil, err
		}
		if len(shown) > 0 {
			rows[i].First = &shown[0]
		}
	}
	return rows, nil
}

// dirShown is a folder for people.
func dirShown(raw string) string {
	if raw == "" {
		return "/"
	}
	return layout.Shown(raw)
}

func groupURL(id int64, ignored bool) string {
	address := "/problems/" + strconv.FormatInt(id, 10)
	if ignored {
		address += "?ignored=1"
	}
	return address
}

// A choice is a value to filter by.
type choice struct {
	Label, URL string
	N          int
	Chosen     bool
}

type problemsPage struct {
	Groups            []groupRow
	Replaced          []replacedRow // on the first page, before the files
	MoreReplaced      bool
	Accounts, Reasons []choice
	Ignored           bool   // the list is of those that people ignore
	Other             string // the address of the other list; "" = there is none
	Total             int
	Filtered          bool
	Job               string
	Pages             pageLinks
	followed
}

const groupsPerPage = 50

// reasonNames are what the reasons are called on a button.
var reasonNames = map[layout.Reason]string{
	layout.NoAlbum: "No album", layout.UnknownFolder: "Unknown folder", layout.BadName: "Bad name", layout.DuplicateID: "Duplicate ID",
	layout.NotJPEG: "Not a JPEG", layout.Incomplete: "Incomplete", layout.Damaged: "Damaged", layout.TooComplex: "Too complex", layout.TrailingData: "Too much behind the picture",
	layout.Unreadable: "Unreadable", layout.TooManyFiles: "Too many files", layout.TooManyFolders: "Too many folders", layout.Reverted: "Reverted", layout.OtherShot: "Replaced",
}

func problemList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	account, reason, job := v.FormValue("account"), v.FormValue("reason"), v.FormValue("job")
	page := problemsPage{Job: job, Filtered: account+reason+job != "", Ignored: v.FormValue("ignored") != "", followed: following}
	here := func(change ...string) string {
		return query("/problems", v.URL.Query(), append([]string{"after", "", "back", ""}, change...)...)
	}
	want := store.ProblemGroupQuery{Account: account, Job: job, Reason: layout.Reason(reason), Ignored: page.Ignored}
	groups, pages, err := turnByID(v, groupsPerPage, func(g store.ProblemGroup) int64 { return g.ID }, here, func(beyond int64, back bool, limit int) ([]store.ProblemGroup, error) {
		want.Beyond, want.Backwards, want.Limit = beyond, back, limit
		return v.view.ProblemGroups(v.Context(), want)
	})
	if err != nil {
		return err
	}
	page.Pages = pages
	if page.Groups, err = v.groupRows(groups, page.Ignored); err != nil {
		return err
	}
	if page.Ignored {
		page.Other = here("ignored", "")
		return render(w, v, http.StatusOK, "problems", page)
	}
	ignored, err := v.view.ProblemGroups(v.Context(), store.ProblemGroupQuery{Account: account, Ignored: true, Limit: 1})
	if err != nil {
		return err
	}
	if len(ignored) > 0 {
		page.Other = query("/problems", nil, "account", account, "ignored", "1")
	}
	if pages.First == "" && (reason == "" || reason == string(layout.OtherShot)) {
		if page.Replaced, err = v.replacedRows(account, job); err != nil {
			return err
		}
		page.MoreReplaced = len(page.Replaced) == replacedPerPage
	}
	if err := page.choose(v, here, account, reason); err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "problems", page)
}

// choose counts the problems, and makes what they can be filtered by.
func (page *problemsPage) choose(v *visit, here func(...string) string, account, reason string) error {
	counts, err := v.view.ProblemCounts(v.Context())
	if err != nil {
		return err
	}
	replaced, err := v.view.ReplacedCounts(v.Context())
	if err != nil {
		return err
	}
	accounts, reasons := choices{}, choices{}
	for _, c := range counted(counts, replaced) {
		page.Total += c.N
		if reason == "" || reason == string(c.Reason) {
			accounts.add(c.Account, c.Account, c.N, here("account", c.Account, "job", ""), account)
		}
		if account == "" || account == c.Account {
			reasons.add(string(c.Reason), v.words.Sentence(reasonNames[c.Reason]), c.N, here("reason", string(c.Reason)), reason)
		}
	}
	page.Accounts = accounts.with(v.t("All"), here("account", "", "job", ""), account)
	page.Reasons = reasons.with(v.t("All"), here("reason", ""), reason)
	return nil
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
func (c *choices) with(label, all, chosen string) []choice {
	if len(c.all) < 2 && chosen == "" {
		return nil
	}
	total := 0
	for _, x := range c.all {
		total += x.N
	}
	return append([]choice{{label, all, total, chosen == ""}}, c.all...)
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
