// Package people does what commands, and pages, about subjects and lists of them do.
package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"picday/internal/codes"
	"picday/internal/contract"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/internal/names"
	"picday/internal/roster"
	"picday/store"
	"picday/store/pictures"
)

// A Place is whose people they are: a job's, or with an empty Job an account's.
type Place struct {
	View    store.View    // all is read through it
	Account store.Account // of the view
	Job     string
	Update  func(context.Context, func(*store.Tx) error) error // needed by what changes something
	Files   *pictures.Files                                    // needed by exports
}

// Of is the place of an account, or of its job if one is named, for commands.
func Of(s *store.Store, a store.Account, job ...string) Place {
	return Place{View: s.View(a.ID), Account: a, Job: strings.Join(job, ""), Update: s.Update, Files: s.Files()}
}

func (p Place) scope(ctx context.Context) (store.View, store.Scope, error) {
	s, err := p.View.Scope(ctx, p.Account, p.Job)
	return p.View, s, err
}

// list lists the subjects of a place.
func (p Place) list(ctx context.Context, q store.SubjectQuery) ([]store.Subject, error) {
	v, s, err := p.scope(ctx)
	if err != nil {
		return nil, err
	}
	q.AccountID, q.JobID = s.AccountID, s.JobID
	return v.Subjects(ctx, q)
}

// List lists everybody.
func (p Place) List(ctx context.Context) (all []contract.Subject, err error) {
	subjects, err := p.list(ctx, store.SubjectQuery{})
	for _, s := range subjects {
		all = append(all, contract.NewSubject(s))
	}
	return all, err
}

// An Import takes a list from a file.
type Import struct {
	Accept bool // also if it takes away more than a tenth
	DryRun bool // change nothing, say what would be
	File   string
}

// Run takes the list, and returns sentences that say what it changes.
func (x *Import) Run(ctx context.Context, p Place) ([]string, error) {
	v, s, err := p.scope(ctx)
	if err != nil {
		return nil, err
	}
	content, err := read(x.File)
	if err != nil {
		return nil, err
	}
	l, err := roster.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.File, err)
	}
	var d roster.Diff
	if x.DryRun {
		d, err = v.RosterDiff(ctx, s, l)
	} else {
		err = p.Update(ctx, func(tx *store.Tx) (err error) {
			d, err = tx.TakeRoster(store.RosterFile{Scope: s, File: layout.Shown(filepath.Base(x.File)), Content: content}, l, x.Accept)
			return err
		})
	}
	said := append(sentences(d), d.Summary())
	switch {
	case errors.Is(err, store.ErrTakesAway):
		return sentences(d), failure.Refusalf("%w\nLook whether it is the right list, and whole. Then take it with --accept; nobody is deleted by that", err)
	case err != nil:
		return nil, err
	case x.DryRun && d.TakesAway():
		said = append(said, "It would be taken only with --accept: more than a tenth of the people before are missing from it.")
	case x.DryRun:
		said = append(said, "Nothing was changed: this was --dry-run.")
	}
	return said, nil
}

func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, roster.MostBytes+1))
}

// shown is how many of a kind a diff names.
const shown = 20

// sentences says what a diff changes, a line for each of the first people.
func sentences(d roster.Diff) (all []string) {
	add := func(what string, n int, line func(int) string) {
		for i := range min(n, shown) {
			all = append(all, what+": "+line(i))
		}
		if n > shown {
			all = append(all, fmt.Sprintf("%s: and %d more", what, n-shown))
		}
	}
	add("note", len(d.Notes), func(i int) string { return d.Notes[i] })
	add("added", len(d.Added), func(i int) string { return who(d.Added[i]) })
	add("changed", len(d.Changed), func(i int) string {
		var fields []string
		for _, f := range d.Changed[i].Fields {
			fields = append(fields, fmt.Sprintf("%s %s → %s", f.Field, cmp.Or(f.Was, "–"), cmp.Or(f.Now, "–")))
		}
		return who(d.Changed[i].Was.Person) + ": " + cmp.Or(strings.Join(fields, ", "), "on the list again")
	})
	add("missing from the list", len(d.Missing), func(i int) string { return who(d.Missing[i].Person) })
	return all
}

