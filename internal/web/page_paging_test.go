package web

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/store"
)

// From the last page of a list, "previous" leads through every row to the first page, as
// "next" does from there; from a photo one comes back to the page that has it.
func TestPagesForwardAndBack(t *testing.T) {
	b := newAdminBed(t)
	var jobs []catalogues.Job
	for i := range 230 {
		jobs = append(jobs, catalogues.Job{Name: fmt.Sprintf("job%d", i+1)})
	}
	jobs = append(jobs, catalogues.Job{Name: "j", Albums: []catalogues.Album{{Name: "many", Individuals: 450, Group: 1}, {Name: "Klasse 10", Group: 1}, {Name: "Klasse 2", Group: 1}}})
	b.must(catalogues.Fill(t.Context(), b.s, catalogues.Plan{Accounts: []catalogues.Account{
		{Name: "studio", Layout: layout.Jobs, Jobs: jobs}, {Name: "school", Layout: layout.Portraits, People: 401},
	}}))
	b.addOperator("eva", 0)
	cookie := b.session("eva")
	link := func(page, text string) string {
		for _, m := range regexp.MustCompile(`<a class="button"[^>]* href="([^"]+)">(?:<svg.*?</svg>)?([A-Za-z]+)`).FindAllStringSubmatch(page, -1) {
			if m[2] == text {
				return html.UnescapeString(m[1])
			}
		}
		return ""
	}
	for path, row := range map[string]string{
		"/jobs/studio/j/many?area=individuals": `<li id="photo-(\d+)">`, "/jobs/studio/j/many?area=individuals&sort=taken": `<li id="photo-(\d+)">`,
		"/portraits?account=school": `<li id="photo-(\d+)">`, "/portraits?account=school&q=2": `<li id="photo-(\d+)">`,
		"/jobs": `<th scope="row"><a href="([^"]+)">`, "/jobs?sort=latest": `<th scope="row"><a href="([^"]+)">`,
	} {
		walk := func(path, by string) (all []string) {
			for n := 0; path != ""; n++ {
				if n > 9 {
					t.Fatalf("%s: no end", path)
				}
				page := b.page(cookie, path)
				var rows []string
				for _, m := range regexp.MustCompile(row).FindAllStringSubmatch(page, -1) {
					rows = append(rows, m[1])
				}
				if by == "Next" {
					all = append(all, rows...)
				} else if len(all) > 0 && len(rows) > 0 && slices.Contains(all, rows[len(rows)-1]) {
					all = append(rows, all[slices.Index(all, rows[len(rows)-1])+1:]...) // the first page is shown in full
				} else {
					all = append(rows, all...)
				}
				path = link(page, by)
			}
			return all
		}
		forward := walk(path, "Next")
		last := link(b.page(cookie, path), "Last")
		if back := walk(last, "Previous"); last == "" || len(forward) < 200 || !slices.Equal(forward, back) {
			t.Errorf("%s: %d forward, %d back from %q", path, len(forward), len(back), last)
		}
	}
	page := b.page(cookie, "/jobs/studio/j")
	if two, ten := strings.Index(page, "Klasse 2<"), strings.Index(page, "Klasse 10<"); two < 0 || two > ten {
		t.Error("Klasse 10 is before Klasse 2")
	}
	photos, err := b.s.All().Photos(t.Context(), store.PhotoQuery{Account: "studio", Job: "j", Album: "many", Area: "individuals", Order: store.ByFile})
	b.must(err)
	for _, i := range []int{0, 5, 150, 300, 449} {
		p := photos[i]
		for _, sort := range []string{"", "taken"} {
			home, anchor, _ := strings.Cut(homeOf(p, sort), "#")
			if !strings.Contains(b.page(cookie, home), `id="`+anchor+`"`) {
				t.Errorf("photo %d is not on %s", i, home)
			}
		}
	}
	b.must(b.s.Update(t.Context(), func(tx *store.Tx) error { return tx.WithdrawBy(photos[100].ID, "eva") }))
	if html := b.page(cookie, photoURL(photos[100].ID)); !strings.Contains(html, `rel="prev" href="`+photoURL(photos[99].ID)) || !strings.Contains(html, `rel="next" href="`+photoURL(photos[101].ID)) {
		t.Error("a withdrawn photo has lost its neighbours")
	}
}

// A search finds only what the operator sees.
func TestSearchIsScoped(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.addOperator("lea", b.acct.ID)
	b.addOperator("max", b.other.ID)
	for name, sees := range map[string]bool{"lea": true, "max": false} {
		cookie := b.session(name)
		for _, text := range []string{"12", "lincoln", b.photo("12").Link, b.gate.Site.PublicURL + "/" + b.photo("12").Link + ".jpg"} {
			if html := b.page(cookie, "/search?q="+text); strings.Contains(html, "photo-") != (sees && text != "lincoln") || strings.Contains(html, "/accounts/lincoln") != (sees && text == "lincoln") {
				t.Errorf("%s, %s: %s", name, text, html)
			}
		}
	}
}
