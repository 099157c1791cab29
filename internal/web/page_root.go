package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"picday/internal/contract"
	"picday/internal/helper"
	"picday/internal/language"
	"picday/internal/layout"
	"picday/store"
)

// Root asks root's helper for what operators want and only root can do.
type Root struct {
	May []string // the verbs that the configuration lists; the helper looks there itself
	Ask func(context.Context, helper.Request) (helper.Answer, error)
}

// may tells whether the pages offer a verb.
func (r Root) may(verb helper.Verb) bool { return r.Ask != nil && slices.Contains(r.May, string(verb)) }

// askRoot does a verb for the account, which is in the view or new.
func (v *visit) askRoot(verb helper.Verb, account string, fill func(*helper.Request)) (a helper.Answer, err error) {
	if !v.root.may(verb) {
		return a, refuse(http.StatusForbidden, "This is not done here: the configuration does not list %s in web.may.", string(verb))
	}
	r := helper.New(verb, v.name, account)
	if verb.Part() == helper.Accounts {
		r.Password = v.PostForm.Get("password")
	}
	if fill != nil {
		fill(&r)
	}
	// Not with the request's context: a password that was set is to be seen in the log of
	// this request as done.
	a, err = v.root.Ask(context.WithoutCancel(v.Context()), r)
	var refused *helper.RefusalError
	switch {
	case errors.As(err, &refused):
		v.noteRefusal(r, refused)
		status := map[helper.Why]int{
			helper.Invalid: http.StatusBadRequest, helper.NotFound: http.StatusNotFound, helper.NotGiven: http.StatusForbidden, helper.Password: http.StatusForbidden,
			helper.TooOften: http.StatusTooManyRequests, helper.Refused: http.StatusConflict, helper.Failed: http.StatusInternalServerError,
		}[refused.Why]
		return a, refuse(status, refused.Sentence)
	case errors.Is(err, helper.ErrNotRunning):
		return a, refuse(http.StatusServiceUnavailable, "Nothing was changed: root's helper does not run on the server. Tell the one who looks after it.")
	}
	return a, err
}

// noteRefusal enters in the activity of an account that the operator sees what he has asked
// for, and why it was not done. What comes too often is not entered.
func (v *visit) noteRefusal(r helper.Request, why *helper.RefusalError) {
	a, err := v.view.Account(v.Context(), r.Account)
	if err != nil || why.Why == helper.TooOften {
		return
	}
	what := r.Job + r.Login // it is for one of them
	if err := v.note(func(tx *store.Tx) error { return tx.Refused(a, string(r.Verb), what, why.Sentence, v.name) }); err != nil {
		v.log(err)
	}
}

// rootFor is askRoot for an account that must be in the view, and goes to a page then.
func (v *visit) rootFor(w http.ResponseWriter, verb helper.Verb, account, to, done string, fill func(*helper.Request)) error {
	a, err := v.view.Account(v.Context(), account)
	if err != nil {
		return err
	}
	if _, err := v.askRoot(verb, a.Name, fill); err != nil {
		return err
	}
	return redirect(w, to+"?done="+done)
}

func addJob(w http.ResponseWriter, v *visit) error {
	account, job := v.PostForm.Get("account"), strings.TrimSpace(v.PostForm.Get("job"))
	return v.rootFor(w, helper.JobAdd, account, jobURL(account, job), "job-added", func(r *helper.Request) { r.Job = job })
}

func removeJob(w http.ResponseWriter, v *visit) error {
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	return v.rootFor(w, helper.JobRemove, job.Account, accountURL(job.Account), "job-removed", func(r *helper.Request) { r.Job = job.Name })
}

func restoreFile(w http.ResponseWriter, v *visit) error {
	p, err := v.photo()
	if err != nil {
		return err
	}
	return v.rootFor(w, helper.TrashRestore, p.Account, photoURL(p.ID), "restored", func(r *helper.Request) { r.Photo = p.ID })
}

// A madePage shows the card of an account or a log-in with its password, which nobody can
// ask for again. It follows nothing: loaded again it would have no password.
type madePage struct {
	Title    string
	Account  string
	Card     contract.Card
	Words    *language.Words // of the card, which is for the uploader
	Password string
}

func (madePage) section() string { return "accounts" }

