package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

// TestLanguageOfAPage: a page is in the language that was chosen in this browser, else in the
// one that it prefers. Programs are answered in English.
func TestLanguageOfAPage(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	cookie := b.session("ann")
	is := func(what, language string, header ...string) {
		t.Helper()
		body := b.ask("GET", "/login", nil, header...).Body.String()
		if title := map[string]string{"de": "Anmelden", "en": "Log in"}[language]; !strings.Contains(body, `<html lang="`+language+`">`) || !strings.Contains(body, title) {
			t.Errorf("%s: not %s: %.300s", what, language, body)
		}
	}
	is("no wish", "en")
	is("a German browser", "de", "Accept-Language", "de-AT,en;q=0.5")
	w := b.ask("POST", "/language", url.Values{"language": {"de"}, "back": {"/login"}})
	if set := w.Result().Cookies(); w.Code != http.StatusSeeOther || len(set) != 1 || w.Header().Get("Location") != "/login" {
		t.Fatalf("the switch: %d %v", w.Code, w.Header())
	}
	is("chosen", "de", "Cookie", "picday-language=de", "Accept-Language", "en")
	is("nonsense", "en", "Cookie", "picday-language=xx")
	for value, code := range map[string]int{"xx": http.StatusBadRequest, "": http.StatusBadRequest} {
		if w := b.ask("POST", "/language", url.Values{"language": {value}}); w.Code != code {
			t.Errorf("the language %q: %d", value, w.Code)
		}
	}
	if w := b.ask("POST", "/language", url.Values{"language": {"de"}, "back": {"https://evil.example/"}}); w.Header().Get("Location") != "/" {
		t.Errorf("it leads away: %v", w.Header())
	}
	// What an operator chooses is kept with the log-in, for every browser.
	if w := b.ask("POST", "/language", url.Values{"language": {"de"}, "back": {"/jobs?q=x"}}, "Cookie", cookie); w.Header().Get("Location") != "/jobs?q=x" {
		t.Errorf("back: %v", w.Header())
	}
	if body := b.ask("GET", "/jobs", nil, "Cookie", cookie, "Accept-Language", "en").Body.String(); !strings.Contains(body, "Aufträge") {
		t.Errorf("the operator's choice: %.300s", body)
	}
	if card := b.ask("GET", "/accounts/lincoln/card.txt", nil, "Cookie", cookie).Body.String(); !strings.HasPrefix(card, "SFTP account") {
		t.Errorf("a card is in its account's language: %s", card)
	}
	header := []string{"Cookie", cookie, "Accept-Language", "de"}
	if w := b.ask("GET", "/photos/999", nil, header...); !strings.Contains(w.Body.String(), "Hier ist nichts.") {
		t.Errorf("a refusal: %s", w.Body)
	}
	if w := b.ask("GET", "/api/v1/photos?x=1", nil, "Authorization", b.token("till", 0), "Accept-Language", "de"); !strings.Contains(w.Body.String(), "There is no parameter") {
		t.Errorf("the API: %s", w.Body)
	}
}

// Who may work says in which language the uploaders of an account read; it is shown, the
// card and the message for the photographer are in it, and the activity says who it was.
func TestTheLanguageOfAnAccount(t *testing.T) {
	b := newAdminBed(t)
	b.wrong("job00001/A/odd/x.jpg", layout.UnknownFolder)
	b.addOperator("ann", 0)
	b.addOperator("lin", b.acct.ID)
	b.tx(func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: "looker", AccountID: b.other.ID, Role: store.Look}, passwordHash())
	})
	ann, lin, looker := b.session("ann"), b.session("lin"), b.session("looker")
	b.has(b.page(ann, "/accounts/acme"), `<dd lang="en">English</dd>`, `action="/accounts/acme/language"`, `<option value="en" lang="en" selected>`)
	b.has(b.page(looker, "/accounts/acme"), `<dd lang="en">English</dd>`, `!action="/accounts/acme/language"`)
	for _, c := range []struct {
		cookie, language string
		want             int
	}{{looker, "de", http.StatusForbidden}, {lin, "de", http.StatusNotFound}, {ann, "fr", http.StatusBadRequest}, {ann, "", http.StatusBadRequest}, {ann, "de", http.StatusSeeOther}} {
		b.has(b.page(ann, "/accounts/acme"), `<dd lang="en">English</dd>`)
		if w := b.ask("POST", "/accounts/acme/language", url.Values{"language": {c.language}}, "Cookie", c.cookie); w.Code != c.want {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
	b.has(b.page(ann, "/accounts/acme?done=language"), `<dd lang="de">Deutsch</dd>`, `<option value="de" lang="de" selected>`, "Protokoll", "The language is changed")
	b.has(b.page(ann, groupURL(b.groups()[0].ID, false)), "Eine hochgeladene Datei", "Copy a message")
	b.has(b.page(ann, "/activity"), "another language", "by ann")
	b.has(b.page(ann, "/accounts/lincoln"), `<dd lang="en">English</dd>`)
}
