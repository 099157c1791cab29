package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"picday/internal/areas"
	"picday/internal/language"
	"picday/internal/layout"
	"picday/internal/shell"
	"picday/store"
)

type groupPage struct {
	Group       groupRow
	Rows        []problemRow
	Advice      []string // for all of them; none = it is said with each
	Message     string   // for the photographer
	Ignored     bool
	Other       string    // the address of the other half of the group; "" = there is none
	May         bool      // the operator may ignore
	Seen        int64     // Latest of the group, in milliseconds
	DeleteFirst time.Time // when the first of them is deleted; zero = never
	Meaning     []string  // an unknown folder: what to type so that it means individuals, or group
	Pages       pageLinks
	followed
}

func (groupPage) section() string { return "problems" }

const filesPerPage = 100

func problemGroup(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	id, err := v.id()
	if err != nil {
		return err
	}
	g, err := v.view.ProblemGroup(v.Context(), id)
	if err != nil {
		return err
	}
	page := groupPage{Ignored: v.FormValue("ignored") != "", May: v.role.May(store.Work) && store.Ignorable(g.Reason), Seen: g.Latest.UnixMilli(), followed: following}
	page.Group = groupRow{ProblemGroup: g, N: g.Files, Dir: dirShown(g.RawDir), URL: groupURL(id, page.Ignored)}
	switch {
	case page.Ignored && g.Files > 0:
		page.Other = groupURL(id, false)
	case !page.Ignored && g.Ignored > 0:
		page.Other = groupURL(id, true)
	}
	if page.Ignored {
		page.Group.N = g.Ignored
	}
	here := func(change ...string) string {
		return query("/problems/"+strconv.FormatInt(id, 10), v.URL.Query(), append([]string{"after", "", "back", ""}, change...)...)
	}
	files, pages, err := turnByID(v, filesPerPage, func(p store.Problem) int64 { return p.ID }, here, func(beyond int64, back bool, limit int) ([]store.Problem, error) {
		return v.view.ProblemsOf(v.Context(), g, store.GroupPage{Ignored: page.Ignored, Beyond: beyond, Backwards: back, Limit: limit})
	})
	if err != nil {
		return err
	}
	page.Pages = pages
	if page.Rows, err = v.problemRows(files); err != nil {
		return err
	}
	page.advise()
	if el := strings.Split(page.Group.Dir, "/"); g.Reason == layout.UnknownFolder && g.Layout == layout.Jobs && len(el) == 3 {
		a, err := v.view.Account(v.Context(), g.Account)
		if err != nil {
			return err
		}
		page.Meaning = []string{areasCommand(a, areas.Names{Individuals: el[2:]}), areasCommand(a, areas.Names{Group: el[2:]})}
	}
	if !page.Ignored {
		if page.Message, err = v.messageAbout(g); err != nil {
			return err
		}
	}
	return render(w, v, http.StatusOK, "problem", page)
}

// advise says what helps once, if it is the same for all files of the page.
func (page *groupPage) advise() {
	for i, r := range page.Rows {
		if i == 0 {
			page.Advice = r.Sentences()
		} else if !slices.Equal(page.Advice, r.Sentences()) {
			page.Advice = nil
			break
		}
	}
	for i := range page.Rows {
		page.Rows[i].Say = page.Advice == nil
		if at := page.Rows[i].DeleteAfter; !at.IsZero() && (page.DeleteFirst.IsZero() || at.Before(page.DeleteFirst)) {
			page.DeleteFirst = at
		}
	}
}

// areasCommand is what to type to give folders a meaning, and keep what others mean.
func areasCommand(a store.Account, more areas.Names) string {
	words := []string{"sudo", "picday", "account", "areas", a.Name}
	for _, name := range slices.Concat(a.Areas.Individuals, more.Individuals) {
		words = append(words, "--individuals", name)
	}
	for _, name := range slices.Concat(a.Areas.Group, more.Group) {
		words = append(words, "--group", name)
	}
	return shell.Line(words...)
}

// inMessage is how many files a message names.
const inMessage = 100

