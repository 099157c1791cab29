package store

import (
	"context"
	"database/sql"
	"time"
)

// A Way says by what it is known who is on a photo.
type Way string

// The ways.
const (
	ByCard     Way = "card"     // the photo of a card, in the same lane
	ByOperator Way = "operator" // a person said so
	ByRoster   Way = "roster"   // the name of the file is an ID of the list
)

// An Assignment says that a subject is on a photo.
type Assignment struct {
	PhotoID, SubjectID int64
	Way                Way
	CardID             int64  // ByCard: the photo of the card; 0 = ended by now
	Operator           string // ByOperator: who; "" = on the command line
	At                 time.Time
}

// Assign records that a subject is on a photo, and changes both, unless it is recorded
// already: then the way is replaced if it differs, and changed is false. It fails if the
// photo is of another account or job than the subject.
func (tx *Tx) Assign(a Assignment) (changed bool, err error) {
	n, err := tx.execCount(`INSERT INTO subject_photo SELECT ?1, ?2, ?3, nullif(?4, 0), ?5, ?6
		WHERE NOT EXISTS (SELECT 1 FROM subject_photo WHERE photo_id = ?1 AND subject_id = ?2)`,
		a.PhotoID, a.SubjectID, a.Way, a.CardID, a.Operator, millis(tx.now))
	if err != nil {
		return false, err
	}
	if n == 0 {
		_, err = tx.exec(`UPDATE subject_photo SET way = ?3, card_id = nullif(?4, 0), operator = ?5 WHERE photo_id = ?1 AND subject_id = ?2`,
			a.PhotoID, a.SubjectID, a.Way, a.CardID, a.Operator)
		return false, err
	}
	return true, tx.assignmentChanged(a.PhotoID, a.SubjectID)
}

// Unassign records that a subject is not on a photo, and changes both; changed is false if
// it was not.
func (tx *Tx) Unassign(photoID, subjectID int64) (changed bool, err error) {
	n, err := tx.execCount(`DELETE FROM subject_photo WHERE photo_id = ? AND subject_id = ?`, photoID, subjectID)
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.assignmentChanged(photoID, subjectID)
}

func (tx *Tx) assignmentChanged(photoID, subjectID int64) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	if err := tx.execOne(`UPDATE photo SET changed_at = ? WHERE id = ?`, stamp, photoID); err != nil {
		return err
	}
	return tx.execOne(`UPDATE subject SET changed_at = ? WHERE id = ?`, stamp, subjectID)
}

// AssignmentsOf lists who is on a photo of a job.
func (tx *Tx) AssignmentsOf(photoID int64) ([]Assignment, error) {
	return assignmentsOf(tx.ctx, tx.t, photoID)
}

// AssignmentsOf lists who is on a photo of a job, which must come from this view.
func (v View) AssignmentsOf(ctx context.Context, p Photo) ([]Assignment, error) {
	return assignmentsOf(ctx, v.s.read, p.ID)
}

func assignmentsOf(ctx context.Context, q querier, photoID int64) ([]Assignment, error) {
	return collect(ctx, q, func(r *sql.Rows) (a Assignment, err error) {
		var at int64
		err = r.Scan(&a.PhotoID, &a.SubjectID, &a.Way, &a.CardID, &a.Operator, &at)
		a.At, a.Operator = fromMillis(at), login(a.Operator)
		return a, err
	}, `SELECT photo_id, subject_id, way, coalesce(card_id, 0), operator, at FROM subject_photo WHERE photo_id = ? ORDER BY subject_id`, photoID)
}

// SubjectsOf lists the subjects who are on a photo: those that it is assigned to, or for a
// portrait the one with the person's ID.
func (v View) SubjectsOf(ctx context.Context, p Photo) ([]Subject, error) {
	var w where
	v.only(&w, "+s.account_id")
	if p.person != "" {
		w.add("s.account_id = ? AND s.external_id = ? AND s.job_id IS NULL", p.AccountID, p.person)
	} else {
		w.add("s.id IN (SELECT subject_id FROM subject_photo WHERE photo_id = ?)", p.ID)
	}
	return collect(ctx, v.s.read, scanSubject, subjectColumns+w.sql(), w.args...)
}

// PhotosOf lists at most limit photos that a subject is on, the earliest row first,
// withdrawn ones too.
func (v View) PhotosOf(ctx context.Context, s Subject, limit int) ([]Photo, error) {
	all, err := v.photosByID(ctx, `SELECT photo_id FROM subject_photo WHERE subject_id = ? ORDER BY photo_id LIMIT ?`, s.ID, limit)
	if err != nil || s.JobID != 0 || s.ExternalID == "" {
		return all, err
	}
	portraits, err := v.photosByID(ctx, `SELECT id FROM photo WHERE account_id = ? AND person = ?`, s.AccountID, s.ExternalID)
	return append(portraits, all...), err
}
