package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// In the jobs layout a name such as IMG_0001.jpg is not one picture's for ever: a
// second camera counts from 1 too, and its file takes the place of another child's.
// The earlier picture is kept in the history. Where the two are another shot beyond
// doubt, people are told, until one of them accepts the new picture, puts the earlier
// one back, or it turns up somewhere else in the job. A school's portrait is replaced
// every year: nobody is told, but it can be put back.

// ErrNoEarlier is returned by Revert for a photo that was no such picture before.
var ErrNoEarlier = errors.New("no such earlier picture is kept")

// ErrNotShown is returned by Revert where nothing would be shown.
var ErrNotShown = errors.New("it is withdrawn")

// notice sets down what follows from a photo's change to another picture.
func (tx *Tx) notice(id int64, before SHA, p photoRow, outcome Outcome) error {
	if _, err := tx.Exec(`UPDATE photo SET declined = NULL WHERE id = ? AND declined IS NOT NULL`, id); err != nil {
		return err
	}
	if p.place.Person != "" || outcome == Withheld {
		return nil
	}
	another, err := tx.anotherShot(before, p.sha)
	if err != nil || !another {
		return err
	}
	_, err = tx.Exec(`UPDATE photo SET replaced = ?1 WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM photo x
		WHERE x.sha256 = ?1 AND x.account_id = ?3 AND x.job_id = ?4 AND x.id <> ?2 AND x.withdrawn_at IS NULL)`, before[:], id, p.accountID, p.jobID)
	return err
}

// anotherShot tells whether two pictures were not taken at once by one camera. What
// an editor has taken out proves nothing, and neither do parts of a second, nor the
// maker's name, which some editors change.
func (tx *Tx) anotherShot(a, b SHA) (proven bool, err error) {
	err = tx.QueryRow(`SELECT coalesce(a.taken_local / 1000 <> b.taken_local / 1000, false)
		OR coalesce(lower(trim(a.model)) <> lower(trim(b.model)), false) OR coalesce(trim(a.serial) <> trim(b.serial), false)
		FROM original a, original b WHERE a.sha256 = ? AND b.sha256 = ?`, a[:], b[:]).Scan(&proven)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return proven, err
}

// turnedUp ends the notices about a picture that is shown elsewhere in its job now.
func (tx *Tx) turnedUp(photoID int64, p photoRow) error {
	ids, err := column[int64](tx, `SELECT id FROM photo WHERE replaced = ? AND account_id = ? AND job_id = ? AND id <> ?`, p.sha[:], p.accountID, p.jobID, photoID)
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
	return tx.change(`UPDATE photo SET replaced = NULL, changed_at = ? WHERE id = ?`, stamp, id)
}

