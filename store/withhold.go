package store

import (
	"database/sql"
	"errors"
)

// ErrNoFile is returned by RestoreBy for a photo whose file is not there any
// more: the file must be put back first, which takes root.
var ErrNoFile = errors.New("its file was deleted")

// WithdrawBy unpublishes a photo because an operator says so. The file stays
// where the uploader has it, and this very picture stays withdrawn whatever
// he does with it; another picture in its place is published as ever.
func (tx *Tx) WithdrawBy(photoID int64, operator string) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	n, err := tx.count(`UPDATE photo SET withdrawn_at = coalesce(withdrawn_at, ?), withdrawn_by = ?, changed_at = ? WHERE id = ? AND withdrawn_by IS NULL`,
		millis(tx.now), operator, stamp, photoID)
	if err != nil {
		return err
	}
	if n == 0 {
		// Withdrawn by an operator already is as good; no such photo is not.
		return tx.exists(photoID)
	}
	return tx.photoEvent(photoID, EventWithdrawn, "", operator)
}

// RestoreBy publishes again what an operator had withdrawn.
func (tx *Tx) RestoreBy(photoID int64, operator string) error {
	if err := tx.exists(photoID); err != nil {
		return err
	}
	var withdrawn, file bool
	err := tx.QueryRow(`SELECT withdrawn_at IS NOT NULL, EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id) FROM photo WHERE id = ?`, photoID).
		Scan(&withdrawn, &file)
	switch {
	case err != nil || !withdrawn:
		return err
	case !file:
		return ErrNoFile
	}
	return tx.putBack(photoID, operator)
}

func (tx *Tx) putBack(photoID int64, operator string) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	if err := tx.change(`UPDATE photo SET withdrawn_at = NULL, withdrawn_by = NULL, changed_at = ? WHERE id = ?`, stamp, photoID); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE history SET withdrawn_by = NULL WHERE photo_id = ?1 AND sha256 = (SELECT sha256 FROM photo WHERE id = ?1)`, photoID); err != nil {
		return err
	}
	return tx.photoEvent(photoID, EventRestored, "", operator)
}

func (tx *Tx) exists(photoID int64) error {
	err := tx.QueryRow(`SELECT id FROM photo WHERE id = ?`, photoID).Scan(&photoID)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
