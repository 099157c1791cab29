package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"picday/internal/codes"
	"picday/internal/language"
	"picday/store"
)

// policy lets a page load only from this listener, and run no script within the page.
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

// A refusal is an error with the status and the sentence of the answer.
type refusal struct {
	status   int
	sentence language.Message
}

func (r refusal) Error() string { return r.sentence.String() }

// refuse is an answer with a sentence, whose German is in internal/language/de.
func refuse(status int, sentence string, args ...any) error {
	return refusal{status, language.M(sentence, args...)}
}

// logInFirst redirects to the log-in page.
var logInFirst = refuse(http.StatusSeeOther, "Log in first.")

// refusalOf is what an error is answered with. known is false for errors that are logged.
func refusalOf(err error) (r refusal, known bool) {
	var body *http.MaxBytesError
	switch {
	case errors.As(err, &r):
		return r, true
	case errors.Is(err, store.ErrNotFound):
		return refusal{http.StatusNotFound, language.M("There is nothing here.")}, true
	case errors.Is(err, store.ErrForgotten):
		return refusal{http.StatusGone, language.M("Photos were withdrawn since then, and it is no longer known which. Read the whole list again, without changed_since, and drop what is not in it.")}, true
	case errors.Is(err, store.ErrCodeRefused):
		return refusal{http.StatusConflict, language.M("Nobody in this job has that code. Look at the card again, or bring the list of people first.")}, true
	case errors.Is(err, codes.ErrInvalid):
		return refusal{http.StatusBadRequest, language.M("That is no code. Type what stands on the card; several codes with a space between them.")}, true
	case errors.Is(err, store.ErrNoCard):
		return refusal{http.StatusConflict, language.M("A portrait is no card.")}, true
	case errors.Is(err, store.ErrNotOpen):
		return refusal{http.StatusConflict, language.M("This was decided already. Load the page again.")}, true
	case errors.Is(err, store.ErrChangedSince):
		return refusal{http.StatusConflict, language.M("Who is on these photos has changed since. Load the page again.")}, true
	case errors.Is(err, store.ErrNoFile):
		return refusal{http.StatusConflict, language.M("The file was deleted by the uploader. 'picday trash restore' brings both back.")}, true
	case errors.Is(err, store.ErrNoEarlier):
		return refusal{http.StatusConflict, language.M("That picture is no longer kept, or it is shown already. Load the page again.")}, true
	case errors.Is(err, store.ErrNotShown):
		return refusal{http.StatusConflict, language.M("That picture or the photo is withdrawn: restore it first.")}, true
	case errors.As(err, &body):
		return refusal{http.StatusRequestEntityTooLarge, language.M("That is more than can be sent here.")}, true
	}
	return refusal{http.StatusInternalServerError, language.M("That did not work. It is in picdayd's log; try again later.")}, false
}

// formError turns an error of ParseForm into a refusal.
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
		panic(http.ErrAbortHandler) // the client is gone; an empty 200 could still reach a proxy
	}
	// Undo what the handler has set for the answer that it was going to give.
	setAdminHeader(w.Header())
	w.Header().Del("Content-Disposition")
	r, known := refusalOf(err)
	if v.words == nil {
		g.speak(v, "")
	}
	if !known {
		g.Log.Error().Err(err).Str("method", v.Method).Str("path", v.URL.Path).Msg("an answer failed")
	}
	switch {
	case isMachine(v.URL.Path):
		answer(w, r.status, map[string]string{"error": r.Error()})
	case r.status == http.StatusSeeOther:
		to := "/login"
		if next := ownPath(v.URL.RequestURI()); next != "/" && (v.Method == http.MethodGet || v.Method == http.MethodHead) {
			to += "?" + url.Values{"next": {next}}.Encode()
		}
		_ = redirect(w, to)
	default:
		if err := render(w, v, r.status, "error", v.words.Say(r.sentence)); err != nil {
			g.Log.Error().Err(err).Msg("the page of an error cannot be made")
			http.Error(w, r.Error(), r.status)
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