// showMade writes the page. login is "" for the account itself.
func (v *visit) showMade(w http.ResponseWriter, title, account, login, password string) error {
	a, err := v.view.Account(v.Context(), account)
	if err != nil {
		return err
	}
	page := madePage{Title: title, Account: account, Password: password, Words: v.wordsOf(a.Language)}
	if page.Card, err = v.card(a); err != nil {
		return err
	}
	if login != "" {
		page.Card.User = login
	}
	return render(w, v, http.StatusOK, "made", page)
}

func addAccount(w http.ResponseWriter, v *visit) error {
	if !v.view.Everything() {
		return refuse(http.StatusForbidden, "An operator of one account makes no others.")
	}
	name := strings.TrimSpace(v.PostForm.Get("name"))
	a, err := v.askRoot(helper.AccountAdd, name, func(r *helper.Request) {
		r.Layout, r.Allow, r.Key = v.PostForm.Get("layout"), strings.Fields(v.PostForm.Get("allow")), v.PostForm.Get("key")
	})
	if err != nil {
		return err
	}
	return v.showMade(w, v.t("The account is made"), name, "", a.Password)
}

func newAccountPassword(w http.ResponseWriter, v *visit) error {
	account, err := v.view.Account(v.Context(), v.PathValue("account"))
	if err != nil {
		return err
	}
	login := v.PostForm.Get("login")
	a, err := v.askRoot(helper.AccountPasswd, account.Name, func(r *helper.Request) { r.Login = login })
	if err != nil {
		return err
	}
	return v.showMade(w, v.t("A new password"), account.Name, login, a.Password)
}

func setAccountKey(w http.ResponseWriter, v *visit) error {
	return v.changeAccount(w, helper.AccountKey, "keys", func(r *helper.Request) { r.Key, r.Login = v.PostForm.Get("key"), v.PostForm.Get("login") })
}

func setAccountAllow(w http.ResponseWriter, v *visit) error {
	return v.changeAccount(w, helper.AccountAllow, "allowed", func(r *helper.Request) { r.Allow = strings.Fields(v.PostForm.Get("allow")) })
}

func disableAccount(w http.ResponseWriter, v *visit) error {
	return v.changeAccount(w, helper.AccountDisable, "closed", nil)
}

func enableAccount(w http.ResponseWriter, v *visit) error {
	return v.changeAccount(w, helper.AccountEnable, "opened", nil)
}

// changeAccount changes the account in the path, and goes back to its page.
func (v *visit) changeAccount(w http.ResponseWriter, verb helper.Verb, done string, fill func(*helper.Request)) error {
	name := v.PathValue("account")
	return v.rootFor(w, verb, name, accountURL(name), done, fill)
}

func addAccountLogin(w http.ResponseWriter, v *visit) error {
	account, err := v.view.Account(v.Context(), v.PathValue("account"))
	if err != nil {
		return err
	}
	login := strings.TrimSpace(v.PostForm.Get("login"))
	a, err := v.askRoot(helper.LoginAdd, account.Name, func(r *helper.Request) {
		r.Login, r.Until, r.Key = login, v.PostForm.Get("until"), v.PostForm.Get("key")
	})
	if err != nil {
		return err
	}
	return v.showMade(w, v.t("The log-in is made"), account.Name, login, a.Password)
}

func setAccountLoginEnd(w http.ResponseWriter, v *visit) error {
	until := v.PostForm.Get("until")
	if until == "" {
		until = helper.Never
	}
	return v.changeAccount(w, helper.LoginUntil, "login-until", func(r *helper.Request) { r.Login, r.Until = v.PathValue("login"), until })
}

func removeAccountLogin(w http.ResponseWriter, v *visit) error {
	return v.changeAccount(w, helper.LoginRemove, "login-ended", func(r *helper.Request) { r.Login = v.PathValue("login") })
}

// May tells a template whether the page offers a verb: the configuration lists it, and the
// operator's role is enough.
func (f frame) May(verb string) bool {
	need := store.Work
	if helper.Verb(verb).Part() == helper.Accounts {
		need = store.Admin
	}
	return f.root.may(helper.Verb(verb)) && f.Role.May(need)
}

// jobsAccounts are the accounts of the layout jobs that are in the view.
func (v *visit) jobsAccounts() (names []string, err error) {
	all, err := v.view.AccountSummaries(v.Context())
	for _, a := range all {
		if a.Layout == layout.Jobs && !a.Kept {
			names = append(names, a.Name)
		}
	}
	return names, err
}
