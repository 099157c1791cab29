package receipts

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"picday/internal/names"
	"picday/internal/series"
	"picday/store"
)

// most is how many lines a report has at most of one kind. The counts are of all.
const most = 500

// facts are what a receipt says.
type facts struct {
	account            store.Account
	of                 store.ReceiptOf
	at                 time.Time
	waiting, uploading int
	full               bool // the server's disk is full
	problems           []store.Problem
	others             []string // paths whose name had another picture before
	gaps               []series.Gap
	why                map[store.Why]int
	cards, nobodys     []store.CardPhoto
	proposals          []run
	people, missing    int
	missed             []store.Subject
	list               store.Roster // that waits for a person; no ID = none
}

// run is neighbouring photos of a proposal with the same change.
type run struct {
	id           int64
	first, last  string // paths
	was, becomes string
}

// sum counts photos with any of the reasons.
func (f facts) sum(why ...store.Why) (n int) {
	for _, w := range why {
		n += f.why[w]
	}
	return n
}

func (w *Writer) facts(ctx context.Context, a store.Account, r store.ReceiptOf, j *job) (facts, error) {
	f := facts{account: a, of: r}
	v, scope := w.Store.View(a.ID), store.Scope{AccountID: a.ID, JobID: r.JobID}
	var err error
	if f.problems, err = v.Problems(ctx, store.ProblemQuery{Account: a.Name, Job: r.Job, Order: store.NewestProblems, Limit: most}); err != nil {
		return f, err
	}
	if r.JobID != 0 {
		if err := w.jobFacts(ctx, v, r, j, &f); err != nil {
			return f, err
		}
	}
	lists, err := v.Rosters(ctx, scope)
	if err != nil {
		return f, err
	}
	if i := slices.IndexFunc(lists, func(l store.Roster) bool { return l.Waiting }); i >= 0 {
		f.list = lists[i]
	}
	has, err := v.HasPeople(ctx, scope)
	if err != nil || !has {
		return f, err
	}
	classes, err := v.Classes(ctx, a.ID, r.JobID)
	for _, c := range classes {
		f.people, f.missing = f.people+c.Subjects, f.missing+c.Missing
	}
	if err == nil && f.missing > 0 {
		f.missed, err = v.Subjects(ctx, store.SubjectQuery{AccountID: a.ID, JobID: r.JobID, Missing: true, Limit: most})
		f.missed = slices.DeleteFunc(f.missed, func(s store.Subject) bool { return s.Listed != store.OnList })
	}
	return f, err
}

func (w *Writer) jobFacts(ctx context.Context, v store.View, r store.ReceiptOf, j *job, f *facts) (err error) {
	if f.others, err = w.Store.OtherShots(ctx, r.JobID, most); err != nil {
		return err
	}
	if f.gaps, err = w.gaps(ctx, r.JobID, j); err != nil {
		return err
	}
	of := store.Job{ID: r.JobID, Account: f.account.Name, Name: r.Job}
	if f.why, err = v.CardCounts(ctx, of); err != nil || len(f.why) == 0 {
		return err
	}
	if f.sum(store.CardsInDoubt...) > 0 {
		if f.cards, err = v.Cards(ctx, store.CardQuery{Job: of, Why: store.CardsInDoubt, Limit: most}); err != nil {
			return err
		}
	}
	if f.sum(store.Unassigned...) > 0 {
		if f.nobodys, err = v.Cards(ctx, store.CardQuery{Job: of, Why: store.Unassigned, Limit: most}); err != nil {
			return err
		}
	}
	open, err := v.Proposals(ctx, store.ProposalQuery{State: store.ProposalOpen, Job: of, Limit: 50})
	if err != nil {
		return err
	}
	for _, p := range open {
		runs, err := runsOf(ctx, v, p)
		if err != nil {
			return err
		}
		f.proposals = append(f.proposals, runs...)
	}
	return nil
}

// gaps finds what is missing in the numbers of cameras. Only albums that have changed are
// read again.
func (w *Writer) gaps(ctx context.Context, jobID int64, j *job) ([]series.Gap, error) {
	albums, upto, err := w.Store.AlbumsChanged(ctx, jobID, j.upto)
	if err != nil {
		return nil, err
	}
	for _, album := range albums {
		shots, err := w.Store.AlbumShots(ctx, jobID, album)
		if err != nil {
			return nil, err
		}
		j.counters[album] = series.CountersOf(shots)
	}
	j.upto = upto
	var all []series.Counters
	for _, c := range j.counters {
		all = append(all, c)
	}
	return series.Gaps(all...), nil
}

// runsOf shortens a proposal to runs of photos, in their natural order.
func runsOf(ctx context.Context, v store.View, p store.Proposal) (runs []run, err error) {
	named := map[int64]string{}
	who := func(ids []int64) string {
		var all []string
		for _, id := range ids {
			if named[id] == "" {
				s, err := v.Subject(ctx, id)
				if err != nil {
					continue
				}
				named[id] = called(s)
			}
			all = append(all, named[id])
		}
		return strings.Join(all, ", ")
	}
	var all []run
	for _, q := range p.Photos[:min(len(p.Photos), most)] {
		photo, err := v.Photo(ctx, q.PhotoID)
		if errors.Is(err, store.ErrNotFound) { // just now
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, run{p.ID, photo.Path, photo.Path, who(q.Was), who(q.Becomes)})
	}
	slices.SortFunc(all, func(a, b run) int {
		return cmp.Or(strings.Compare(names.Key(a.first), names.Key(b.first)), strings.Compare(a.first, b.first))
	})
	for _, r := range all {
		if n := len(runs); n > 0 && runs[n-1].was == r.was && runs[n-1].becomes == r.becomes {
			runs[n-1].last = r.last
			continue
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// called is what people call a subject.
func called(s store.Subject) string {
	name := cmp.Or(s.Name(), s.ExternalID, s.Code)
	if s.Class != "" {
		name += " (" + s.Class + ")"
	}
	return name
}
