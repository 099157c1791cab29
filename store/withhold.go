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
	if err := tx.withhold(photoID, operator); err != nil {
		return err
	}
	return tx.photoEvent(photoID, EventWithdrawn, "", operator)
}

// withhold enters the decision about the picture that a photo is now.
func (tx *Tx) withhold(photoID int64, operator string) error {
	_, err := tx.Exec(`INSERT INTO withheld SELECT account_id, coalesce(job_id, 0), coalesce(person, ''), sha256, ? FROM photo WHERE id = ?
		ON CONFLICT DO NOTHING`, operator, photoID)
	return err
}

// withheld tells who has decided that a picture is not to be shown where it
// has arrived; "" = nobody.
func (tx *Tx) withheld(p photoRow) (operator string, err error) {
	err = tx.QueryRow(`SELECT operator FROM withheld WHERE account_id = ? AND job_id = ? AND person = ? AND sha256 = ?`,
		p.accountID, p.jobID, p.place.Person, p.sha[:]).Scan(&operator)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return operator, err
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
	if _, err := tx.Exec(`DELETE FROM withheld WHERE (account_id, job_id, person, sha256) =
		(SELECT account_id, coalesce(job_id, 0), coalesce(person, ''), sha256 FROM photo WHERE id = ?)`, photoID); err != nil {
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
