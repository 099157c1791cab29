package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"picday/internal/layout"
	"picday/store"
)

// seenEvery is how often a session is marked as used, at most.
const seenEvery = time.Minute

// sessions makes concurrent requests of one session mark it once.
type sessions struct{ marking singleflight.Group }

// secure tells whether a request came over TLS, which the proxy in front says. Cookies made
// over TLS are not sent without it. A client that claims TLS without a proxy only keeps
// its own cookie from working.
func secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func cookieName(r *http.Request) string {
	if secure(r) {
		return "__Host-picday" // browsers accept this name only from this host, over TLS
	}
	return "picday"
}

// setCookie sets a cookie for the given time; with 0 it deletes it.
func setCookie(w http.ResponseWriter, r *http.Request, c *http.Cookie, age time.Duration) {
	c.Path, c.HttpOnly, c.Secure = "/", true, secure(r)
	if c.MaxAge = int(age / time.Second); age <= 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func sessionCookie(r *http.Request, value string) *http.Cookie {
	return &http.Cookie{Name: cookieName(r), Value: value, SameSite: http.SameSiteLaxMode}
}

// session finds the operator of a request. store.ErrNotFound: nobody has logged in.
func (g *gate) session(r *http.Request) (store.Operator, error) {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return store.Operator{}, store.ErrNotFound
	}
	o, seen, err := g.Store.Session(r.Context(), c.Value)
	if err == nil && time.Since(seen) > seenEvery {
		_, err, _ = g.sessions.marking.Do(c.Value, func() (any, error) {
			return nil, g.Writer.Do(context.WithoutCancel(r.Context()), func(tx *store.Tx) error { return tx.SeenSession(c.Value) })
		})
	}
	return o, err
}

// A logInForm is the data of the log-in page.
type logInForm struct {
	Name, Next, Wrong string
}

func (g *gate) logInPage(w http.ResponseWriter, v *visit) error {
	next := ownPath(v.FormValue("next"))
	if _, err := g.session(v.Request); err == nil {
		return redirect(w, next)
	}
	return render(w, v, http.StatusOK, "login", logInForm{Next: next})
}

func (g *gate) logIn(w http.ResponseWriter, v *visit) error {
	name, next := v.PostFormValue("name"), ownPath(v.PostFormValue("next"))
	again := func(status int, wrong string) error {
		return render(w, v, status, "login", logInForm{Name: name, Next: next, Wrong: wrong})
	}
	hash, err := g.check(v.Request, name, v.PostFormValue("password"))
	var cookie string
	if err == nil {
		old, _ := v.Cookie(cookieName(v.Request))
		err = g.Writer.Do(v.Context(), func(tx *store.Tx) (err error) {
			if old != nil {
				err = tx.EndSession(old.Value)
			}
			if err == nil {
				cookie, err = tx.StartSession(name, hash)
			}
			return err
		})
	}
	var later tooOften
	switch {
	case errors.As(err, &later):
		w.Header().Set("Retry-After", strconv.Itoa(int(later.wait/time.Second)+1))
		return again(http.StatusTooManyRequests, later.sentence(v.words))
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "5")
		return again(http.StatusServiceUnavailable, v.t("Many log in at this moment. Try again in a few seconds."))
	case errors.Is(err, store.ErrNotFound):
		g.Log.Warn().Str("name", layout.Shown(name[:min(len(name), 64)])).Stringer("from", g.clientAddr(v.Request)).Msg("log-in refused")
		return again(http.StatusForbidden, v.t("The name or the password is wrong."))
	case err != nil:
		return err
	}
	g.Log.Info().Str("name", name).Stringer("from", g.clientAddr(v.Request)).Msg("logged in")
	setCookie(w, v.Request, sessionCookie(v.Request, cookie), store.SessionLife)
	g.rememberBrowser(w, v.Request, name)
	return redirect(w, next)
}

func (g *gate) logOut(w http.ResponseWriter, v *visit) error {
	if c, err := v.Cookie(cookieName(v.Request)); err == nil {
		if err := g.Writer.Do(v.Context(), func(tx *store.Tx) error { return tx.EndSession(c.Value) }); err != nil {
			return err
		}
	}
	setCookie(w, v.Request, sessionCookie(v.Request, ""), 0)
	// The next user of this computer must not find the pictures in its cache.
	w.Header().Set("Clear-Site-Data", `"cache"`)
	return redirect(w, "/login")
}

// ownPath is where to go after the log-in: next if that is a path on this listener, else
// "/". next comes from the address, so anybody may have made it.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") || strings.HasPrefix(u.Path, "/login") || !clean(u.Path) {
		return "/"
	}
	return u.RequestURI()
}

func redirect(w http.ResponseWriter, to string) error {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
