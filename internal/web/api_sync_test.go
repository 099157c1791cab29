package web

import (
	"fmt"
	"net/url"
	"testing"

	"picday/internal/contract"
)

// What is withdrawn after the first page of a first reading had it is told in
// the next round, whatever else came in before that reading was over.
func TestWithdrawnWhileSomebodyBegins(t *testing.T) {
	b := newAdminBed(t)
	shop := b.token("shop", 0)
	for i := range 4 {
		b.put(fmt.Sprint(i), fmt.Sprint(i))
	}
	type answer struct {
		Photos       []contract.Photo `json:"photos"`
		Next         *string          `json:"next"`
		ChangedUntil *int64           `json:"changed_until"`
	}
	has := map[string]bool{}
	ask := func(query string) (a answer) {
		t.Helper()
		if code := b.get(shop, "/photos?limit=2"+query, &a); code != 200 {
			t.Fatal(code)
		}
		for _, p := range a.Photos {
			has[p.Person] = p.WithdrawnAt == nil
		}
		return a
	}
	a := ask("")
	gone := a.Photos[0].Person
	b.withdraw(gone)
	b.put("99", "new")
	for a.Next != nil {
		a = ask("&after=" + url.QueryEscape(*a.Next))
	}
	since := fmt.Sprintf("&changed_since=%d", *a.ChangedUntil)
	for a = ask(since); a.Next != nil; {
		a = ask(since + "&after=" + url.QueryEscape(*a.Next))
	}
	if has[gone] || len(has) != 5 {
		t.Errorf("the shop has %v, and %s was withdrawn", has, gone)
	}
}