// Accept ends the notice that a photo is another shot than before.
func (tx *Tx) Accept(photoID int64, operator string) error {
	var replaced bool
	err := tx.QueryRow(`SELECT replaced IS NOT NULL FROM photo WHERE id = ?`, photoID).Scan(&replaced)
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

// declines tells whether an arrival is the picture that somebody has taken back from
// this photo: its file stays a problem, whatever is done with it in its place.
func (tx *Tx) declines(photoID int64, sha SHA) (yes bool, err error) {
	err = tx.QueryRow(`SELECT coalesce(declined = ?, false) FROM photo WHERE id = ?`, sha[:], photoID).Scan(&yes)
	return yes, err
}

// Revert makes an earlier picture the current one again, under the photo's link: the
// one whose SHA-256 begins with sha; "" = the one people were told of, or else the
// last. The file stays where the uploader has it, as a problem. It is one transaction,
// and what the daemon finds out about the file later does not undo it.
func (tx *Tx) Revert(photoID int64, sha, operator string) (SHA, error) {
	var now, replaced, declined []byte
	var withdrawn bool
	p := photoRow{}
	err := tx.QueryRow(`SELECT sha256, coalesce(replaced, x''), coalesce(declined, x''), withdrawn_at IS NOT NULL, account_id, coalesce(job_id, 0), coalesce(person, '')
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
	err = tx.QueryRow(`SELECT sha256, flags FROM history WHERE photo_id = ?1 AND instr(lower(hex(sha256)), ?2) = 1 AND sha256 <> ?3
		ORDER BY sha256 = ?4 DESC, replaced_at DESC, rowid DESC LIMIT 1`, photoID, strings.ToLower(sha), now, replaced).Scan(&earlier, &flags)
	if errors.Is(err, sql.ErrNoRows) {
		return SHA{}, ErrNoEarlier
	}
	if err != nil {
		return SHA{}, err
	}
	p.sha = asSHA(earlier)
	if by, err := tx.withheld(p); err != nil {
		return SHA{}, err
	} else if by != "" {
		return SHA{}, fmt.Errorf("%w: %s has decided that this picture is not to be shown", ErrNotShown, by)
	}
	if err := tx.toHistory(photoID); err != nil {
		return SHA{}, err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return SHA{}, err
	}
	if err := tx.change(`UPDATE photo SET sha256 = ?, flags = ?, ingested_at = max(?, ingested_at + 1000), replaced = NULL, changed_at = ? WHERE id = ?`,
		earlier, flags, millis(tx.now), stamp, photoID); err != nil {
		return SHA{}, err
	}
	if _, err := tx.Exec(`DELETE FROM history WHERE photo_id = ? AND sha256 = ?`, photoID, earlier); err != nil {
		return SHA{}, err
	}
	if declined, err = tx.decline(photoID, asSHA(now), asSHA(earlier), declined); err != nil {
		return SHA{}, err
	}
	if err := tx.change(`UPDATE photo SET declined = ? WHERE id = ?`, declined, photoID); err != nil {
		return SHA{}, err
	}
	return p.sha, tx.photoEvent(photoID, EventReverted, "", operator)
}

// WithoutFile tells whether a photo shows an earlier picture that somebody has put
// back, and has no file that could be missed.
func (s *Store) WithoutFile(ctx context.Context, photoID int64) (yes bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM photo WHERE id = ?1 AND declined IS NOT NULL AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?1))`, photoID).Scan(&yes)
	return yes, err
}

// decline makes the upload rows of a photo say what its file is, once the photo shows
// an earlier picture instead of now, and returns the picture that is declined.
func (tx *Tx) decline(photoID int64, now, earlier SHA, before []byte) (declined []byte, err error) {
	// The file that is missing was the picture until now: nothing waits for it.
	if _, err := tx.Exec(`DELETE FROM upload WHERE photo_id = ? AND gone_at IS NOT NULL`, photoID); err != nil {
		return nil, err
	}
	n, err := tx.count(`UPDATE upload SET reason = ?, since = ? WHERE photo_id = ? AND reason IS NULL`, Reverted, millis(tx.now), photoID)
	if err != nil || n > 0 || len(before) == 0 {
		return now[:], err
	}
	if asSHA(before) != earlier {
		return before, nil
	}
	n, err = tx.count(`UPDATE upload SET reason = NULL, since = ? WHERE photo_id = ? AND reason = ?`, millis(tx.now), photoID, Reverted)
	if err != nil || n > 0 {
		return nil, err
	}
	return now[:], nil
}

// toHistory keeps the picture that a photo is until now.
func (tx *Tx) toHistory(photoID int64) error {
	_, err := tx.Exec(`INSERT INTO history (photo_id, sha256, flags, ingested_at, replaced_at)
		SELECT id, sha256, flags, ingested_at, max(?, ingested_at + 1000) FROM photo WHERE id = ?`, millis(tx.now), photoID)
	return err
}

// Replaced lists the published photos of one account, or (empty name) of all of the
// view, that people are to be told of, from the first one behind the id after. It
// reads those and no others.
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
		if id, err = v.accountID(ctx, account); err != nil {
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
		c.Reason = OtherShot
		return c, r.Scan(&c.Account, &c.N)
	}, `SELECT a.name, count(*) FROM photo p INDEXED BY photo_other_shot JOIN account a ON a.id = p.account_id `+w.sql()+` GROUP BY a.name ORDER BY a.name`, w.args...)
}