// messageAbout is a text for whoever has uploaded the files of a group: what, where, and
// what to do.
func (v *visit) messageAbout(g store.ProblemGroup) (string, error) {
	files, err := v.view.ProblemsOf(v.Context(), g, store.GroupPage{Limit: inMessage})
	if err != nil {
		return "", err
	}
	rows, err := v.problemRows(files)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	account, err := v.view.Account(v.Context(), g.Account)
	if err != nil {
		return "", err
	}
	words := language.In(account.Language) // of whoever uploads, not of whoever looks
	var b strings.Builder
	say := func(line string) { b.WriteString(line + "\n") }
	say(words.T("%d files of your upload have not become photos.", g.Files))
	say("")
	say(words.T("Account: %s", g.Account))
	say(words.T("Folder: %s", dirShown(g.RawDir)))
	// By what to do, in the order in which they came.
	var order []string
	names := map[string][]string{}
	for _, r := range rows {
		var sentences []string
		for _, s := range r.Sentences() {
			sentences = append(sentences, words.Sentence(s))
		}
		text := strings.Join(sentences, " ")
		if names[text] == nil {
			order = append(order, text)
		}
		names[text] = append(names[text], r.File)
	}
	for _, text := range order {
		say("\n" + text)
		for _, name := range names[text] {
			say("  " + name)
		}
	}
	if more := g.Files - len(rows); more > 0 {
		say("  " + words.T("and %d more", more))
	}
	return b.String(), nil
}

// ignoreAtOnce is how many files one transaction ignores.
const ignoreAtOnce = 1000

func ignoreGroup(w http.ResponseWriter, v *visit) error {
	seen := v.seen()
	return v.alterGroup(w, "ignored", func(tx *store.Tx, g store.ProblemGroup, operator string) (int, error) {
		return tx.IgnoreGroup(g, seen, operator, ignoreAtOnce)
	})
}

func unignoreGroup(w http.ResponseWriter, v *visit) error {
	return v.alterGroup(w, "unignored", func(tx *store.Tx, g store.ProblemGroup, operator string) (int, error) {
		return tx.UnignoreGroup(g, operator, ignoreAtOnce)
	})
}

// seen is since when the latest file of the form's page is a problem. What has become one
// after that was not seen, and is not ignored.
func (v *visit) seen() time.Time {
	ms, _ := strconv.ParseInt(v.PostForm.Get("seen"), 10, 64)
	return time.UnixMilli(ms)
}

// alterGroup changes the group in the path, in as many transactions as it takes.
func (v *visit) alterGroup(w http.ResponseWriter, done string, what func(*store.Tx, store.ProblemGroup, string) (int, error)) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	for n := ignoreAtOnce; n == ignoreAtOnce; {
		err := v.changeGroup(id, func(tx *store.Tx, g store.ProblemGroup, operator string) (err error) {
			n, err = what(tx, g, operator)
			return err
		})
		if err != nil {
			return err
		}
	}
	return redirect(w, withDone(cmp.Or(v.PostForm.Get("back"), "/problems"), done))
}

func ignoreProblem(w http.ResponseWriter, v *visit) error {
	seen := v.seen()
	return v.alterProblem(w, "ignored", func(tx *store.Tx, p store.Problem, operator string) error {
		return tx.IgnoreProblem(p, seen, operator)
	})
}

func unignoreProblem(w http.ResponseWriter, v *visit) error {
	return v.alterProblem(w, "unignored", (*store.Tx).UnignoreProblem)
}

func (v *visit) alterProblem(w http.ResponseWriter, done string, what func(*store.Tx, store.Problem, string) error) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := v.changeProblem(id, what); err != nil {
		return err
	}
	return redirect(w, withDone(cmp.Or(v.PostForm.Get("back"), "/problems"), done))
}

// withDone adds what was done to the address of a page of this listener.
func withDone(back, done string) string {
	path, params, _ := strings.Cut(ownPath(back), "?")
	if params != "" {
		params += "&"
	}
	return path + "?" + params + "done=" + done
}
