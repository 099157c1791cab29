package web

import (
	"fmt"
	htmlpkg "html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/internal/roster"
	"picday/internal/upload"
	"picday/store"
)

// take makes a text the list of people of lincoln, or of a job of acme.
func (b *adminBed) take(job, text string) {
	b.Helper()
	l, err := roster.Parse([]byte(text))
	b.must(err)
	b.tx(func(tx *store.Tx) error {
		_, err := tx.TakeRoster(store.RosterFile{Scope: b.scope(job), File: "list.csv", Content: []byte(text)}, l, true)
		return err
	})
}

func (b *adminBed) scope(job string) store.Scope {
	b.Helper()
	a := b.acct
	if job != "" {
		a = b.other
	}
	s, err := b.s.All().Scope(b.Context(), a, job)
	b.must(err)
	return s
}

// spoilPortrait enters a problem of lincoln.
func (b *adminBed) spoilPortrait(id string) {
	b.Helper()
	b.tx(func(tx *store.Tx) error {
		path := b.path(id)
		return tx.Problem(b.acct, store.Place{Path: path, Shown: path}, upload.Identity{Volume: 1, Ino: b.ino.Add(1), Size: 3}, layout.NotJPEG, 0, gone{})
	})
}

const fourPeople = "ID;Last;First;Class\n12;Özil;Ann;5b\n13;Berg;Bo;5a\n15;Cole;Cy;5a\n16;Dorn;Di;\n"

// rowsOf are the names in the table of a page.
func rowsOf(html string) (names []string) {
	for _, row := range strings.Split(html, `<th scope="row">`)[1:] {
		name, _, _ := strings.Cut(row, "</th>")
		names = append(names, strings.TrimSpace(htmlTag.ReplaceAllString(name, "")))
	}
	return names
}

// A page lists the people of a school by class, and who has a photo, none, or only a
// problem; who has no list sees no link to it.
func TestThePeopleOfASchool(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	b.addOperator("max", b.other.ID)
	cookie := b.session("eva")
	at := placeURL("people", "lincoln", "")
	if html := b.page(cookie, "/accounts/lincoln"); strings.Contains(html, at) {
		t.Error("a school without a list has a link to its people")
	}
	if html := b.page(cookie, at); !strings.Contains(html, "Nobody yet") {
		t.Error(html)
	}
	b.put("12", "Ann")
	b.put("13", "Bo")
	b.take("", fourPeople)
	b.take("", strings.Replace(fourPeople, "13;Berg;Bo;5a\n", "", 1))
	b.spoilPortrait("15")
	if html := b.page(cookie, "/accounts/lincoln"); !strings.Contains(html, at) {
		t.Error("no link to the people")
	}
	for query, want := range map[string][]string{
		"":                        {"Di Dorn", "Bo Berg", "Cy Cole", "Ann Özil"},
		"?show=with":              {"Bo Berg", "Ann Özil"},
		"?show=without":           {"Di Dorn", "Cy Cole"},
		"?show=problem":           {"Cy Cole"},
		"?show=problem&class=5b":  nil,
		"?class=5a":               {"Bo Berg", "Cy Cole"},
		"?class=5a&show=without":  {"Cy Cole"},
		"?q=" + "%C3%B6zil":       {"Ann Özil"},
		"?q=OZIL+5b":              {"Ann Özil"},
		"?q=15":                   {"Cy Cole"},
		"?q=o&show=with":          {"Bo Berg", "Ann Özil"},
		"?q=nobody":               nil,
		"?from=99&q=o":            {"Di Dorn", "Bo Berg", "Cy Cole", "Ann Özil"},
		"?from=-1&q=o":            {"Di Dorn", "Bo Berg", "Cy Cole", "Ann Özil"},
		"?after=x&id=999&class=9": nil,
		"?back=1":                 {"Di Dorn", "Bo Berg", "Cy Cole", "Ann Özil"},
		"?show=nonsense&id=-1&q":  {"Di Dorn", "Bo Berg", "Cy Cole", "Ann Özil"},
	} {
		if got := rowsOf(b.page(cookie, at+query)); !slices.Equal(got, want) {
			t.Errorf("%s: %q instead of %q", query, got, want)
		}
	}
	html := b.page(cookie, at)
	for _, want := range []string{"4 people, 2 of them without a photo", "no longer on the list", `<option value="5a">5a</option>`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in\n%s", want, html)
		}
	}
	for _, path := range []string{at, placeURL("people", "acme", ""), placeURL("people", "lincoln", "job00001"), placeURL("people", "nobody", "")} {
		if w := b.ask("GET", path, nil, "Cookie", b.session("max")); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Following the links from page to page shows everybody once, read from the catalogue and
// looked for.
func TestManyPeopleInPages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	cookie, text := b.session("eva"), "ID;Name\n"
	for i := range 2*peoplePerList + 10 {
		text += fmt.Sprintf("X%d;Ann %d\n", i, i)
	}
	b.take("job00001", text)
	if html := b.page(cookie, jobURL("acme", "job00001")); !strings.Contains(html, placeURL("people", "acme", "job00001")) {
		t.Error("the job's page has no link to its people")
	}
	for _, query := range []string{"", "?q=ann"} {
		var seen []string
		path, pages := placeURL("people", "acme", "job00001")+query, 0
		for ; path != "" && pages < 9; pages++ {
			html := b.page(cookie, path)
			seen = append(seen, rowsOf(html)...)
			path = ""
			if m := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(html); m != nil {
				path = htmlpkg.UnescapeString(m[1])
			}
		}
		slices.Sort(seen)
		if n := len(slices.Compact(slices.Clone(seen))); pages != 3 || len(seen) != 2*peoplePerList+10 || n != len(seen) {
			t.Errorf("%q: %d pages, %d people, %d different ones", query, pages, len(seen), n)
		}
	}
}

// Where a school has a list, its portraits have names, and one of an ID on no list is flagged.
func TestPortraitsHaveNames(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	cookie := b.session("eva")
	b.put("12", "Ann")
	b.put("012", "somebody")
	if html := b.page(cookie, "/portraits?account=lincoln"); strings.Contains(html, "on no list") || strings.Contains(html, "/people/") {
		t.Error("a school without a list sees something of lists")
	}
	b.take("", fourPeople)
	html := b.page(cookie, "/portraits?account=lincoln")
	if strings.Count(html, "on no list") != 1 || !strings.Contains(html, "Ann Özil") || !strings.Contains(html, placeURL("people", "lincoln", "")) {
		t.Error(html)
	}
}
