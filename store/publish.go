package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
)

// A Place is a path and what it means according to the account's layout.
type Place struct {
	Path   string // raw bytes, from the root of the SFTP view
	Shown  string // Path in printable form
	Job    string // "" in the portraits layout
	Album  string
	Area   string
	Person string // "" in the jobs layout
}

// An Arrival is a settled file whose original and renditions are on disk.
type Arrival struct {
	Account  Account
	Place    Place
	Identity upload.Identity
	Original Original
	Flags    string
}

// An Outcome says what an arrival turned out to be.
type Outcome string

// The outcomes.
const (
	Added           Outcome = "added"
	Replaced        Outcome = "replaced"
	Moved           Outcome = "moved"
	Restored        Outcome = "restored"
	Unchanged       Outcome = "unchanged" // the same picture with, say, another mtime
	Duplicate       Outcome = "duplicate" // portraits: a newer file with this ID is there
	AlreadyReverted Outcome = "declined"  // not published, because Revert has replaced this picture by an earlier one
	StillWithdrawn  Outcome = "withheld"  // an operator has withdrawn this picture, so it stays withdrawn
	Sidecar         Outcome = "aside"     // no photo: a RAW or side file whose JPEG is in the same folder
)

// Publish makes the arrival the current photo of its place. Its commit is the moment at
// which a link begins to show the picture.
func (tx *Tx) Publish(a Arrival, disk Disk) (Outcome, error) {
	ctx := tx.ctx
	if err := tx.requireAccount(a.Account); err != nil {
		return "", err
	}
	jobID, err := tx.jobID(a.Account, a.Place.Job)
	if err != nil {
		return "", err
	}
	if err := tx.insertOriginal(a.Original); err != nil {
		return "", err
	}
	live, isLive, err := uploadAt(ctx, tx.t, a.Account.ID, a.Place.Path)
	if err != nil {
		return "", err
	}
	row := photoRow{accountID: a.Account.ID, jobID: jobID, place: a.Place, sha: a.Original.SHA, flags: a.Flags, now: tx.now}
	var photoID int64
	var outcome Outcome
	if a.Place.Person != "" {
		var loses bool
		if photoID, loses, err = tx.portrait(a, disk); err != nil {
			return "", err
		}
		if loses {
			return Duplicate, errors.Join(tx.record(a.Account, a.Place.Path, a.Identity, jobID, 0, layout.DuplicateID, 0), tx.countArriving(a.Account, jobID, Duplicate))
		}
	} else if photoID, outcome, err = tx.jobPhoto(a, live, isLive, disk); err != nil {
		return "", err
	}
	if photoID != 0 {
		if declined, err := tx.wasReverted(photoID, a.Original.SHA); err != nil {
			return "", err
		} else if declined {
			return AlreadyReverted, errors.Join(tx.record(a.Account, a.Place.Path, a.Identity, jobID, photoID, layout.Reverted, 0), tx.countArriving(a.Account, jobID, AlreadyReverted))
		}
	}
	var was string
	if photoID == 0 {
		photoID, outcome, err = tx.insertPhoto(row)
	} else {
		var updated Outcome
		updated, was, err = tx.updatePhoto(photoID, row)
		if outcome == "" || updated == Restored || updated == StillWithdrawn {
			outcome = updated
		}
	}
	if err != nil {
		return "", err
	}
	if err := errors.Join(tx.endOtherShotsOf(photoID, row), tx.addArrival(a, photoID, outcome, was), tx.countArriving(a.Account, jobID, outcome)); err != nil {
		return "", err
	}
	return outcome, tx.record(a.Account, a.Place.Path, a.Identity, jobID, photoID, "", 0)
}

// addArrival adds an arrival to the activity, if it has changed anything.
func (tx *Tx) addArrival(a Arrival, photoID int64, outcome Outcome, was string) error {
	event := map[Outcome]Event{Added: EventAdded, Replaced: EventReplaced, Moved: EventMoved, Restored: EventRestored}[outcome]
	if event == "" {
		return nil
	}
	if event != EventMoved {
		was = ""
	}
	return tx.addActivity(Activity{AccountID: a.Account.ID, Event: event, Path: a.Place.Shown, Detail: was, PhotoID: photoID})
}

