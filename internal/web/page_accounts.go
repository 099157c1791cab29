package web

import (
	"net/http"
	"net/url"

	"picday/internal/contract"
	"picday/internal/language"
	"picday/internal/layout"
	"picday/store"
)

type accountsPage struct {
	Accounts []store.AccountSummary
	All      bool
	followed
}

func accountList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	accounts, err := v.view.AccountSummaries(v.Context())
	if err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "accounts", accountsPage{accounts, v.view.Everything(), following})
}

type accountPageData struct {
	Account store.AccountSummary
	Card    contract.Card
	Words   *language.Words // of the card, which is for the uploader
	Jobs    []store.Job
	// Downloads of all its photos; none if there are none.
	Downloads []choice
	Arrival   arrivalView
	People    bool // it has a list of them
	Work      bool // the operator may say in which language the uploaders read
	followed
}

const accountJobs = 8

func accountPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("status")
	a, err := v.view.AccountSummary(v.Context(), v.PathValue("account"))
	if err != nil {
		return err
	}
	page := accountPageData{Account: a, Work: v.role.May(store.Work), followed: following}
	if page.Card, err = v.card(a.Account); err != nil {
		return err
	}
	page.Words = v.wordsOf(a.Language)
	if a.Photos > 0 {
		page.Downloads = v.downloadsAt("/downloads/"+url.PathEscape(a.Name), "")
	}
	page.Arrival = v.arrival(a.Name, "", a.Photos, a.Problems, 0, a.LastUpload)
	if a.Layout == layout.Jobs {
		if page.Jobs, err = v.view.Jobs(v.Context(), store.JobQuery{Account: a.Name, Limit: accountJobs + 1}); err != nil {
			return err
		}
	}
	if a.Layout == layout.Portraits {
		if page.People, err = v.view.HasPeople(v.Context(), store.Scope{AccountID: a.ID}); err != nil {
			return err
		}
	}
	return render(w, v, http.StatusOK, "account", page)
}

// UsualID is the pattern of IDs that needs no explanation by a pattern.
func (accountPageData) UsualID() string { return layout.DefaultIDPattern }

// Languages are those that the uploaders may read.
func (accountPageData) Languages() []language.Choice { return language.All }

// Language is the name of the one that they read.
func (p accountPageData) Language() string {
	for _, c := range language.All {
		if c.Language == p.Words.Language {
			return c.Name
		}
	}
	return ""
}

// languageChanged is what the activity says of it, as of what root's helper does.
const languageChanged = "account.language"

// setAccountLanguage says in which language the uploaders read: a row of the catalogue, for
// which nobody needs root.
func setAccountLanguage(w http.ResponseWriter, v *visit) error {
	chosen := v.PostForm.Get("language")
	if !language.Known(chosen) {
		return refuse(http.StatusBadRequest, "There is no such language here.")
	}
	name := v.PathValue("account")
	err := v.alterAccount(name, func(tx *store.Tx, a store.Account, operator string) error {
		if err := tx.SetLanguage(a, language.Language(chosen)); err != nil {
			return err
		}
		return tx.AccountChanged(a, languageChanged, "", operator)
	})
	if err != nil {
		return err
	}
	return redirect(w, withDone(accountURL(name), "language"))
}

// FewJobs are as many as the page shows.
func (p accountPageData) FewJobs() []store.Job { return p.Jobs[:min(len(p.Jobs), accountJobs)] }

// MoreJobs tells whether there are others.
func (p accountPageData) MoreJobs() bool { return len(p.Jobs) > accountJobs }

func (v *visit) card(a store.Account) (contract.Card, error) {
	keys, err := v.view.HostKeys(v.Context())
	return contract.NewCard(a, v.site.Host, v.site.Port, keys), err
}

// accountCard gives the card as a file to hand on.
func accountCard(w http.ResponseWriter, v *visit) error {
	a, err := v.view.Account(v.Context(), v.PathValue("account"))
	if err != nil {
		return err
	}
	c, err := v.card(a)
	if err != nil {
		return err
	}
	var kind string
	var data []byte
	switch v.PathValue("file") {
	case "filezilla.xml":
		kind, data = "application/xml", c.FileZilla()
	case "winscp.url": // opens WinSCP, which takes over such addresses
		kind, data = "application/octet-stream", []byte("[InternetShortcut]\r\nURL="+c.WinSCP()+"\r\n")
	case "card.txt":
		kind, data = "text/plain; charset=utf-8", []byte(c.Text())
	default:
		return store.ErrNotFound
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", attachment(a.Name+"-"+v.PathValue("file")))
	_, _ = w.Write(data) // fails only if the client is gone
	return nil
}
