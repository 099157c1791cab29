package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"picday/internal/bytesize"
	"picday/internal/failure"
	"picday/internal/localtime"
)

// A Report says what a run has made.
type Report struct {
	Manifest
	PrunedFiles int   `json:"pruned_files"`
	PrunedBytes int64 `json:"pruned_bytes"`
	// What is on the upload volume and not in the backup. Run leaves Waiting to its
	// caller: only the daemon knows.
	Waiting  int `json:"waiting"`
	Problems int `json:"problems"`
}

// Text writes the report for people.
func (r Report) Text(w io.Writer, dir string) {
	fmt.Fprintf(w, "%d photos as of %s, %d originals (%s) are in %s\n", r.Photos, localtime.Format(r.MadeAt), r.Originals, bytesize.Format(r.Bytes), dir)
	fmt.Fprintf(w, "copied now: %d files, %s\n", r.CopiedFiles, bytesize.Format(r.CopiedBytes))
	if r.PrunedFiles > 0 {
		fmt.Fprintf(w, "no longer needed and deleted: %d files, %s\n", r.PrunedFiles, bytesize.Format(r.PrunedBytes))
	}
	if r.Waiting+r.Problems > 0 {
		fmt.Fprintf(w, "not in it, only on the upload volume: %d uploads under way, %d files that are no photos (picday problems)\n", r.Waiting, r.Problems)
	}
}

// Incomplete is an error if files could not be backed up.
func (r Report) Incomplete(dataDir string) error {
	if len(r.Lost) == 0 {
		return nil
	}
	return fmt.Errorf("the backup is complete but for %d files that are missing or damaged in %s, and not in the backup from before: see 'picday verify'", len(r.Lost), dataDir)
}

// Run makes the backup; with prune it then deletes what the backup no longer needs.
// version is picday's. Its errors say what to do.
func (b *Backup) Run(ctx context.Context, version string, prune bool) (r Report, err error) {
	if err := b.Begin(); err != nil {
		return r, b.advise(err)
	}
	defer b.End()
	if r.Manifest, err = b.Take(ctx, version); err != nil {
		return r, b.advise(err)
	}
	if prune {
		if r.PrunedFiles, r.PrunedBytes, err = b.Prune(ctx, r.Manifest); err != nil {
			return r, fmt.Errorf("the backup is complete, but what it no longer needs could not be deleted: %w", err)
		}
	}
	counts, err := b.Store.All().Counts(ctx)
	r.Problems = counts.Problems
	return r, err
}

// advise says what to do about an error that there is no new backup for.
func (b *Backup) advise(err error) error {
	switch {
	case errors.Is(err, ErrNotBackup):
		return failure.Refusal(err)
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted. The backup before, if there is one, is untouched, and what was copied is kept: run it again")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w\n%s is full. The backup before, if there is one, is untouched, and what was copied is kept: make room (--prune may help) and run it again", err, b.Dir)
	}
	return err
}
