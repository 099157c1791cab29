package store

import (
	"database/sql"
	"errors"
)

// ForgetFile deletes the upload row of a path, because another file is there or none, and
// withdraws the photo that was made from it unless another file shows it. It tells whether it
// did. When the file is taken, or one like it turns up, the photo is restored with its link.
func (tx *Tx) ForgetFile(a Account, path string) (withdrawn bool, err error) {
	dir, name := splitPath(path)
	var id int64
	var photo sql.NullInt64
	err = tx.queryRow(`SELECT id, photo_id FROM upload WHERE account_id = ? AND dir = ? AND name = ? AND gone_at IS NULL`, a.ID, dir, name).Scan(&id, &photo)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := tx.execOne(`DELETE FROM upload WHERE id = ?`, id); err != nil || !photo.Valid {
		return false, err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return false, err
	}
	n, err := tx.execCount(`UPDATE photo SET withdrawn_at = ?, changed_at = ? WHERE id = ? AND withdrawn_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id AND gone_at IS NULL)`, millis(tx.now), stamp, photo.Int64)
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.photoEvent(photo.Int64, EventWithdrawn, "", "")
}
