package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"picday/internal/codes"
)

// ErrCodeTaken is returned for a code that another subject of the account has, or has had.
var ErrCodeTaken = errors.New("this code was given out to somebody else: no code is given out twice")

// ErrIDTaken is returned for an ID that another subject of the job or account has.
var ErrIDTaken = errors.New("somebody else has this ID")

// ErrCodeRefused is returned by SubjectForCode in a job that makes no subjects of unknown
// codes, and for the code of a subject that was removed.
var ErrCodeRefused = errors.New("nobody has this code")

// AddSubject adds a subject and returns it with its ID. Without a code it gets one that
// nobody can guess. The job must be of the account.
func (tx *Tx) AddSubject(s Subject) (Subject, error) {
	if s.Code == "" {
		s.Code = codes.New()
	}
	if err := s.check(); err != nil {
		return s, err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return s, err
	}
	s.sort, s.ChangedAt, s.CreatedAt = s.sortKey(), stamp, tx.now.UTC()
	if err := tx.idFree(s); err != nil {
		return s, err
	}
	n, err := tx.execCount(`INSERT INTO subject (account_id, job_id, kind, code, external_id, first, last, class, grade, more, sort, listed, created_at, changed_at)
		SELECT id, nullif(?2, 0), ?3, ?4, nullif(?5, ''), ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 FROM account a WHERE id = ?1 AND state <> 'gone'
		AND (?2 = 0 OR EXISTS (SELECT 1 FROM job WHERE id = ?2 AND account_id = ?1))`,
		s.AccountID, s.JobID, s.Kind, s.Code, s.ExternalID, s.First, s.Last, s.Class, s.Grade, s.more(), s.sort, s.Listed, millis(tx.now), stamp)
	if err != nil {
		return s, err
	}
	if n == 0 {
		return s, fmt.Errorf("the account or job of a subject: %w", ErrNotFound)
	}
	if err := tx.queryRow(`SELECT last_insert_rowid()`).Scan(&s.ID); err != nil {
		return s, err
	}
	return s, tx.giveCode(s)
}

// UpdateSubject changes what a subject is called, its class, grade, ID, code, kind, further
// columns and place on the roster to those of s. Earlier codes keep meaning it.
func (tx *Tx) UpdateSubject(s Subject) error {
	if err := s.check(); err != nil {
		return err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	if err := tx.idFree(s); err != nil {
		return err
	}
	if err := tx.giveCode(s); err != nil {
		return err
	}
	return tx.execOne(`UPDATE subject SET kind = ?, code = ?, external_id = nullif(?, ''), first = ?, last = ?, class = ?, grade = ?, more = ?, sort = ?, listed = ?, changed_at = ?
		WHERE id = ? AND removed_at IS NULL`, s.Kind, s.Code, s.ExternalID, s.First, s.Last, s.Class, s.Grade, s.more(), s.sortKey(), s.Listed, stamp, s.ID)
}

func (s Subject) check() error {
	if err := codes.Check(s.Code); err != nil {
		return fmt.Errorf("%q: %w", s.Code, err)
	}
	switch s.Kind {
	case Person, Group, Spare:
		return nil
	}
	return fmt.Errorf("a subject of the kind %q", s.Kind)
}

func (s Subject) more() string {
	if len(s.More) == 0 {
		return "{}"
	}
	b, _ := json.Marshal(s.More) // cannot fail for texts
	return string(b)
}

// idFree returns ErrIDTaken if another subject of the job or account has the ID of s.
func (tx *Tx) idFree(s Subject) error {
	if s.ExternalID == "" {
		return nil
	}
	other, err := tx.SubjectByID(s.AccountID, s.JobID, s.ExternalID)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && other.ID == s.ID:
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("the ID %q: %w", s.ExternalID, ErrIDTaken)
}

// giveCode makes a code mean a subject, for ever.
func (tx *Tx) giveCode(s Subject) error {
	if _, err := tx.exec(`INSERT INTO subject_code VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, s.AccountID, codes.Key(s.Code), s.ID); err != nil {
		return err
	}
	var id int64
	if err := tx.queryRow(`SELECT subject_id FROM subject_code WHERE account_id = ? AND code = ?`, s.AccountID, codes.Key(s.Code)).Scan(&id); err != nil {
		return err
	}
	if id != s.ID {
		return fmt.Errorf("the code %q: %w", s.Code, ErrCodeTaken)
	}
	return nil
}

// SubjectForCode finds the subject of an account that has a code, or has had it. If nobody
// has, it adds an unnamed person of the job with that code, unless the job refuses it: then
// it fails with ErrCodeRefused, as it does for the code of a subject that was removed. It
// may return a subject of another job.
func (tx *Tx) SubjectForCode(accountID, jobID int64, code string) (s Subject, added bool, err error) {
	s, err = tx.SubjectByCode(accountID, code)
	switch {
	case err == nil && !s.RemovedAt.IsZero():
		return s, false, fmt.Errorf("the code %q: %w any more", code, ErrCodeRefused)
	case err == nil || !errors.Is(err, ErrNotFound):
		return s, false, err
	}
	var refused bool
	if err := tx.queryRow(`SELECT coalesce((SELECT refuse_unknown FROM job WHERE id = ?), 0)`, jobID).Scan(&refused); err != nil {
		return s, false, err
	}
	if refused {
		return s, false, fmt.Errorf("the code %q: %w", code, ErrCodeRefused)
	}
	s, err = tx.AddSubject(Subject{AccountID: accountID, JobID: jobID, Kind: Person, Code: strings.TrimSpace(code)})
	return s, err == nil, err
}

// RefuseUnknownCodes makes a job make no subjects of codes that nobody has, or make them
// again.
func (tx *Tx) RefuseUnknownCodes(jobID int64, refuse bool) error {
	return tx.execOne(`UPDATE job SET refuse_unknown = ? WHERE id = ?`, refuse, jobID)
}

// RemoveSubject forgets a subject: its names, ID and further columns, and that it is on
// photos. Its codes are kept, because no code is given out again.
func (tx *Tx) RemoveSubject(id int64) error {
	photos, err := column[int64](tx.ctx, tx.t, `SELECT photo_id FROM subject_photo WHERE subject_id = ?`, id)
	if err != nil {
		return err
	}
	for _, p := range photos {
		if _, err := tx.Unassign(p, id); err != nil {
			return err
		}
	}
	if err := tx.ChoosePose(id, 0, ""); err != nil {
		return err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	return tx.execOne(`UPDATE subject SET external_id = NULL, first = '', last = '', class = '', grade = '', more = '{}', sort = '', listed = '', changed_at = ?, removed_at = ?
		WHERE id = ? AND removed_at IS NULL`, stamp, millis(tx.now), id)
}
