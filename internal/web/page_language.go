package web

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"regexp"
	"sync"
	"time"

	"picday/internal/language"
	"picday/store"
)

const languageLife = 365 * 24 * time.Hour

func languageCookie(r *http.Request) string { return cookieName(r) + "-language" }

// languageOf is the language of a request: what the operator has chosen, what was chosen in
// this browser, what it prefers, or the installation's.
func (g *gate) languageOf(r *http.Request, chosen string) language.Language {
	if language.Known(chosen) {
		return language.Language(chosen)
	}
	if c, err := r.Cookie(languageCookie(r)); err == nil && language.Known(c.Value) {
		return language.Language(c.Value)
	}
	return language.Preferred(r.Header.Get("Accept-Language"), g.Site.Language)
}

// speak sets the language of a visit.
func (g *gate) speak(v *visit, chosen string) {
	v.words, v.wordsOf = g.wordsOf(g.languageOf(v.Request, chosen)), g.wordsOf
}

// t writes a text in the visitor's language.
func (v *visit) t(key string, args ...any) string { return v.words.T(key, args...) }

// setLanguage is the switch on the pages.
func (g *gate) setLanguage(w http.ResponseWriter, v *visit) error {
	chosen := v.PostForm.Get("language")
	if !language.Known(chosen) {
		return refuse(http.StatusBadRequest, "There is no such language here.")
	}
	if o, err := g.session(v.Request); err == nil {
		err := g.Writer.Do(context.WithoutCancel(v.Context()), func(tx *store.Tx) error {
			return tx.SetOperatorLanguage(o.Name, language.Language(chosen))
		})
		if err != nil {
			return err
		}
	}
	setCookie(w, v.Request, &http.Cookie{Name: languageCookie(v.Request), Value: chosen, SameSite: http.SameSiteLaxMode}, languageLife)
	back := v.PostForm.Get("back")
	if back == "/login" {
		return redirect(w, back)
	}
	return redirect(w, ownPath(back))
}

// pagesIn are the templates by name, for each language once.
func pagesIn(w *language.Words) map[string]*template.Template {
	once, _ := parsed.LoadOrStore(w, sync.OnceValue(func() map[string]*template.Template { return parsePages(w) }))
	return once.(func() map[string]*template.Template)()
}

var parsed sync.Map // by *language.Words

// hereOf is where the switch of languages goes back to.
func hereOf(v *visit, status int) string {
	if status >= http.StatusBadRequest || v.Method != http.MethodGet && v.Method != http.MethodHead {
		return "/"
	}
	return query(v.URL.EscapedPath(), v.URL.Query())
}

// scriptLiterals are the strings in picday.js.
var scriptLiterals = regexp.MustCompile(`'([^'\n]*)'`).FindAllStringSubmatch(
	regexp.MustCompile(`(?m)^ *//.*$`).ReplaceAllString(string(must(embedded.ReadFile("assets/picday.js"))), ""), -1)

// scriptTexts are those of picday.js in a language, as JSON: with a number both forms.
func scriptTexts(w *language.Words) string {
	texts := map[string]any{}
	for _, literal := range scriptLiterals {
		switch one, other := w.Forms(literal[1]); {
		case one != "":
			texts[literal[1]] = []string{one, other}
		case other != literal[1]:
			texts[literal[1]] = other
		}
	}
	return string(must(json.Marshal(texts)))
}
