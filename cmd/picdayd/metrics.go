package main

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"picday/ingest"
	"picday/web"
)

func (s *service) taken(t ingest.Taken) { s.metrics.Taken(t.Layout, t.Outcome, t.Took) }

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
	n.Counts, countErr = s.store.Counts(ctx)
	n.Problems, err = s.store.ProblemCounts(ctx)
	return n, errors.Join(countErr, err)
}
