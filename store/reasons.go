package store

import (
	"context"
	"database/sql"
)

// Reasons are all there are.
var Reasons = []Reason{NoAlbum, UnknownFolder, BadName, DuplicateID, NotJPEG, Incomplete, Damaged, TooComplex, TrailingData, Unreadable, TooManyFiles, TooManyFolders, Reverted}

// ProblemCounts counts the problems by their reason. They are counted along.
func (s *Store) ProblemCounts(ctx context.Context) (map[Reason]int, error) {
	type count struct {
		reason Reason
		n      int
	}
	all, err := collect(ctx, s.read, func(r *sql.Rows) (c count, err error) {
		return c, r.Scan(&c.reason, &c.n)
	}, `SELECT reason, sum(files) FROM problem_tally GROUP BY reason HAVING sum(files) > 0`)
	counts := map[Reason]int{}
	for _, c := range all {
		counts[c.reason] = c.n
	}
	return counts, err
}
