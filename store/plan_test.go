package store

import (
	"errors"
	"strings"
	"testing"

	"picday/internal/layout"
)

// This asks what the pages and the API can ask, so that judge_test.go judges the plans.
func TestPlans(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for _, v := range []View{w.s.All(), w.s.View(w.acct.ID)} {
		for what, q := range map[string]PhotoQuery{
			"newest":                {Order: ByNewest},
			"newest of an account":  {Order: ByNewest, Account: "acme", After: Key{Number: 5, ID: 5}},
			"changes":               {Order: ByChange, Show: ShowBoth, ChangedSince: 5},
			"changes, from behind":  {Order: ByChange, Show: ShowBoth, After: Key{Number: 5, ID: 5}},
			"all of an account":     {Order: ByChange, Show: ShowBoth, Account: "acme"},
			"album":                 {Order: ByFile, Account: "acme", Job: "job1", Album: "A", Area: "group", After: Key{Text: "x", ID: 5}},
			"album, backwards":      {Order: ByFile, Account: "acme", Job: "job1", Album: "A", Area: "group", After: Key{Text: "x", ID: 5}, Backwards: true},
			"album, its end":        {Order: ByFile, Account: "acme", Job: "job1", Album: "A", Area: "group", Backwards: true},
			"persons, backwards":    {Order: ByPerson, Account: "acme", After: Key{Text: "x", ID: 5}, Backwards: true},
			"newest, backwards":     {Order: ByNewest, After: Key{Number: 5, ID: 5}, Backwards: true},
			"trash, backwards":      {Order: ByWithdrawn, Show: ShowWithdrawn, After: Key{Number: 5, ID: 5}, Backwards: true},
			"album as taken":        {Order: ByTaken, Account: "acme", Job: "job1", Album: "A", Area: "group"},
			"persons":               {Order: ByPerson, Account: "acme", After: Key{Text: "x", ID: 5}},
			"persons from 12":       {Order: ByID, Account: "acme", PersonFrom: "12", After: Key{Text: "123", ID: 5}},
			"person 12":             {Order: ByChange, Person: "12"},
			"trash":                 {Order: ByWithdrawn, Show: ShowWithdrawn},
			"trash of an account":   {Order: ByWithdrawn, Show: ShowWithdrawn, Account: "acme"},
			"a path as shown":       {Account: "acme", Path: "job1/A/1.jpg", Show: ShowBoth},
			"one to name a photo":   {Account: "acme", Path: "job1/A/1.jpg", Order: ByChange},
			"trash of a path":       {Show: ShowWithdrawn, Account: "acme", RawPath: "job1/A/1.jpg"},
			"changes of a job":      {Order: ByChange, Account: "acme", Job: "job1"},
			"a job of any account":  {Order: ByChange, Job: "job1"},
			"an album of any":       {Order: ByChange, Album: "A", ChangedSince: 5},
			"an area of an account": {Order: ByChange, Account: "acme", Area: "group", ChangedSince: 5, After: Key{Number: 5, ID: 5}},
			"a job, further":        {Order: ByChange, Account: "acme", Job: "job1", Album: "A", ChangedSince: 5, After: Key{Number: 5, ID: 5}},
			"trash of a job":        {Order: ByWithdrawn, Show: ShowWithdrawn, Account: "acme", Job: "job1"},
			"cover of an album":     {Order: ByFile, Account: "acme", Job: "job1", Album: "A", Area: "group", Limit: 1},
			"person 12, one school": {Order: ByChange, Account: "acme", Person: "12"},
		} {
			q.Limit = 10
			list := v.Photos
			if q.Order == ByChange {
				list = v.Changed
			}
			if _, err := list(t.Context(), q); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, q := range []ProblemQuery{
			{},
			{Account: "acme"},
			{Reason: layout.Damaged},
			{Account: "acme", Reason: layout.Damaged},
			{Account: "acme", Job: "job1", Reason: layout.Damaged},
			{Account: "acme", After: 5, Order: NewestProblems},
			{Reason: layout.Damaged, After: 5},
			{Account: "acme", RawPath: "job1/A/x.jpg"},
		} {
			q.Limit = 10
			_, err := v.Problems(t.Context(), q)
			w.must(err)
		}
		for _, q := range []ProblemGroupQuery{{}, {Account: "acme"}, {Reason: layout.Damaged}, {Account: "acme", Reason: layout.Damaged}, {Account: "acme", Job: "job1"}, {Account: "acme", Job: "job1", Reason: layout.Damaged}} {
			for _, q.Ignored = range []bool{false, true} {
				if q.Limit = 10; q.Ignored && (q.Job != "" || q.Reason != "") {
					continue // the page has no such list
				}
				for _, q.Backwards = range []bool{false, true} {
					for _, q.Beyond = range []int64{0, 5} {
						_, err := v.ProblemGroups(t.Context(), q)
						w.must(err)
					}
				}
			}
		}
		for _, p := range []GroupPage{{}, {Ignored: true}, {Backwards: true, Beyond: 5}, {Ignored: true, Beyond: 5}} {
			p.Limit = 10
			_, err := v.ProblemsOf(t.Context(), ProblemGroup{accountID: w.acct.ID, RawDir: "job1/A", Reason: layout.Damaged}, p)
			w.must(err)
		}
		_, err := v.CountPhotos(t.Context(), PhotoQuery{Account: "acme", Show: ShowBoth})
		w.must(err)
		for _, back := range []bool{false, true} {
			_, err = v.Jobs(t.Context(), JobQuery{ByLatest: true, AfterLatest: 5, AfterID: 5, Backwards: back, Limit: 10})
			w.must(err)
		}
		for _, text := range []string{"img 1", strings.Repeat("ab12", 14)} {
			_, err = v.Find(t.Context(), text, 10)
			w.must(err)
		}
		_, err = v.Jobs(t.Context(), JobQuery{AfterAccount: "acme", AfterJob: "job1", Limit: 10})
		w.must(err)
		_, err = v.Albums(t.Context(), AlbumQuery{Account: "acme", AfterAccount: "acme", AfterJob: "job1", AfterAlbum: "A", Limit: 10})
		w.must(err)
	}
	links, err := w.s.OpenLinks(t.Context(), "large")
	w.must(err)
	defer links.Close()
	if _, err := links.Published("no link", ""); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
