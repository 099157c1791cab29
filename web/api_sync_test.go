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
		// The first round is not told what is withdrawn while it reads.
		if round > 0 && fmt.Sprint(want) != fmt.Sprint(shop) {
			t.Fatalf("after round %d the shop has\n%v\npublished is\n%v", round, shop, want)
		}
	}
}
