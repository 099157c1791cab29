package web

import (
	"net/http"
	"slices"
	"strings"

	"picday/internal/names"
	"picday/store"
)

type searchPage struct {
	Text     string
	Accounts []string
	store.Found
	Most int
	followed
}

// None tells whether nothing was found.
func (p searchPage) None() bool {
	return len(p.Accounts)+len(p.Jobs)+len(p.Albums)+len(p.Photos) == 0
}

// mostFound is how many of each kind a search shows.
const mostFound = 40

// spelled tells whether the text is in the name, however it is spelled.
func spelled(name, text string) bool {
	name = names.Fold(name)
	return slices.ContainsFunc(names.Spellings(text), func(s string) bool { return s != "" && strings.Contains(name, s) })
}

// search finds jobs, albums, photos, persons and accounts by the beginning of a word.
func search(w http.ResponseWriter, v *visit) (err error) {
	following := v.follow("catalogue")
	page := searchPage{Text: strings.TrimSpace(v.FormValue("q")), Most: mostFound, followed: following}
	if page.Text != "" {
		if page.Found, err = v.view.Find(v.Context(), page.Text, mostFound); err != nil {
			return err
		}
		all, err := v.view.AccountNames(v.Context())
		if err != nil {
			return err
		}
		for _, name := range all {
			if spelled(name, page.Text) && len(page.Accounts) < mostFound {
				page.Accounts = append(page.Accounts, name)
			}
		}
	}
	return render(w, v, http.StatusOK, "search", page)
}
