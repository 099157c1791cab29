package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"picday/internal/layout"
)

// In the jobs layout a file name such as IMG_0001.jpg may come twice: a second camera
// counts from 1 too, and its file overwrites the picture of another child. The earlier
// picture is kept in the history. If the two are certainly different shots, a notice
// is shown until an operator accepts the new picture or puts the earlier one back, or
// until the earlier one appears elsewhere in the job. A school replaces its portraits
// every year, so a replaced portrait causes no notice, but it can be put back.

// ErrNoEarlier is returned by Revert if the photo's history has no such picture.
var ErrNoEarlier = errors.New("no such earlier picture is kept")

// ErrNotShown is returned by Revert for a withdrawn photo.
var ErrNotShown = errors.New("it is withdrawn")

// updateOtherShot updates the column replaced after a photo has changed from the picture
// before.
func (tx *Tx) updateOtherShot(id int64, before SHA, p photoRow, outcome Outcome) error {
	if _, err := tx.exec(`UPDATE photo SET declined = NULL WHERE id = ? AND declined IS NOT NULL`, id); err != nil {
		return err
	}
	if p.place.Person != "" {
		return nil
	}
	another, err := tx.anotherShot(before, p.sha)
	if err != nil || !another {
		return err
	}
	if err := tx.endAssignments(id); err != nil || outcome == StillWithdrawn {
		return err
	}
	_, err = tx.exec(`UPDATE photo SET replaced = ?1 WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM photo x
		WHERE x.sha256 = ?1 AND x.account_id = ?3 AND x.job_id = ?4 AND x.id <> ?2 AND x.withdrawn_at IS NULL)`, before[:], id, p.accountID, p.jobID)
	return err
}

// endAssignments makes a photo nobody's, because it shows another shot now: what cards and
// people have said was said of the shot before.
func (tx *Tx) endAssignments(id int64) error {
	all, err := tx.AssignmentsOf(id)
	for _, a := range all {
		if err == nil && a.Way != ByRoster { // that is what the file's name says
			_, err = tx.Unassign(id, a.SubjectID)
		}
	}
	return err
}

// anotherShot tells whether two pictures were certainly taken at different times or by
// different cameras. It ignores missing EXIF fields, fractions of a second and the
// maker's name, because editors remove or change these.
func (tx *Tx) anotherShot(a, b SHA) (proven bool, err error) {
	err = tx.queryRow(`SELECT coalesce(a.taken_local / 1000 <> b.taken_local / 1000, false)
		OR coalesce(lower(trim(a.model)) <> lower(trim(b.model)), false) OR coalesce(trim(a.serial) <> trim(b.serial), false)
		FROM original a, original b WHERE a.sha256 = ? AND b.sha256 = ?`, a[:], b[:]).Scan(&proven)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return proven, err
}

// endOtherShotsOf clears the column replaced of photos whose earlier picture is now shown
// elsewhere in its job.
func (tx *Tx) endOtherShotsOf(photoID int64, p photoRow) error {
	ids, err := column[int64](tx.ctx, tx.t, `SELECT id FROM photo WHERE replaced = ? AND account_id = ? AND job_id = ? AND id <> ?`, p.sha[:], p.accountID, p.jobID, photoID)
	for _, id := range ids {
		if err == nil {
			err = tx.accept(id)
		}
	}
	return err
}

func (tx *Tx) accept(id int64) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	return tx.execOne(`UPDATE photo SET replaced = NULL, changed_at = ? WHERE id = ?`, stamp, id)
}

// Accept ends the notice that a photo shows another shot than before.
func (tx *Tx) Accept(photoID int64, operator string) error {
	var replaced bool
	err := tx.queryRow(`SELECT replaced IS NOT NULL FROM photo WHERE id = ?`, photoID).Scan(&replaced)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil || !replaced {
		return err
	}
	if err := tx.accept(photoID); err != nil {
		return err
	}
	return tx.photoEvent(photoID, EventAccepted, "", operator)
}

// wasReverted tells whether sha is the picture that Revert has replaced in this photo. A
// file with that picture stays a problem at the photo's path.
func (tx *Tx) wasReverted(photoID int64, sha SHA) (yes bool, err error) {
	err = tx.queryRow(`SELECT coalesce(declined = ?, false) FROM photo WHERE id = ?`, sha[:], photoID).Scan(&yes)
	return yes, err
}

