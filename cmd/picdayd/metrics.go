package main

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"picday/ingest"
	"picday/internal/layout"
	"picday/internal/web"
)

func (s *service) taken(t ingest.Taken) {
	s.metrics.Taken(t.Layout, t.Outcome, t.Took)
	s.notifier.TakenIn(t.Account)
}

// numbers reads what a scrape wants to know.
func (s *service) numbers(ctx context.Context) (n web.Numbers, err error) {
	n.Status = s.Status(ctx)
	n.Free = map[string]uint64{}
	for volume, dir := range map[string]string{"upload": s.cfg.UploadDir, "data": s.cfg.DataDir} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil {
			n.Free[volume] = fs.Bavail * uint64(fs.Bsize)
		}
	}
	var countErr error
	n.Counts, countErr = s.store.All().Counts(ctx)
	counts, err := s.store.All().ProblemCounts(ctx)
	n.Problems = map[layout.Reason]int{}
	for _, c := range counts {
		n.Problems[c.Reason] += c.N
	}
	var peopleErr, outboxErr error
	n.People, peopleErr = s.store.CountUndecided(ctx)
	n.Outbox, outboxErr = s.outbox(ctx)
	return n, errors.Join(countErr, err, peopleErr, outboxErr)
}
