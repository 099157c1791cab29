package store

import (
	"errors"
	"testing"
)

// What the pages and the API ask for is asked here, so that it is judged: it
// must not walk through a million rows.
func TestPlans(t *testing.T) {
	w := newWorld(t, Jobs)
	acme, album := PhotoFilter{Account: "acme"}, PhotoFilter{Account: "acme", Job: "job1", Album: "A", Area: "group"}
	for _, v := range []View{w.s.View(0), w.s.View(w.acct.ID)} {
		for what, q := range map[string]PhotoQuery{
			"newest":                {Order: ByNewest},
			"newest of an account":  {Order: ByNewest, PhotoFilter: acme, After: Key{Number: 5, ID: 5}},
			"changes":               {Order: ByChange, Show: ShowBoth, ChangedSince: 5},
			"changes, from behind":  {Order: ByChange, Show: ShowBoth, After: Key{Number: 5, ID: 5}},
			"all of an account":     {Order: ByChange, Show: ShowBoth, PhotoFilter: acme},
			"album":                 {Order: ByFile, PhotoFilter: album, After: Key{Text: "x", ID: 5}},
			"album as taken":        {Order: ByTaken, PhotoFilter: album},
			"persons":               {Order: ByPerson, PhotoFilter: acme, After: Key{Text: "x", ID: 5}},
			"persons from 12":       {Order: ByPerson, PhotoFilter: acme, PersonFrom: "12"},
			"person 12":             {Order: ByChange, PhotoFilter: PhotoFilter{Person: "12"}},
			"trash":                 {Order: ByWithdrawn, Show: ShowWithdrawn},
			"trash of an account":   {Order: ByWithdrawn, Show: ShowWithdrawn, PhotoFilter: acme},
			"trash of a path":       {Show: ShowWithdrawn, PhotoFilter: PhotoFilter{Account: "acme", RawPath: "job1/A/1.jpg"}},
			"changes of a job":      {Order: ByChange, PhotoFilter: PhotoFilter{Account: "acme", Job: "job1"}},
			"trash of a job":        {Order: ByWithdrawn, Show: ShowWithdrawn, PhotoFilter: PhotoFilter{Account: "acme", Job: "job1"}},
			"cover of an album":     {Order: ByFile, PhotoFilter: album, Limit: 1},
			"person 12, one school": {Order: ByChange, PhotoFilter: PhotoFilter{Account: "acme", Person: "12"}},
		} {
			q.Limit = 10
			if _, err := v.Photos(t.Context(), q); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, q := range []ProblemQuery{
			{},
			{Account: "acme"},
			{Reason: Damaged},
			{Account: "acme", Reason: Damaged},
			{Account: "acme", Job: "job1", Reason: Damaged},
			{Account: "acme", After: 5, Newest: true},
			{Reason: Damaged, After: 5},
		} {
			q.Limit = 10
			_, err := v.Problems(t.Context(), q)
			w.must(err)
		}
		_, err := v.Jobs(t.Context(), JobQuery{AfterAccount: "acme", AfterJob: "job1", Limit: 10})
		w.must(err)
		_, err = v.AlbumPage(t.Context(), AlbumQuery{Account: "acme", AfterAccount: "acme", AfterJob: "job1", AfterAlbum: "A", Limit: 10})
		w.must(err)
	}
	links, err := w.s.OpenLinks(t.Context(), "large")
	w.must(err)
	defer links.Close()
	if _, err := links.Published("no link", ""); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