// Revert makes an earlier picture the current one again, under the photo's link: the
// one whose SHA-256 begins with sha (hex); "" = the one that the notice is about, or
// else the last. It returns that picture. The uploaded file stays as a problem, and a
// later look of the daemon at it does not undo the change. Errors: ErrNoEarlier,
// ErrNotShown.
func (tx *Tx) Revert(photoID int64, sha, operator string) (SHA, error) {
	var now, replaced, declined []byte
	var withdrawn bool
	p := photoRow{}
	err := tx.queryRow(`SELECT sha256, coalesce(replaced, x''), coalesce(declined, x''), withdrawn_at IS NOT NULL, account_id, coalesce(job_id, 0), coalesce(person, '')
		FROM photo WHERE id = ?`, photoID).Scan(&now, &replaced, &declined, &withdrawn, &p.accountID, &p.jobID, &p.place.Person)
	if errors.Is(err, sql.ErrNoRows) {
		return SHA{}, ErrNotFound
	}
	if err != nil {
		return SHA{}, err
	}
	if withdrawn {
		return SHA{}, ErrNotShown
	}
	var earlier []byte
	var flags string
	err = tx.queryRow(`SELECT sha256, flags FROM history WHERE photo_id = ?1 AND instr(lower(hex(sha256)), ?2) = 1 AND sha256 <> ?3
		ORDER BY sha256 = ?4 DESC, replaced_at DESC, rowid DESC LIMIT 1`, photoID, strings.ToLower(sha), now, replaced).Scan(&earlier, &flags)
	if errors.Is(err, sql.ErrNoRows) {
		return SHA{}, ErrNoEarlier
	}
	if err != nil {
		return SHA{}, err
	}
	p.sha = asSHA(earlier)
	if by, err := tx.withdrawnByOperator(p); err != nil {
		return SHA{}, err
	} else if by != "" {
		return SHA{}, fmt.Errorf("%w: %s has decided that this picture is not to be shown", ErrNotShown, by)
	}
	if err := tx.addToHistory(photoID); err != nil {
		return SHA{}, err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return SHA{}, err
	}
	if err := tx.execOne(`UPDATE photo SET sha256 = ?, flags = ?, ingested_at = max(?, ingested_at + 1000), replaced = NULL, changed_at = ? WHERE id = ?`,
		earlier, flags, millis(tx.now), stamp, photoID); err != nil {
		return SHA{}, err
	}
	if _, err := tx.exec(`DELETE FROM history WHERE photo_id = ? AND sha256 = ?`, photoID, earlier); err != nil {
		return SHA{}, err
	}
	if declined, err = tx.markReverted(photoID, asSHA(now), asSHA(earlier), declined); err != nil {
		return SHA{}, err
	}
	if err := tx.execOne(`UPDATE photo SET declined = ? WHERE id = ?`, declined, photoID); err != nil {
		return SHA{}, err
	}
	if another, err := tx.anotherShot(asSHA(now), p.sha); err != nil {
		return SHA{}, err
	} else if another {
		if err := tx.endAssignments(photoID); err != nil {
			return SHA{}, err
		}
	}
	return p.sha, tx.photoEvent(photoID, EventReverted, "", operator)
}

// WithoutFile tells whether a photo shows an earlier picture after Revert and has no
// upload row that the absence of a file could end.
func (s *Store) WithoutFile(ctx context.Context, photoID int64) (yes bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM photo WHERE id = ?1 AND declined IS NOT NULL AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?1))`, photoID).Scan(&yes)
	return yes, err
}

// markReverted updates the upload rows of a photo that shows an earlier picture instead of
// now, and returns the declined picture.
func (tx *Tx) markReverted(photoID int64, now, earlier SHA, before []byte) (declined []byte, err error) {
	// A missing file was the picture until now, so its grace is over.
	if _, err := tx.exec(`DELETE FROM upload WHERE photo_id = ? AND gone_at IS NOT NULL`, photoID); err != nil {
		return nil, err
	}
	n, err := tx.execCount(`UPDATE upload SET reason = ?, since = ? WHERE photo_id = ? AND reason IS NULL`, layout.Reverted, millis(tx.now), photoID)
	if err != nil || n > 0 || len(before) == 0 {
		return now[:], err
	}
	if asSHA(before) != earlier {
		return before, nil
	}
	n, err = tx.execCount(`UPDATE upload SET reason = NULL, since = ? WHERE photo_id = ? AND reason = ?`, millis(tx.now), photoID, layout.Reverted)
	if err != nil || n > 0 {
		return nil, err
	}
	return now[:], nil
}

// addToHistory adds the current picture of a photo to its history.
func (tx *Tx) addToHistory(photoID int64) error {
	_, err := tx.exec(`INSERT INTO history (photo_id, sha256, flags, ingested_at, replaced_at)
		SELECT id, sha256, flags, ingested_at, max(?, ingested_at + 1000) FROM photo WHERE id = ?`, millis(tx.now), photoID)
	return err
}

// Replaced lists the published photos with a notice, of one account or (empty name) of
// all of the view, by ID, at most limit with an ID above after.
func (v View) Replaced(ctx context.Context, account string, after int64, limit int) ([]Photo, error) {
	w, err := v.replaced(ctx, account)
	if errors.Is(err, sql.ErrNoRows) { // of an account that is not there
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w.number("p.id > ?", after)
	ids, err := collect(ctx, v.s.read, func(r *sql.Rows) (id int64, err error) { return id, r.Scan(&id) },
		`SELECT p.id FROM photo p INDEXED BY photo_other_shot JOIN account a ON a.id = p.account_id `+w.sql()+` ORDER BY p.id LIMIT ?`, append(w.args, limited(limit))...)
	if err != nil {
		return nil, err
	}
	var all []Photo
	for _, id := range ids {
		p, err := v.Photo(ctx, id)
		if errors.Is(err, ErrNotFound) { // just now
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (v View) replaced(ctx context.Context, account string) (w where, err error) {
	id := v.account
	if account != "" {
		if id, err = v.accountID(ctx, v.s.read, account); err != nil {
			return w, err
		}
	}
	w.add("p.replaced IS NOT NULL AND p.withdrawn_at IS NULL AND a.state <> 'gone'")
	w.number("p.account_id = ?", id)
	return w, nil
}

// ReplacedCounts counts what Replaced lists, for each account.
func (v View) ReplacedCounts(ctx context.Context) ([]ProblemCount, error) {
	w, err := v.replaced(ctx, "")
	if err != nil {
		return nil, err
	}
	return collect(ctx, v.s.read, func(r *sql.Rows) (c ProblemCount, err error) {
		c.Reason = layout.OtherShot
		return c, r.Scan(&c.Account, &c.N)
	}, `SELECT a.name, count(*) FROM photo p INDEXED BY photo_other_shot JOIN account a ON a.id = p.account_id `+w.sql()+` GROUP BY a.name ORDER BY a.name`, w.args...)
}
