package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"picday/store"
)

// policy lets a page load nothing but what this listener has, and run nothing
// that stands in the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// setAdminHeader sets what every answer of the administration listener has.
func setAdminHeader(h http.Header) {
	for key, value := range map[string]string{
		"Cache-Control": "no-store", "Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY", "X-Robots-Tag": "noindex",
	} {
		h.Set(key, value)
	}
}

// A refusal is an answer that is not what was asked for, with a sentence that
// says why and what to do.
type refusal struct {
	status   int
	sentence string
}

func (r refusal) Error() string { return r.sentence }

func refuse(status int, sentence string) error { return refusal{status, sentence} }

// logInFirst becomes a redirect to the form.
var logInFirst = refuse(http.StatusSeeOther, "Log in first.")

// refusalOf turns any error into what is said about it.
func refusalOf(err error) (r refusal, known bool) {
	var body *http.MaxBytesError
	switch {
	case errors.As(err, &r):
		return r, true
	case errors.Is(err, store.ErrNotFound):
		return refusal{http.StatusNotFound, "There is nothing here."}, true
	case errors.Is(err, store.ErrNoFile):
		return refusal{http.StatusConflict, "The file was deleted by the uploader. 'picday trash restore' brings both back."}, true
	case errors.Is(err, store.ErrNoEarlier):
		return refusal{http.StatusConflict, "That picture is no longer kept, or it is shown already. Load the page again."}, true
	case errors.Is(err, store.ErrNotShown):
		return refusal{http.StatusConflict, "That picture or the photo is withdrawn: restore it first."}, true
	case errors.As(err, &body):
		return refusal{http.StatusRequestEntityTooLarge, "That is more than can be sent here."}, true
	}
	return refusal{http.StatusInternalServerError, "That did not work. It is in picdayd's log; try again later."}, false
}

// formError is what reading a form can say.
func formError(err error) error {
	var body *http.MaxBytesError
	if err == nil || errors.As(err, &body) {
		return err
	}
	return refuse(http.StatusBadRequest, "The form cannot be read.")
}

// fail answers with an error.
func (g *gate) fail(w http.ResponseWriter, v *visit, err error) {
	if v.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client is gone; an empty 200 could reach one that is not
	}
	// What a handler has said of the answer that it meant to give.
	setAdminHeader(w.Header())
	w.Header().Del("Content-Disposition")
	r, known := refusalOf(err)
	if !known {
		g.Log.Error().Err(err).Str("method", v.Method).Str("path", v.URL.Path).Msg("an answer failed")
	}
	switch {
	case isMachine(v.URL.Path):
		answer(w, r.status, map[string]string{"error": r.sentence})
	case r == logInFirst:
		to := "/login"
		if next := ownPath(v.URL.RequestURI()); next != "/" && (v.Method == http.MethodGet || v.Method == http.MethodHead) {
			to += "?" + url.Values{"next": {next}}.Encode()
		}
		_ = redirect(w, to)
	default:
		if err := render(w, v, r.status, "error", r.sentence); err != nil {
			g.Log.Error().Err(err).Msg("the page of an error cannot be made")
			http.Error(w, r.sentence, r.status)
		}
	}
}

// answer sends JSON.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // fails only if the client is gone
}
