package web

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"

	"picday/contract"
	"picday/store"
)

// A client that follows as the description says has, at the end of every round,
// all that is published and nothing else, whatever happens between its
// questions.
func TestFollowing(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { follow(t, seed) })
	}
}

func follow(t *testing.T, seed uint64) {
	b := newAdminBed(t)
	all := b.token("shop", 0)
	rnd := rand.New(rand.NewPCG(seed, 1))
	live := map[string]bool{}
	something := func() {
		for range rnd.IntN(4) {
			person := fmt.Sprint(rnd.IntN(12))
			switch {
			case !live[person]:
				b.put(person, fmt.Sprint(person, " again ", rnd.IntN(3)))
				live[person] = true
			case rnd.IntN(3) == 0:
				b.withdraw(person)
				live[person] = false
			case rnd.IntN(2) == 0:
				id := b.photo(person).ID
				b.tx(func(tx *store.Tx) error { _, err := tx.Rotate(id, ""); return err })
			default:
				b.put(person, fmt.Sprint(person, " other ", rnd.IntN(9)))
			}
		}
	}
	shop := map[string]string{} // link by person
	since := ""
	for round := range 8 {
		after := ""
		for n, done := 0, false; !done; n++ {
			if n < 20 { // or it may never end
				something()
			}
			var answer struct {
				Photos       []contract.Photo `json:"photos"`
				Next         *string          `json:"next"`
				ChangedUntil *int64           `json:"changed_until"`
			}
			if code := b.get(all, "/photos?limit=2"+since+after, &answer); code != 200 {
				t.Fatal(code)
			}
			for _, p := range answer.Photos {
				if p.WithdrawnAt != nil {
					delete(shop, p.Person)
				} else {
					shop[p.Person] = p.Link
				}
			}
			if done = answer.Next == nil; done != (answer.ChangedUntil != nil) {
				t.Fatalf("%+v", answer)
			}
			if done {
				since = fmt.Sprintf("&changed_since=%d", *answer.ChangedUntil)
			} else {
				after = "&after=" + url.QueryEscape(*answer.Next)
			}
		}
		// Nothing has happened since the last answer.
		var now struct {
			Photos []contract.Photo `json:"photos"`
		}
		b.get(all, "/photos?limit=1000", &now)
		want := map[string]string{}
		for _, p := range now.Photos {
			want[p.Person] = p.Link
		}
		// The first round is not told what is withdrawn while it reads; the second is.
		if round > 0 && fmt.Sprint(want) != fmt.Sprint(shop) {
			t.Fatalf("after round %d the shop has\n%v\npublished is\n%v", round, shop, want)
		}
	}
}

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
