package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"picday/internal/language"
	"picday/internal/layout"
	"picday/store"
)

// TestNothingOnAPageIsWrittenPastTheTexts: with marks around every text, what a page shows
// outside of them is data. It follows every link from the overview, so a new page is
// visited as soon as something leads to it.
func TestNothingOnAPageIsWrittenPastTheTexts(t *testing.T) {
	b := fullBed(t)
	marked := language.Marked(language.German, "⟦", "⟧")
	b.gate.wordsOf = func(language.Language) *language.Words { return marked }
	b.addOperator("eva", 0)
	b.token("till", 0)
	b.tx(func(tx *store.Tx) error {
		return tx.Downloaded(b.other, "a selection", "1 photo, originals", "eva")
	})
	b.publish(b.other, store.Place{Path: "job00001/Class 1/group/G.jpg", Shown: "job00001/Class 1/group/G.jpg", Job: "job00001", Album: "Class 1", Area: "group"}, "a group")
	b.status.Warnings = nil // they have their own test
	cookie := b.session("eva")
	seen := map[string]bool{}
	todo := []string{"/", "/me", "/operators", "/nothing", "/search?q=x", "/search?q=i", "/jobs?q=x", "/jobs?state=active&q=x", "/activity?q=x", "/portraits?q=9", "/problems?reason=" + string(layout.BadName), "/jobs/acme/job00001?sale=1", "/trash?account=acme"}
	check := func(path, body string) {
		for _, text := range shownTexts(outside(body)) {
			if bare := data.ReplaceAllString(text, ""); word.MatchString(bare) {
				t.Errorf("%s shows %q, which is no text of internal/language: write it with t, thtml or v.t", path, text)
			}
		}
	}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		shape := regexp.MustCompile(`\d+|=[^&]*`).ReplaceAllString(path, "")
		if seen[shape] {
			continue
		}
		seen[shape] = true
		w := b.ask("GET", path, nil, "Cookie", cookie)
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		check(path, w.Body.String())
		for _, m := range regexp.MustCompile(` href="(/[^"#]*)`).FindAllStringSubmatch(w.Body.String(), -1) {
			if to := html.UnescapeString(m[1]); !strings.HasPrefix(to, "/assets/") && !strings.HasPrefix(to, "/downloads/") {
				todo = append(todo, to)
			}
		}
	}
	if len(seen) < 30 {
		t.Errorf("this test has seen only %d pages", len(seen))
	}
	// What forms are answered with.
	for path, form := range map[string]url.Values{
		"/operators": {"name": {"bob"}, "role": {"look"}}, "/tokens": {"name": {"shop"}}, "/me/password": {"old": {"x"}, "new": {"a"}, "again": {"b"}}, "/photos/selected": {},
		"/operators/bob/password": {}, "/login": {"name": {"x"}, "password": {"y"}}, "/jobs/acme/job00001/activate": {}, "/accounts": {"name": {"x"}}, "/language": {},
	} {
		w := b.ask("POST", path, form, "Cookie", cookie)
		if w.Code == http.StatusSeeOther {
			t.Errorf("%s leads elsewhere", path)
		}
		check("the answer of "+path, w.Body.String())
	}
	for done := range doneSentences {
		check("done="+done, b.page(cookie, "/me?done="+done))
	}
}

var (
	notRead   = regexp.MustCompile(`(?s)<(code|bdi|time|svg|title)\b[^>]*>.*?</(code|bdi|time|svg|title)>|<!--.*?-->|<button[^>]*name="language".*?</button>|<(?:option|dd)\b[^>]* lang="[^>]*>[^<]*</(?:option|dd)>|<input[^>]*>|<textarea id="message"(?s:.*?)</textarea>`) // the message is in the account's language, and a language has its own name for itself
	innermost = regexp.MustCompile(`⟦[^⟦⟧]*⟧`)
	// data are what the bed has put there, and what is written alike in all languages.
	data = regexp.MustCompile(`[\w./ -]*(\.jpg|user-pictures/)[\w./-]*|\b(acme|lincoln|third|job\d+|Class|IMG|eva|bob|shop|till|former|picday|jpg|web|thumb|large|jobs|portraits|look|work|admin|SFTP|FileZilla|WinSCP|SHA|CSV|ID|ssh|AAAA|ed25519|kB|MB|GB|Byte|UTC|xx?|lincoln-.*)\b`)
)

// shownTexts are the texts between the tags of a page, and those of attributes that are shown.
func shownTexts(body string) (all []string) {
	for _, m := range shownAttribute.FindAllStringSubmatch(body, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	for _, text := range htmlTag.Split(notRead.ReplaceAllString(body, ""), -1) {
		all = append(all, html.UnescapeString(text))
	}
	return all
}

// outside is what is not between marks, which may be within each other.
func outside(text string) string {
	for innermost.MatchString(text) {
		text = innermost.ReplaceAllString(text, "")
	}
	return text
}
