package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Presence is what the upload volume says about a path right now.
type Presence int

// Unknown is the answer whenever absence cannot be proven: the volume is not
// the one we know, a parent cannot be read, the job is not planned.
const (
	Unknown Presence = iota
	There
	Absent
)

// A Disk answers what is on the upload volume. It is asked from inside the
// transaction that depends on the answer, within its Budget. Who lends a Disk
// to Publish or Problem undoes the change if an answer was not to be had: what
// an Unknown is taken for may be another child's link.
type Disk interface {
	// Look tells whether something is at the path of the account, and its
	// identity if it is There.
	Look(account, path string) (Presence, Identity)
	// Elsewhere finds that very file, with that picture in it, somewhere else
	// in the job that path is in, where it will be looked at: There, at that path.
	Elsewhere(account, path string, id Identity, sha SHA) (p Presence, at string)
	// Sure tells whether the answers of this Disk could be trusted until now.
	Sure(ctx context.Context) error
}

// A Place is what a path means, in the words of the catalogue.
type Place struct {
	Path   string // raw bytes, from the root of the SFTP view
	Shown  string // the same for people
	Job    string // "" in the portraits layout
	Album  string
	Area   string
	Person string // "" in the jobs layout
}

// An Arrival is a settled file whose original and renditions are on disk.
type Arrival struct {
	Account  Account
	Place    Place
	Identity Identity
	Original Original
	Flags    string
}

// An Outcome says what an arrival turned out to be.
type Outcome string

// The outcomes.
const (
	Added     Outcome = "added"
	Replaced  Outcome = "replaced"
	Moved     Outcome = "moved"
	Restored  Outcome = "restored"
	Unchanged Outcome = "unchanged" // the same picture with, say, another mtime
	Duplicate Outcome = "duplicate" // portraits: a newer file with this ID is there
	Declined  Outcome = "declined"  // somebody has put an earlier picture back in its place
	Withheld  Outcome = "withheld"  // an operator has withdrawn this very picture, and it stays so
	Aside     Outcome = "aside"     // no photo: a RAW or side file whose JPEG is beside it
)

// Publish makes the arrival the current photo of its place. This is the
// moment in which a picture becomes, or stops being, what a link shows.
func (tx *Tx) Publish(a Arrival, disk Disk) (Outcome, error) {
	ctx := context.Background()
	if err := tx.remains(a.Account); err != nil {
		return "", err
	}
	jobID, err := tx.jobID(a.Account, a.Place.Job)
	if err != nil {
		return "", err
	}
	if err := tx.keepOriginal(a.Original); err != nil {
		return "", err
	}
	live, isLive, err := uploadAt(ctx, tx, a.Account.ID, a.Place.Path)
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
			return Duplicate, tx.record(a.Account, a.Place.Path, a.Identity, jobID, 0, DuplicateID, 0)
		}
	} else if photoID, outcome, err = tx.jobPhoto(a, live, isLive, disk); err != nil {
		return "", err
	}
	if photoID != 0 {
		if declined, err := tx.declines(photoID, a.Original.SHA); err != nil {
			return "", err
		} else if declined {
			return Declined, tx.record(a.Account, a.Place.Path, a.Identity, jobID, photoID, Reverted, 0)
		}
	}
	var was string
	if photoID == 0 {
		photoID, outcome, err = tx.insertPhoto(row)
	} else {
		var happened Outcome
		happened, was, err = tx.updatePhoto(photoID, row)
		if outcome == "" || happened == Restored || happened == Withheld {
			outcome = happened
		}
	}
	if err != nil {
		return "", err
	}
	if err := errors.Join(tx.turnedUp(photoID, row), tx.arrived(a, photoID, outcome, was)); err != nil {
		return "", err
	}
	return outcome, tx.record(a.Account, a.Place.Path, a.Identity, jobID, photoID, "", 0)
}

// arrived enters an arrival in the activity, if it has changed anything.
func (tx *Tx) arrived(a Arrival, photoID int64, outcome Outcome, was string) error {
	event := map[Outcome]Event{Added: EventAdded, Replaced: EventReplaced, Moved: EventMoved, Restored: EventRestored}[outcome]
	if event == "" {
		return nil
	}
	if event != EventMoved {
		was = ""
	}
	return tx.happened(Activity{AccountID: a.Account.ID, Event: event, Path: a.Place.Shown, Detail: was, PhotoID: photoID})
}