// jobPhoto returns the ID of the photo of a jobs account that the arrival belongs to; 0 =
// a new one. A link must keep showing the picture that it was sent for, so a moved file
// is recognised by its inode and content before its name is considered.
func (tx *Tx) jobPhoto(a Arrival, live Upload, isLive bool, disk Disk) (int64, Outcome, error) {
	if isLive && live.PhotoID != 0 && live.Identity.SameInode(a.Identity) {
		return live.PhotoID, "", nil
	}
	isLive, err := tx.liveOnVolume(live, isLive, a.Identity)
	if err != nil {
		return 0, "", err
	}
	moved, err := tx.movedFrom(a, disk)
	if err != nil {
		return 0, "", err
	}
	if len(moved) > 0 {
		id := moved[0].PhotoID
		if isLive && live.PhotoID != 0 && live.PhotoID != id {
			// The file that was at this name was moved or overwritten by the
			// move. Its photo waits for the grace, in case it appears elsewhere.
			if err := tx.markMissing(live.ID); err != nil {
				return 0, "", err
			}
		}
		return id, Moved, tx.endMoved(a, moved, id)
	}
	if isLive && live.PhotoID != 0 {
		if away, err := tx.movedAway(a.Account, live, disk); err != nil || !away {
			return live.PhotoID, "", err
		}
		return 0, "", tx.markMissing(live.ID)
	}
	// The client may delete before it renames (WinSCP), or upload a file again that
	// was withdrawn.
	dir, name := splitPath(a.Place.Path)
	before, err := collect(tx.ctx, tx.t, scanUpload, uploadColumns+`WHERE account_id = +? AND dir = +? AND name = +?
		AND gone_at IS NOT NULL AND photo_id IS NOT NULL ORDER BY gone_at DESC, id DESC`, a.Account.ID, dir, name)
	if err != nil {
		return 0, "", err
	}
	for _, u := range before {
		if u.Identity.Volume != a.Identity.Volume {
			continue
		}
		if away, err := tx.movedAway(a.Account, u, disk); err != nil {
			return 0, "", err
		} else if away {
			continue
		}
		_, err = tx.exec(`DELETE FROM upload WHERE photo_id = ? AND gone_at IS NOT NULL`, u.PhotoID)
		return u.PhotoID, "", err
	}
	return tx.photoWithoutFile(a, disk)
}

// photoWithoutFile finds the photo of this job that shows the same picture and has no file on
// this volume: it was withdrawn, a restored backup could not put its file back, or the
// uploads have another volume now. A different picture may show another child, also at
// the same path, and then the old photo ends.
func (tx *Tx) photoWithoutFile(a Arrival, disk Disk) (id int64, _ Outcome, err error) {
	const without = ` AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id) `
	// Or a photo at this path from which Revert has removed this picture.
	ids, err := column[int64](tx.ctx, tx.t, `SELECT id FROM photo WHERE account_id = ? AND path = ? AND declined = ? AND (withdrawn_at IS NULL OR withdrawn_by IS NOT NULL)`+without,
		a.Account.ID, []byte(a.Place.Path), a.Original.SHA[:])
	if err != nil {
		return 0, "", err
	}
	if len(ids) > 0 {
		return ids[0], "", nil
	}
	ids, err = column[int64](tx.ctx, tx.t, `SELECT id FROM photo WHERE sha256 = +?1 AND account_id = +?2
		AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id AND substr(identity, 1, 8) = ?5)
		AND job_id = (SELECT id FROM job WHERE account_id = ?2 AND name = ?3)
		ORDER BY path = ?4 DESC, withdrawn_at IS NOT NULL, withdrawn_at DESC LIMIT 100`,
		a.Original.SHA[:], a.Account.ID, a.Place.Job, []byte(a.Place.Path), a.Identity.Bytes()[:8])
	if err != nil {
		return 0, "", err
	}
	for _, candidate := range ids {
		if has, err := tx.hasItsFile(a.Account, candidate, disk); err != nil {
			return 0, "", err
		} else if !has {
			id = candidate
			break
		}
	}
	if _, err := tx.exec(`DELETE FROM upload WHERE photo_id = ?`, id); err != nil {
		return 0, "", err
	}
	ended, err := column[int64](tx.ctx, tx.t, `SELECT id FROM photo WHERE account_id = ? AND path = ? AND withdrawn_at IS NULL AND id <> ?`+without,
		a.Account.ID, []byte(a.Place.Path), id)
	for _, photo := range ended {
		stamp, serr := tx.stamp()
		err = errors.Join(err, serr)
		if err == nil {
			err = tx.execOne(`UPDATE photo SET withdrawn_at = ?, changed_at = ? WHERE id = ?`, millis(tx.now), stamp, photo)
		}
		if err == nil {
			err = tx.photoEvent(photo, EventWithdrawn, "", "")
		}
	}
	return id, "", err
}

