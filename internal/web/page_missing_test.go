package web

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A page and a list say who has no photo, by class, and cards are printed for exactly these.
func TestWhoIsMissingOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	b.addOperator("max", b.other.ID)
	cookie, stranger := b.session("eva"), b.session("max")
	at, files := placeURL("missing", "lincoln", ""), placeURL("downloads", "lincoln", "")
	if html := b.page(cookie, at); !strings.Contains(html, "Nobody is missing") {
		t.Error(html)
	}
	b.take("", strings.Replace(fourPeople, "Cole", "=Cole", 1))
	b.put("12", "Ann")
	b.put("99", "nobody on the list")
	b.spoilPortrait("15")
	html := b.page(cookie, at)
	if got, want := rowsOf(html), []string{"Di Dorn", "Cy =Cole", "Bo Berg"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, want := range []string{"3 people have no photo", "only a problem", "Portraits of nobody on the list", ">99<", `href="` + at + `?class=5a"`, `name="missing" value="1"`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in\n%s", want, html)
		}
	}
	if got := rowsOf(b.page(cookie, at+"?class=5a")); !slices.Equal(got, []string{"Cy =Cole", "Bo Berg"}) {
		t.Errorf("%q", got)
	}
	if html := b.page(cookie, at+"?class=5b"); !strings.Contains(html, "Everybody in this class has a photo.") {
		t.Error(html)
	}
	w := b.ask("GET", files+"/missing.csv?class=5a", nil, "Cookie", cookie)
	text, bom := strings.CutPrefix(w.Body.String(), "\ufeff")
	if rows, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || !bom || len(rows) != 3 || rows[1][2] != "'=Cole" || rows[1][6] != "only-problem" {
		t.Errorf("%v %q", err, rows)
	}
	for query, code := range map[string]int{
		"?per=4&missing=1": http.StatusOK, "?per=8&missing=1&class=5a": http.StatusOK, "?per=1": http.StatusOK,
		"?per=3": http.StatusBadRequest, "": http.StatusBadRequest, "?per=4&missing=1&class=5b": http.StatusNotFound,
	} {
		w := b.ask("GET", files+"/cards.pdf"+query, nil, "Cookie", cookie)
		if isPDF := strings.HasPrefix(w.Body.String(), "%PDF-") && w.Header().Get("Content-Type") == "application/pdf"; w.Code != code || isPDF != (code == http.StatusOK) {
			t.Errorf("%s: %d %.80q", query, w.Code, w.Body)
		}
	}
	if html := b.page(cookie, "/activity?event=downloaded"); !strings.Contains(html, "3 cards to print") || !strings.Contains(html, "2 people without a photo, as a list") {
		t.Error(html)
	}
	for _, path := range []string{at, files + "/missing.csv", files + "/cards.pdf?per=4"} {
		if w := b.ask("GET", path, nil, "Cookie", stranger); w.Code != http.StatusNotFound {
			t.Errorf("%s of another account: %d", path, w.Code)
		}
	}
}