func who(p roster.Person) string {
	if p.Class != "" {
		return p.Name() + ", " + p.Class
	}
	return p.Name()
}

// Missing lists who has no photo, by class and name, and in an account with portraits
// those of IDs that are on no list.
func (p Place) Missing(ctx context.Context) (all []contract.Missing, err error) {
	subjects, err := p.list(ctx, store.SubjectQuery{Missing: true})
	if err != nil {
		return nil, err
	}
	problems, err := p.View.Problems(ctx, store.ProblemQuery{Account: p.Account.Name, Job: p.Job})
	if err != nil {
		return nil, err
	}
	byStem := map[string]string{}
	for _, x := range problems {
		shown := layout.Shown(x.RawPath)
		byStem[stem(shown)] = shown
	}
	cards, err := p.cards(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range subjects {
		if s.Listed == store.MissingOnList || s.Kind == store.Spare {
			continue
		}
		m := contract.Missing{Subject: contract.NewSubject(s), Why: "no-photo"}
		if path := byStem[s.ExternalID]; path != "" && s.ExternalID != "" {
			m.Why, m.Path = "only-problem", path
		} else if path := cards[codes.Key(s.Code)]; path != "" {
			m.Why, m.Path = "only-card", path
		}
		all = append(all, m)
	}
	if p.Account.Layout == layout.Jobs {
		return all, nil
	}
	return p.notListed(ctx, all)
}

// cards are the paths of the photos of cards of a job, by the codes on them.
func (p Place) cards(ctx context.Context) (map[string]string, error) {
	if p.Job == "" {
		return nil, nil
	}
	job, err := p.View.Job(ctx, p.Account.Name, p.Job)
	if err != nil {
		return nil, err
	}
	all, err := p.View.Cards(ctx, store.CardQuery{Job: job, Why: []store.Why{store.CardKnown, store.CardEmpty}})
	paths := map[string]string{}
	for _, c := range all {
		for _, key := range c.Keys() {
			paths[key] = c.Path
		}
	}
	return paths, err
}

// notListed adds the portraits whose IDs nobody on the list has, and says which are almost
// an ID without a portrait.
func (p Place) notListed(ctx context.Context, all []contract.Missing) ([]contract.Missing, error) {
	subjects, err := p.list(ctx, store.SubjectQuery{})
	if err != nil || len(subjects) == 0 {
		return all, err
	}
	photos, err := p.View.NotListed(ctx, p.Account.ID, 1000)
	if err != nil || len(photos) == 0 {
		return all, err
	}
	listed, portraits := map[string]string{}, map[string]string{}
	for _, s := range subjects {
		if s.ExternalID != "" {
			listed[roster.NearKey(s.ExternalID)] = s.ExternalID
		}
	}
	for _, x := range photos {
		portraits[roster.NearKey(x.Person)] = x.Person
	}
	for i, m := range all {
		if m.ExternalID != "" {
			all[i].Near = portraits[roster.NearKey(m.ExternalID)]
		}
	}
	for _, x := range photos {
		all = append(all, contract.Missing{
			Subject: contract.Subject{Account: p.Account.Name, Kind: store.Person, ExternalID: x.Person, Photos: 1, CreatedAt: x.IngestedAt},
			Why:     "not-listed", Path: x.Path, Near: listed[roster.NearKey(x.Person)],
		})
	}
	return all, nil
}

// stem is a file's name without its ending.
func stem(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// PerClass counts those who are missing by class, in natural order, as a sentence each.
func PerClass(all []contract.Missing) (said []string) {
	counts := map[string]int{}
	for _, m := range all {
		if m.Why != "not-listed" {
			counts[m.Class]++
		}
	}
	classes := make([]string, 0, len(counts))
	for c := range counts {
		classes = append(classes, c)
	}
	slices.SortFunc(classes, func(a, b string) int { return strings.Compare(names.Key(a)+a, names.Key(b)+b) })
	for _, c := range classes {
		said = append(said, fmt.Sprintf("%s: %d without a photo", cmp.Or(c, "no class"), counts[c]))
	}
	return said
}
