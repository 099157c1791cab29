package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"picday/internal/control"
	"picday/store"
)

// An access says who may ask for something.
type access int

const (
	open     access = iota // everybody; the visit has no view
	operator               // who has logged in: pages
	token                  // a program with a token: the API
	machine                // a program with a token for all accounts: metrics
)

// A visit is one request, and all that its handler works with. There is no way
// from it to what its View does not show.
type visit struct {
	*http.Request
	site    *Site
	view    store.View
	name    string // the operator's or the token's
	account string // the only one that it may see; "" = all
	// status is what picdayd is doing, as far as it may be seen.
	status func() control.Status
	// change alters a photo of the view. ErrNotFound = it is none.
	change func(photoID int64, what alteration) error
	// still tells whether the log-in has not ended meanwhile. An answer that
	// goes on asks now and then.
	still   func() bool
	streams *streams
	// stopping is closed when picdayd stops.
	stopping <-chan struct{}
}

// An alteration is a method of store.Tx, such as (*store.Tx).WithdrawBy.
type alteration func(tx *store.Tx, photoID int64, operator string) error

// id is the number in the path, ErrNotFound if it is none.
func (v *visit) id() (int64, error) {
	n, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != v.PathValue("id") {
		return 0, store.ErrNotFound
	}
	return n, nil
}

// photo is the photo whose number is in the path.
func (v *visit) photo() (store.Photo, error) {
	id, err := v.id()
	if err != nil {
		return store.Photo{}, err
	}
	return v.view.Photo(v.Context(), id)
}

// guard lets through to a handler who has the access.
func (g *gate) guard(need access, serve handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := g.admit(w, need, r)
		if v == nil {
			v = &visit{Request: r, site: &g.Site, stopping: g.stopping}
		}
		if err == nil && r.Method == http.MethodPost {
			err = formError(r.ParseForm())
		}
		if err == nil {
			err = serve(w, v)
		}
		if err != nil {
			g.fail(w, v, err)
		}
	})
}

// admit makes the visit of somebody who may come in.
func (g *gate) admit(w http.ResponseWriter, need access, r *http.Request) (*visit, error) {
	switch need {
	case open:
		return nil, nil
	case operator:
		o, err := g.session(r)
		if errors.Is(err, store.ErrNotFound) {
			return nil, logInFirst
		}
		if err != nil {
			return nil, err
		}
		return g.visit(r, o.Name, o.Account, o.AccountID, func() bool {
			now, err := g.session(r)
			return err == nil && now == o
		}), nil
	}
	t, err := g.bearer(r)
	if errors.Is(err, store.ErrNotFound) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="picday"`)
		return nil, refuse(http.StatusUnauthorized, "Give a token: Authorization: Bearer TOKEN. 'picday token add NAME' makes one.")
	}
	if err == nil && need == machine && t.AccountID != 0 {
		err = refuse(http.StatusForbidden, "This takes a token for all accounts.")
	}
	if err != nil {
		return nil, err
	}
	return g.visit(r, t.Name, t.Account, t.AccountID, func() bool {
		now, err := g.bearer(r)
		return err == nil && now == t
	}), nil
}

// bearer finds the token of a request.
func (g *gate) bearer(r *http.Request) (store.Token, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return store.Token{}, store.ErrNotFound
	}
	return g.Store.Token(r.Context(), strings.TrimSpace(secret))
}

func (g *gate) visit(r *http.Request, name, account string, accountID int64, still func() bool) *visit {
	view := g.Store.View(accountID)
	return &visit{
		Request: r, site: &g.Site, view: view, name: name, account: account, still: still, streams: &g.streams, stopping: g.stopping,
		status: func() control.Status { return g.scoped(r.Context(), view) },
		change: func(photoID int64, what alteration) error {
			if _, err := view.Photo(r.Context(), photoID); err != nil {
				return err
			}
			// Not the request's own context: what was asked for is done, also
			// if the browser does not wait for the answer.
			ctx := context.WithoutCancel(r.Context())
			return g.Writer.Do(ctx, func(tx *store.Tx) error { return what(tx, photoID, name) })
		},
	}
}

// scoped is the status as far as a view may see it. How much of the machine's
// work is for other accounts is not said to who sees one.
func (g *gate) scoped(ctx context.Context, view store.View) control.Status {
	all := g.Status(ctx)
	if view.Everything() {
		return all
	}
	st := control.Status{
		Running: all.Running, Version: all.Version, Since: all.Since, LastProvenAlive: all.LastProvenAlive,
		InProgress: []control.Progress{}, Uploading: []control.Progress{}, Unsure: []control.Unsure{}, PolledDirs: []string{}, Warnings: []string{},
	}
	// What the view calls its account, not what the log-in was made for: that
	// account may be gone, and its name somebody else's.
	names, err := view.AccountNames(ctx)
	others := func(p control.Progress) bool { return err != nil || !slices.Contains(names, p.Account) }
	st.InProgress = slices.DeleteFunc(append(st.InProgress, all.InProgress...), others)
	st.Uploading = slices.DeleteFunc(append(st.Uploading, all.Uploading...), others)
	counts, cerr := view.Counts(ctx)
	if err = errors.Join(err, cerr); err != nil && ctx.Err() == nil {
		g.Log.Error().Err(err).Msg("the catalogue cannot be counted")
	}
	st.Photos, st.Unusual, st.Problems = counts.Photos, counts.Unusual, counts.Problems
	return st
}
