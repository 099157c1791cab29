package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// DefaultCropTop is how much of what is cut off the height is cut off above, in per cent,
// where nobody has said anything else.
const DefaultCropTop = 25

// ErrNotOfSubject is returned by ChoosePose for a photo that the subject is not on.
var ErrNotOfSubject = errors.New("the subject is not on this photo")

// A Crop says what is cut off a picture that has another ratio than is asked for, in per
// cent: of the height what is cut off above, of the width what is cut off on the left.
type Crop struct{ Left, Top int }

func (c Crop) check() error {
	if c.Left < 0 || c.Left > 100 || c.Top < 0 || c.Top > 100 {
		return fmt.Errorf("a crop of %d and %d per cent", c.Left, c.Top)
	}
	return nil
}

// ChoosePose makes a photo the one that is exported of a subject; photoID 0 makes it the
// latest one again.
func (tx *Tx) ChoosePose(subjectID, photoID int64, operator string) error {
	if photoID == 0 {
		_, err := tx.exec(`DELETE FROM pose WHERE subject_id = ?`, subjectID)
		return err
	}
	n, err := tx.execCount(`INSERT INTO pose SELECT s.id, p.id, ?3, ?4 FROM subject s JOIN photo p ON p.id = ?2
		WHERE s.id = ?1 AND s.removed_at IS NULL AND (EXISTS (SELECT 1 FROM subject_photo WHERE photo_id = ?2 AND subject_id = ?1)
			OR s.job_id IS NULL AND p.account_id = s.account_id AND p.person = s.external_id)
		ON CONFLICT (subject_id) DO UPDATE SET photo_id = ?2, operator = ?3, at = ?4`, subjectID, photoID, operator, millis(tx.now))
	if err == nil && n == 0 {
		err = ErrNotOfSubject
	}
	return err
}

// Poses are the photos that were chosen for the subjects of a scope, by subject. A subject
// may not be on its photo any more.
func (v View) Poses(ctx context.Context, s Scope) (map[int64]int64, error) {
	if v.account != 0 && s.AccountID != v.account {
		return nil, ErrNotFound
	}
	where, args := "s.account_id = ? AND s.job_id IS NULL", []any{s.AccountID}
	if s.JobID != 0 {
		where, args = "s.job_id = ? AND +s.account_id = ?", []any{s.JobID, s.AccountID}
	}
	all := map[int64]int64{}
	_, err := collect(ctx, v.s.read, func(r *sql.Rows) (struct{}, error) {
		var subject, photo int64
		err := r.Scan(&subject, &photo)
		all[subject] = photo
		return struct{}{}, err
	}, `SELECT x.subject_id, x.photo_id FROM subject s CROSS JOIN pose x ON x.subject_id = s.id WHERE `+where+` AND s.removed_at IS NULL`, args...)
	return all, err
}

// Pose is the photo that was chosen for a subject of the view, 0 if none was.
func (v View) Pose(ctx context.Context, s Subject) (photoID int64, err error) {
	err = v.s.read.QueryRowContext(ctx, `SELECT photo_id FROM pose WHERE subject_id = ?`, s.ID).Scan(&photoID)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return photoID, err
}

// SetCropTop says how much of what is cut off the height of the pictures of a scope is cut
// off above, in per cent.
func (tx *Tx) SetCropTop(s Scope, top int) error {
	if err := (Crop{0, top}).check(); err != nil {
		return err
	}
	where, args := s.where()
	if _, err := tx.exec(`DELETE FROM crop_rule WHERE `+where, args...); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO crop_rule (account_id, job_id, top) VALUES (?, nullif(?, 0), ?)`, s.AccountID, s.JobID, top)
	return err
}

// CropTop is what SetCropTop has said, or DefaultCropTop.
func (v View) CropTop(ctx context.Context, s Scope) (top int, err error) {
	if v.account != 0 && s.AccountID != v.account {
		return 0, ErrNotFound
	}
	where, args := s.where()
	err = v.s.read.QueryRowContext(ctx, `SELECT top FROM crop_rule WHERE `+where, args...).Scan(&top)
	if errors.Is(err, sql.ErrNoRows) {
		return DefaultCropTop, nil
	}
	return top, err
}

// SetCrop says what is cut off one photo, as long as it shows the picture that it shows now.
func (tx *Tx) SetCrop(photoID int64, c Crop, operator string) error {
	if err := c.check(); err != nil {
		return err
	}
	return tx.execOne(`INSERT INTO photo_crop SELECT id, sha256, ?, ?, ?, ? FROM photo WHERE id = ?
		ON CONFLICT (photo_id) DO UPDATE SET sha256 = excluded.sha256, "left" = excluded."left", top = excluded.top, operator = excluded.operator, at = excluded.at`,
		c.Left, c.Top, operator, millis(tx.now), photoID)
}

// DropCrop makes the rule hold for a photo again.
func (tx *Tx) DropCrop(photoID int64) error {
	_, err := tx.exec(`DELETE FROM photo_crop WHERE photo_id = ?`, photoID)
	return err
}

// CropOf is what is cut off a photo of the view, nil if the rule holds for it.
func (v View) CropOf(ctx context.Context, p Photo) (*Crop, error) {
	var c Crop
	err := v.s.read.QueryRowContext(ctx, `SELECT "left", top FROM photo_crop WHERE photo_id = ? AND sha256 = ?`, p.ID, p.SHA[:]).Scan(&c.Left, &c.Top)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &c, err
}