// portrait returns the photo ID of the arrival's person (0 = none yet), and whether a
// newer file with the same ID makes the arrival a duplicate.
func (tx *Tx) portrait(a Arrival, disk Disk) (photoID int64, loses bool, err error) {
	moved, err := tx.movedFrom(a, disk)
	if err == nil {
		err = tx.endMoved(a, moved, 0)
	}
	if err != nil {
		return 0, false, err
	}
	var was []byte
	err = tx.queryRow(`SELECT id, path FROM photo WHERE account_id = ? AND person = ?`, a.Account.ID, a.Place.Person).Scan(&photoID, &was)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil || string(was) == a.Place.Path {
		return photoID, false, err
	}
	other, isLive, err := uploadAt(tx.ctx, tx.t, a.Account.ID, string(was))
	if err != nil || !isLive || other.PhotoID != photoID {
		return photoID, false, err
	}
	presence, now := disk.Look(tx.ctx, a.Account.Name, other.Path)
	if presence != There || now.SameInode(a.Identity) {
		return photoID, false, nil
	}
	if now.Ctime > a.Identity.Ctime {
		return 0, true, nil
	}
	_, err = tx.exec(`UPDATE upload SET photo_id = NULL, reason = coalesce(reason, ?), since = ? WHERE id = ?`, layout.DuplicateID, millis(tx.now), other.ID)
	return photoID, false, err
}

// Problem records a file that cannot become a photo. A photo that was at this path before
// stays published, unless its file was only moved. The file is deleted after keep; 0 =
// never. It fails with an ErrUnsure if the disk could not be asked.
func (tx *Tx) Problem(a Account, place Place, id upload.Identity, reason layout.Reason, keep time.Duration, disk Disk) error {
	if err := tx.requireAccount(a); err != nil {
		return err
	}
	jobID, err := tx.jobID(a, place.Job)
	if err != nil {
		return err
	}
	live, isLive, err := uploadAt(tx.ctx, tx.t, a.ID, place.Path)
	if err != nil {
		return err
	}
	here, err := tx.liveOnVolume(live, isLive, id)
	if err != nil {
		return err
	}
	if isLive && !here {
		live.PhotoID = 0
	} else if isLive && live.PhotoID != 0 && !live.Identity.SameInode(id) {
		if away, err := tx.movedAway(a, live, disk); err != nil {
			return err
		} else if away {
			live.PhotoID = 0
			if err := tx.markMissing(live.ID); err != nil {
				return err
			}
		}
	}
	if !isLive || live.Reason != reason {
		if err := tx.addActivity(Activity{AccountID: a.ID, Event: EventProblem, Path: place.Shown, Detail: string(reason), PhotoID: live.PhotoID}); err != nil {
			return err
		}
		if err := tx.countArriving(a, jobID, ""); err != nil {
			return err
		}
	}
	return tx.record(a, place.Path, id, jobID, live.PhotoID, reason, keep)
}

// record writes the decision about a file into the upload row of its path.
func (tx *Tx) record(a Account, p string, id upload.Identity, jobID, photoID int64, reason layout.Reason, keep time.Duration) error {
	dir, name := splitPath(p)
	var deleteAfter sql.NullInt64
	if keep > 0 {
		deleteAfter = nullMillis(tx.now.Add(keep))
	}
	_, err := tx.exec(`INSERT INTO upload (account_id, dir, name, identity, job_id, photo_id, reason, since, delete_after)
		VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), nullif(?6, 0), nullif(?7, ''), ?8, ?9)
		ON CONFLICT (account_id, dir, name) WHERE gone_at IS NULL DO UPDATE SET
			-- if a stray was written or touched, its time before the deletion begins again, because it may never be deleted earlier than people were told
			since        = CASE WHEN reason IS excluded.reason AND identity = excluded.identity THEN since ELSE excluded.since END,
			delete_after = CASE WHEN reason IS excluded.reason AND identity = excluded.identity THEN delete_after ELSE excluded.delete_after END,
			ignored_by   = CASE WHEN excluded.reason IS NOT NULL AND identity = excluded.identity THEN ignored_by END,
			identity = excluded.identity, job_id = excluded.job_id, photo_id = excluded.photo_id, reason = excluded.reason, again = NULL`,
		a.ID, dir, name, id.Bytes(), jobID, photoID, reason, millis(tx.now), deleteAfter)
	return err
}

// requireAccount returns ErrNotFound for a removed account. A file that was being taken in
// while its account was removed must not become a photo that nobody can remove.
func (tx *Tx) requireAccount(a Account) error {
	var gone bool
	err := tx.queryRow(`SELECT state = 'gone' FROM account WHERE id = ?`, a.ID).Scan(&gone)
	if gone || errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("account %q: %w", a.Name, ErrNotFound)
	}
	return err
}

func (tx *Tx) jobID(a Account, job string) (id int64, err error) {
	if job == "" {
		return 0, nil
	}
	err = tx.queryRow(`SELECT id FROM job WHERE account_id = ? AND name = ?`, a.ID, job).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return id, err
}
