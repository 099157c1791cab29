package web

import (
	"errors"
	"net/http"

	"picday/internal/layout"
	"picday/store"
)

type portraitsPage struct {
	Account  string
	Accounts []choice
	Text     string
	Total    int // of the account
	Photos   []listedPhoto
	Pages    pageLinks
	People   bool // the account has a list of people
	Chosen   chosenView
	followed
}

// A listedPhoto is a portrait with what the list of people says.
type listedPhoto struct {
	store.Photo
	Name     string
	Class    string
	Unlisted bool // nobody on the list has the ID
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
		var photos []store.Photo
		photos, page.Pages, err = v.turn(want, func(change ...string) string { return here(append(change, "account", page.Account)...) })
		if err != nil {
			return err
		}
		if err := v.nameThem(&page, photos); err != nil {
			return err
		}
	}
	return render(w, v, http.StatusOK, "portraits", page)
}

// nameThem says who is on portraits, where the account has a list.
func (v *visit) nameThem(page *portraitsPage, photos []store.Photo) error {
	a, err := v.view.Account(v.Context(), page.Account)
	if errors.Is(err, store.ErrNotFound) { // it was removed, its photos are kept
		err = nil
	} else if err == nil {
		page.People, err = v.view.HasPeople(v.Context(), store.Scope{AccountID: a.ID})
	}
	if err != nil {
		return err
	}
	for _, p := range photos {
		row := listedPhoto{Photo: p}
		if page.People {
			who, err := v.view.SubjectsOf(v.Context(), p)
			if err != nil {
				return err
			}
			if row.Unlisted = len(who) == 0; !row.Unlisted {
				row.Name, row.Class = who[0].Name(), who[0].Class
			}
		}
		page.Photos = append(page.Photos, row)
	}
	return nil
}
