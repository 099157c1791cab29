package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"picday/internal/control"
	"picday/internal/language"
	"picday/store"
)

// An access says who may ask for something.
type access int

const (
	open          access = iota // for everybody; the visit has no view
	operator                    // for operators who have logged in: pages
	worker                      // for those whose role is store.Work at least
	administrator               // for those whose role is store.Admin
	token                       // for programs with a token: the API
	machine                     // for programs with a token for all accounts: metrics
)

// A visit is one request with all that its handler may use. Its view is the only way to the
// catalogue.
type visit struct {
	*http.Request
	site    *Site
	view    store.View
	name    string // the operator's or the token's
	account string // the only one that may be seen; "": all
	role    store.Role
	staff   staff // the log-ins that an administrator may change
	// status is what picdayd is doing, as far as it may be seen.
	status func() control.Status
	// alerts are sentences about what keeps picday from working, as far as the visitor
	// may know.
	alerts func() []string
	// change changes a photo. store.ErrNotFound: it is not in the view.
	change func(photoID int64, what alteration) error
	// changeAll changes photos in one transaction: all, or on an error none.
	changeAll func(photoIDs []int64, what alteration) error
	// changeProblem and changeGroup change a file, or files, that cannot become photos.
	// store.ErrNotFound: it is not in the view.
	changeProblem func(id int64, what func(tx *store.Tx, p store.Problem, operator string) error) error
	changeGroup   func(id int64, what func(tx *store.Tx, g store.ProblemGroup, operator string) error) error
	// alterAccount changes an account of the view.
	alterAccount func(name string, what func(tx *store.Tx, a store.Account, operator string) error) error
	// changeJob changes a job of the view.
	changeJob func(job store.Job, what func(*store.Tx, store.Job) error) error
	// changeProposal changes a proposal. store.ErrNotFound: it is not in the view.
	changeProposal func(id int64, what alteration) error
	// changePeople changes the people of an account of the view, or lists of them.
	changePeople func(account string, what func(tx *store.Tx, operator string) error) error
	// expect says how many photos are to come into a job.
	expect func(account, job string, n int) error
	// downloaded writes into the activity of an account that many of its photos were
	// downloaded.
	downloaded func(account, what, detail string) error
	note       func(what func(*store.Tx) error) error // in the activity, and of notices
	log        func(error)                            // what went wrong after an answer was begun
	// jobs changes the state of jobs that are in the view; nil: not on the pages.
	jobs    Jobs
	root    Root
	preview func(context.Context, store.Account, store.Problem) ([]byte, error) // see Admin
	// words are those of the visitor's language.
	words   *language.Words
	wordsOf func(language.Language) *language.Words
	// loggedIn tells whether the log-in has not ended meanwhile; streams ask from time to
	// time.
	loggedIn func() bool
	streams  *streams
	// downloads are the running ones of many photos.
	downloads *streams
	bringing  *streams
	exports   *streams
	making    chan struct{}
	watch     *watch
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

// guard calls a handler for requests that have the access, with a body of so many bytes at
// most.
func (g *gate) guard(need access, body int64, serve handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, body)
		v, err := g.admit(w, need, r)
		if v == nil {
			v = &visit{Request: r, site: &g.Site, stopping: g.stopping}
		}
		if v.words == nil {
			g.speak(v, "")
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

// needed is the role for each access of operators.
var needed = map[access]store.Role{operator: store.Look, worker: store.Work, administrator: store.Admin}

// admit makes the visit of a request, or an error if it does not have the access.
func (g *gate) admit(w http.ResponseWriter, need access, r *http.Request) (*visit, error) {
	switch need {
	case open:
		return nil, nil
	case operator, worker, administrator:
		o, err := g.session(r)
		if errors.Is(err, store.ErrNotFound) {
			return nil, logInFirst
		}
		if err != nil {
			return nil, err
		}
		v := g.visit(r, o.Name, o.Account, o.AccountID, func() bool {
			now, err := g.session(r)
			return err == nil && now == o
		})
		v.role, v.staff = o.Role, g.staffOf(o)
		g.speak(v, string(o.Language))
		if !o.Role.May(needed[need]) {
			return v, refuse(http.StatusForbidden, "Your log-in has the role %s, and this takes the role %s. Whoever made your log-in can change that.", string(o.Role), string(needed[need]))
		}
		return v, nil
	}
	t, err := g.bearer(r)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noToken(w)
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

func noToken(w http.ResponseWriter) error {
	w.Header().Set("WWW-Authenticate", `Bearer realm="picday"`)
	return refuse(http.StatusUnauthorized, "Give a token: Authorization: Bearer TOKEN. 'picday token add NAME' makes one.")
}

// bearer finds the token of a request.
func (g *gate) bearer(r *http.Request) (store.Token, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return store.Token{}, store.ErrNotFound
	}
	return g.Store.Token(r.Context(), strings.TrimSpace(secret))
}

func (g *gate) visit(r *http.Request, name, account string, accountID int64, loggedIn func() bool) *visit {
	view := g.Store.View(accountID)
	// Not with the request's context: the change is made even if the browser does not wait
	// for the answer.
	whole := context.WithoutCancel(r.Context())
	return &visit{
		Request: r, site: &g.Site, view: view, name: name, account: account, loggedIn: loggedIn, streams: &g.streams, downloads: &g.downloads, bringing: &g.bringing, exports: &g.exports, making: g.making, watch: &g.watch, stopping: g.stopping, jobs: g.Jobs, root: g.Root, preview: g.Preview,
		status: func() control.Status { return g.scoped(r.Context(), view) },
		alerts: func() []string { return g.alerts(r.Context(), view) },
		note:   func(what func(*store.Tx) error) error { return g.Writer.Do(whole, what) },
		change: func(photoID int64, what alteration) error {
			if _, err := view.Photo(r.Context(), photoID); err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return what(tx, photoID, name) })
		},
		changeAll: func(ids []int64, what alteration) error {
			for _, id := range ids {
				if _, err := view.Photo(r.Context(), id); err != nil {
					return err
				}
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error {
				for _, id := range ids {
					if err := what(tx, id, name); err != nil {
						return err
					}
				}
				return nil
			})
		},
		alterAccount: func(account string, what func(*store.Tx, store.Account, string) error) error {
			a, err := view.Account(r.Context(), account)
			if err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return what(tx, a, name) })
		},
		changeJob: func(job store.Job, what func(*store.Tx, store.Job) error) error {
			if _, err := view.Job(r.Context(), job.Account, job.Name); err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return what(tx, job) })
		},
		changeProposal: func(id int64, what alteration) error {
			if _, err := view.Proposal(r.Context(), id); err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return what(tx, id, name) })
		},
		changePeople: func(account string, what func(*store.Tx, string) error) error {
			if _, err := view.Account(r.Context(), account); err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return what(tx, name) })
		},
		changeProblem: func(id int64, what func(*store.Tx, store.Problem, string) error) error {
			p, err := view.Problem(r.Context(), id)
			if err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return what(tx, p, name) })
		},
		changeGroup: func(id int64, what func(*store.Tx, store.ProblemGroup, string) error) error {
			group, err := view.ProblemGroup(whole, id)
			if err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return what(tx, group, name) })
		},
		expect: func(account, job string, n int) error {
			j, err := view.Job(r.Context(), account, job)
			if err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return tx.SetExpected(j, n, name) })
		},
		downloaded: func(account, what, detail string) error {
			a, err := view.Account(r.Context(), account)
			if err != nil {
				return err
			}
			return g.Writer.Do(whole, func(tx *store.Tx) error { return tx.Downloaded(a, what, detail, name) })
		},
		log: func(err error) { g.Log.Error().Err(err).Str("path", r.URL.Path).Msg("an answer was cut off") },
	}
}

