package store

import (
	"context"
	"database/sql"
	"time"
)

// An ArrivingUpload counts the files that came into a job, or into an account outside of
// its jobs, since it was last quiet.
type ArrivingUpload struct {
	AccountID int64
	Account   string
	JobID     int64
	Job       string // "" = outside of jobs, as portraits are
	Began     time.Time
	Last      time.Time // when the last file came in
	Added     int       // photos that are new or restored
	Replaced  int
	Problems  int // files that could not become photos, even if they have since
	// Open counts the problems that exist now, also those from before the upload.
	Open int
}

// countArriving counts a file in the transaction that records its outcome.
func (tx *Tx) countArriving(a Account, jobID int64, o Outcome) error {
	var added, replaced, problems int
	switch o {
	case Added, Restored:
		added = 1
	case Replaced:
		replaced = 1
	case Duplicate, AlreadyReverted, "":
		problems = 1
	case Sidecar: // only its JPEG is counted, but the upload goes on
	case Unchanged:
		return tx.countAgain(a, jobID, 0, 1)
	default:
		return nil
	}
	if replaced > 0 {
		if err := tx.countAgain(a, jobID, replaced, 0); err != nil {
			return err
		}
	}
	_, err := tx.exec(`INSERT INTO arriving (account_id, job_id, began_at, last_at, added, replaced, problems) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)
		ON CONFLICT (account_id, job_id) DO UPDATE SET last_at = excluded.last_at,
			added = added + excluded.added, replaced = replaced + excluded.replaced, problems = problems + excluded.problems`,
		a.ID, jobID, millis(tx.now), added, replaced, problems)
	return err
}

// countAgain counts what came for a place that had a photo, for receipts.
func (tx *Tx) countAgain(a Account, jobID int64, replaced, unchanged int) (err error) {
	if jobID != 0 {
		_, err = tx.exec(`UPDATE job SET replaced = replaced + ?, unchanged = unchanged + ? WHERE id = ?`, replaced, unchanged, jobID)
	} else {
		_, err = tx.exec(`UPDATE tally SET replaced = replaced + ?, unchanged = unchanged + ?, changes = changes + 1 WHERE account_id = ?`, replaced, unchanged, a.ID)
	}
	return err
}

// Arriving lists the uploads that EndArriving has not ended: at most one for each job,
// and one for each account outside of its jobs.
func (s *Store) Arriving(ctx context.Context) ([]ArrivingUpload, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (u ArrivingUpload, err error) {
		var began, last int64
		err = r.Scan(&u.AccountID, &u.Account, &u.JobID, &u.Job, &began, &last, &u.Added, &u.Replaced, &u.Problems, &u.Open)
		u.Began, u.Last = fromMillis(began), fromMillis(last)
		if u.Job != "" && !validJobName(u.Job) {
			u.Job = brief(u.Job)
		}
		return u, err
	}, `SELECT v.account_id, a.name, v.job_id, coalesce(j.name, ''), v.began_at, v.last_at, v.added, v.replaced, v.problems,
			coalesce(j.problems, t.problems - (SELECT coalesce(sum(problems), 0) FROM job WHERE account_id = v.account_id))
		FROM arriving v JOIN account a ON a.id = v.account_id JOIN tally t ON t.account_id = a.id LEFT JOIN job j ON j.id = v.job_id
		WHERE a.state <> 'gone' ORDER BY v.last_at`)
}

// EndArriving ends an upload that is quiet. It returns ErrNotFound if another file came
// in after u was read.
func (tx *Tx) EndArriving(u ArrivingUpload) error {
	return tx.execOne(`DELETE FROM arriving WHERE account_id = ? AND job_id = ? AND last_at = ? AND added = ? AND replaced = ? AND problems = ?`,
		u.AccountID, u.JobID, millis(u.Last), u.Added, u.Replaced, u.Problems)
}