// jobPhoto decides which photo of a jobs account the arrival is; 0 = a new
// one. A link must go on showing the picture it was given out for, so a moved
// file is recognised by its inode and content before the name is looked at.
func (tx *Tx) jobPhoto(a Arrival, live Upload, isLive bool, disk Disk) (int64, Outcome, error) {
	if isLive && live.PhotoID != 0 && live.Identity.SameInode(a.Identity) {
		return live.PhotoID, "", nil
	}
	isLive, err := tx.stillHere(live, isLive, a.Identity)
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
			// What was at this name went elsewhere or was overwritten by
			// the move: its own photo waits for it to turn up.
			if err := tx.markGone(live.ID); err != nil {
				return 0, "", err
			}
		}
		return id, Moved, tx.endMoved(a, moved, id)
	}
	if isLive && live.PhotoID != 0 {
		if away, err := tx.movedAway(a.Account, live, disk); err != nil || !away {
			return live.PhotoID, "", err
		}
		return 0, "", tx.markGone(live.ID)
	}
	// A client that deletes before it renames (WinSCP), or a file that is
	// uploaded again after it was withdrawn.
	dir, name := splitPath(a.Place.Path)
	before, err := collect(context.Background(), tx, scanUpload, uploadColumns+`WHERE account_id = +? AND dir = +? AND name = +?
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
		_, err = tx.Exec(`DELETE FROM upload WHERE photo_id = ? AND gone_at IS NOT NULL`, u.PhotoID)
		return u.PhotoID, "", err
	}
	return tx.fileless(a, disk)
}

// fileless finds the photo that has no file on this volume, and is of this very
// picture in this job: it was withdrawn, or a restored backup could not put its
// file back, or the uploads have another home. Another picture may be another child, also at the old one's path:
// then the old one ends.
func (tx *Tx) fileless(a Arrival, disk Disk) (id int64, _ Outcome, err error) {
	const without = ` AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id) `
	// Or somebody has taken back this very picture from the photo of this path.
	ids, err := column[int64](tx, `SELECT id FROM photo WHERE account_id = ? AND path = ? AND declined = ? AND (withdrawn_at IS NULL OR withdrawn_by IS NOT NULL)`+without,
		a.Account.ID, []byte(a.Place.Path), a.Original.SHA[:])
	if err != nil {
		return 0, "", err
	}
	if len(ids) > 0 {
		return ids[0], "", nil
	}
	ids, err = column[int64](tx, `SELECT id FROM photo WHERE sha256 = +?1 AND account_id = +?2
		AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id AND substr(identity, 1, 8) = ?5)
		AND job_id = (SELECT id FROM job WHERE account_id = ?2 AND name = ?3)
		ORDER BY path = ?4 DESC, withdrawn_at IS NOT NULL, withdrawn_at DESC LIMIT 100`,
		a.Original.SHA[:], a.Account.ID, a.Place.Job, []byte(a.Place.Path), a.Identity.bytes()[:8])
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
	if _, err := tx.Exec(`DELETE FROM upload WHERE photo_id = ?`, id); err != nil {
		return 0, "", err
	}
	ended, err := column[int64](tx, `SELECT id FROM photo WHERE account_id = ? AND path = ? AND withdrawn_at IS NULL AND id <> ?`+without,
		a.Account.ID, []byte(a.Place.Path), id)
	for _, photo := range ended {
		stamp, serr := tx.stamp()
		err = errors.Join(err, serr)
		if err == nil {
			err = tx.change(`UPDATE photo SET withdrawn_at = ?, changed_at = ? WHERE id = ?`, millis(tx.now), stamp, photo)
		}
		if err == nil {
			err = tx.photoEvent(photo, EventWithdrawn, "", "")
		}
	}
	return id, "", err
}

// portrait finds the photo row of the arrival's person (0 = none yet) and
// tells whether the arrival loses against a newer file with the same ID.
func (tx *Tx) portrait(a Arrival, disk Disk) (photoID int64, loses bool, err error) {
	moved, err := tx.movedFrom(a, disk)
	if err == nil {
		err = tx.endMoved(a, moved, 0)
	}
	if err != nil {
		return 0, false, err
	}
	var was []byte
	err = tx.QueryRow(`SELECT id, path FROM photo WHERE account_id = ? AND person = ?`, a.Account.ID, a.Place.Person).Scan(&photoID, &was)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil || string(was) == a.Place.Path {
		return photoID, false, err
	}
	other, isLive, err := uploadAt(context.Background(), tx, a.Account.ID, string(was))
	if err != nil || !isLive || other.PhotoID != photoID {
		return photoID, false, err
	}
	presence, now := disk.Look(a.Account.Name, other.Path)
	if presence != There || now.SameInode(a.Identity) {
		return photoID, false, nil
	}
	if now.Ctime > a.Identity.Ctime {
		return 0, true, nil
	}
	_, err = tx.Exec(`UPDATE upload SET photo_id = NULL, reason = coalesce(reason, ?), since = ? WHERE id = ?`, DuplicateID, millis(tx.now), other.ID)
	return photoID, false, err
}

// Problem enters a file that cannot become a photo. A photo that was at this
// path before stays published, unless it merely moved. keep is how long until
// the file is deleted; 0 = never.
func (tx *Tx) Problem(a Account, place Place, id Identity, reason Reason, keep time.Duration, disk Disk) error {
	if err := tx.remains(a); err != nil {
		return err
	}
	jobID, err := tx.jobID(a, place.Job)
	if err != nil {
		return err
	}
	live, isLive, err := uploadAt(context.Background(), tx, a.ID, place.Path)
	if err != nil {
		return err
	}
	here, err := tx.stillHere(live, isLive, id)
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
			if err := tx.markGone(live.ID); err != nil {
				return err
			}
		}
	}
	if !isLive || live.Reason != reason {
		if err := tx.happened(Activity{AccountID: a.ID, Event: EventProblem, Path: place.Shown, Detail: string(reason), PhotoID: live.PhotoID}); err != nil {
			return err
		}
	}
	return tx.record(a, place.Path, id, jobID, live.PhotoID, reason, keep)
}

// record makes the upload row of a path say what has been decided.
func (tx *Tx) record(a Account, p string, id Identity, jobID, photoID int64, reason Reason, keep time.Duration) error {
	dir, name := splitPath(p)
	var deleteAfter sql.NullInt64
	if keep > 0 {
		deleteAfter = nullMillis(tx.now.Add(keep))
	}
	_, err := tx.Exec(`INSERT INTO upload (account_id, dir, name, identity, job_id, photo_id, reason, since, delete_after)
		VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), nullif(?6, 0), nullif(?7, ''), ?8, ?9)
		ON CONFLICT (account_id, dir, name) WHERE gone_at IS NULL DO UPDATE SET
			-- a stray that was written again starts its days anew; touched ones too: never earlier than shown
			since        = CASE WHEN reason IS excluded.reason AND identity = excluded.identity THEN since ELSE excluded.since END,
			delete_after = CASE WHEN reason IS excluded.reason AND identity = excluded.identity THEN delete_after ELSE excluded.delete_after END,
			identity = excluded.identity, job_id = excluded.job_id, photo_id = excluded.photo_id, reason = excluded.reason`,
		a.ID, dir, name, id.bytes(), jobID, photoID, reason, millis(tx.now), deleteAfter)
	return err
}

// remains is ErrNotFound for an account that is gone. What was in hand while it
// was removed would be nobody's, and never end.
func (tx *Tx) remains(a Account) error {
	var gone bool
	err := tx.QueryRow(`SELECT state = 'gone' FROM account WHERE id = ?`, a.ID).Scan(&gone)
	if gone || errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("account %q: %w", a.Name, ErrNotFound)
	}
	return err
}

func (tx *Tx) jobID(a Account, job string) (id int64, err error) {
	if job == "" {
		return 0, nil
	}
	err = tx.QueryRow(`SELECT id FROM job WHERE account_id = ? AND name = ?`, a.ID, job).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return id, err
}
