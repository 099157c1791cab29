package store

import (
	"context"
	"database/sql"
	"errors"
)

// ErrNoFile is returned by RestoreBy for a photo whose file is missing. Only root can put
// the file back.
var ErrNoFile = errors.New("its file was deleted")

// WithdrawBy unpublishes a photo on behalf of an operator. The uploaded file stays. The
// same picture is not published again when the file changes; another picture at
// its path is.
func (tx *Tx) WithdrawBy(photoID int64, operator string) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	n, err := tx.execCount(`UPDATE photo SET withdrawn_at = coalesce(withdrawn_at, ?), withdrawn_by = ?, changed_at = ? WHERE id = ? AND withdrawn_by IS NULL`,
		millis(tx.now), operator, stamp, photoID)
	if err != nil {
		return err
	}
	if n == 0 {
		// Succeed if an operator has withdrawn it already, fail if there is no such photo.
		return tx.exists(photoID)
	}
	if err := tx.noteWithdrawnByOperator(photoID, operator); err != nil {
		return err
	}
	return tx.photoEvent(photoID, EventWithdrawn, "", operator)
}

// noteWithdrawnByOperator records that an operator has withdrawn the current picture of a photo.
func (tx *Tx) noteWithdrawnByOperator(photoID int64, operator string) error {
	_, err := tx.exec(`INSERT INTO withheld SELECT account_id, coalesce(job_id, 0), coalesce(person, ''), sha256, ? FROM photo WHERE id = ?
		ON CONFLICT DO NOTHING`, operator, photoID)
	return err
}

// withdrawnByOperator returns the operator who has withdrawn this picture at this place; "" = none.
func (tx *Tx) withdrawnByOperator(p photoRow) (operator string, err error) {
	err = tx.queryRow(`SELECT operator FROM withheld WHERE account_id = ? AND job_id = ? AND person = ? AND sha256 = ?`,
		p.accountID, p.jobID, p.place.Person, p.sha[:]).Scan(&operator)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return operator, err
}

// RestoreBy publishes a photo again that an operator had withdrawn. It fails with
// ErrNoFile.
func (tx *Tx) RestoreBy(photoID int64, operator string) error {
	if err := tx.exists(photoID); err != nil {
		return err
	}
	var withdrawn, file bool
	err := tx.queryRow(`SELECT withdrawn_at IS NOT NULL, EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id) FROM photo WHERE id = ?`, photoID).
		Scan(&withdrawn, &file)
	switch {
	case err != nil || !withdrawn:
		return err
	case !file:
		return ErrNoFile
	}
	return tx.publishAgain(photoID, operator)
}

// publishAgain publishes a withdrawn photo, and deletes the record that an operator has
// withdrawn its picture.
func (tx *Tx) publishAgain(photoID int64, operator string) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	if err := tx.execOne(`UPDATE photo SET withdrawn_at = NULL, withdrawn_by = NULL, changed_at = ? WHERE id = ?`, stamp, photoID); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM withheld WHERE (account_id, job_id, person, sha256) =
		(SELECT account_id, coalesce(job_id, 0), coalesce(person, ''), sha256 FROM photo WHERE id = ?)`, photoID); err != nil {
		return err
	}
	return tx.photoEvent(photoID, EventRestored, "", operator)
}

// exists returns ErrNotFound if there is no such photo.
func (tx *Tx) exists(photoID int64) error {
	err := tx.queryRow(`SELECT id FROM photo WHERE id = ?`, photoID).Scan(&photoID)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// HasFile tells whether a photo has its file on the upload volume, as far as is known. A
// withdrawn photo that has it does not expire.
func (v View) HasFile(ctx context.Context, p Photo) (yes bool, err error) {
	err = v.s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?)`, p.ID).Scan(&yes)
	return yes, err
}
