package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
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
