package web

import (
	"net/http"

	"picday/internal/layout"
	"picday/store"
)

type portraitsPage struct {
	Account  string
	Accounts []choice
	Text     string
	Total    int // of the account
	Photos   []store.Photo
	Pages    pageLinks
	Chosen   chosenView
	followed
}

func portraits(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := portraitsPage{Account: v.FormValue("account"), Text: v.FormValue("q"), Chosen: v.chosen("withdraw"), followed: following}
	accounts, err := v.view.AccountSummaries(v.Context())
	if err != nil {
		return err
	}
	here := func(change ...string) string { return query("/portraits", v.URL.Query(), change...) }
	found := false
	for _, a := range accounts {
		if a.Layout != layout.Portraits {
			continue
		}
		if page.Account == "" { // IDs are an account's own: one account at a time
			page.Account = a.Name
		}
		chosen := a.Name == page.Account
		if chosen {
			page.Total, found = a.Photos, true
		}
		page.Accounts = append(page.Accounts, choice{a.Name, query("/portraits", nil, "account", a.Name), a.Photos, chosen})
	}
	if len(page.Accounts) == 1 {
		page.Accounts = nil // nothing to choose
	}
	if page.Account != "" && !found {
		return store.ErrNotFound
	}
	if found {
		order := store.ByPerson
		if page.Text != "" {
			order = store.ByID
		}
		want := store.PhotoQuery{
			Account: page.Account, PersonFrom: page.Text, Order: order,
			After: keyFrom(v, order), Backwards: v.FormValue("back") != "",
		}
		if err := v.around(&want, func(p store.Photo) bool { return p.Account == page.Account && p.Person != "" }); err != nil {
			return err
		}
		page.Photos, page.Pages, err = v.turn(want, func(change ...string) string { return here(append(change, "account", page.Account)...) })
		if err != nil {
			return err
		}
	}
	return render(w, v, http.StatusOK, "portraits", page)
}
