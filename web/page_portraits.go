package web

import (
	"net/http"

	"picday/store"
)

type portraitsPage struct {
	Account     string
	Accounts    []choice
	Text        string
	Total       int // of the account
	Photos      []store.Photo
	Next, First string
	live
}

func portraits(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := portraitsPage{Account: v.FormValue("account"), Text: v.FormValue("q"), live: following}
	accounts, err := v.view.Accounts(v.Context())
	if err != nil {
		return err
	}
	here := func(change ...string) string { return query("/portraits", v.URL.Query(), change...) }
	found := false
	for _, a := range accounts {
		if a.Layout != store.Portraits {
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
		want := store.PhotoQuery{
			PhotoFilter: store.PhotoFilter{Account: page.Account}, PersonFrom: page.Text, Order: store.ByPerson,
			After: keyFrom(v, store.ByPerson), Limit: photosPerPage + 1,
		}
		if page.Photos, err = v.view.Photos(v.Context(), want); err != nil {
			return err
		}
		if len(page.Photos) > photosPerPage {
			page.Photos = page.Photos[:photosPerPage]
			page.Next = here(append([]string{"account", page.Account}, keyParams(page.Photos[photosPerPage-1].Key(want.Order))...)...)
		}
		if want.After.ID != 0 {
			page.First = here("after", "", "id", "")
		}
	}
	return render(w, v, http.StatusOK, "portraits", page)
}