// scoped is the status as far as a view may see it. A view of one account is not told how
// much work there is for others.
func (g *gate) scoped(ctx context.Context, view store.View) control.Status {
	all := g.Status(ctx)
	if view.Everything() {
		return all
	}
	st := control.NewStatus()
	st.Running, st.Version, st.Since, st.LastProvenAlive = all.Running, all.Version, all.Since, all.LastProvenAlive
	// The name is the view's, not the one that the log-in was made for: that account may
	// be gone, and another may have its name.
	names, err := view.AccountNames(ctx)
	others := func(p control.Progress) bool { return err != nil || !slices.Contains(names, p.Account) }
	st.InProgress = slices.DeleteFunc(append(st.InProgress, all.InProgress...), others)
	st.Uploading = slices.DeleteFunc(append(st.Uploading, all.Uploading...), others)
	st.Backlog = slices.DeleteFunc(append(st.Backlog, all.Backlog...), func(b control.Backlog) bool { return err != nil || !slices.Contains(names, b.Account) })
	st.BacklogKnown = all.BacklogKnown
	counts, cerr := view.Counts(ctx)
	if err = errors.Join(err, cerr); err != nil && ctx.Err() == nil {
		g.Log.Error().Err(err).Msg("the catalogue cannot be counted")
	}
	st.Photos, st.Unusual, st.Problems = counts.Photos, counts.Unusual, counts.Problems
	return st
}
