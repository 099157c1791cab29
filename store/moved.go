package store

import "context"

// stillHere tells whether what is known of a path can be compared with the
// file that is there now. If the uploads have another home (init --new-volume),
// no inode tells what was moved meanwhile: names may have shifted, so photos
// wait for their very pictures to turn up. A file that may not be looked at has
// no identity, and is no reason to doubt anything.
func (tx *Tx) stillHere(live Upload, isLive bool, now Identity) (bool, error) {
	if !isLive || live.PhotoID == 0 || now == (Identity{}) || live.Identity.Volume == now.Volume {
		return isLive, nil
	}
	return false, tx.markGone(live.ID)
}

// hasItsFile tells whether a file that a photo is known by is still where it was: on
// another volume than the one that is asked about, mounted below it.
func (tx *Tx) hasItsFile(a Account, photoID int64, disk Disk) (bool, error) {
	all, err := collect(context.Background(), tx, scanUpload, uploadColumns+`WHERE photo_id = ? AND gone_at IS NULL`, photoID)
	for _, u := range all {
		if presence, id := disk.Look(a.Name, u.Path); presence == There && id.SameInode(u.Identity) {
			return true, err
		}
	}
	return false, err
}

// movedAway tells whether the file that was here, in the place of which there
// is another now, has not been overwritten but only moved, and is not yet
// looked at where it is now. Files settle in any order: without this, whoever
// shifts 1.jpg to 2.jpg, 2.jpg to 3.jpg and uploads a new 1.jpg would shift
// every child's link.
func (tx *Tx) movedAway(a Account, was Upload, disk Disk) (bool, error) {
	var sha []byte
	if err := tx.QueryRow(`SELECT sha256 FROM photo WHERE id = ?`, was.PhotoID).Scan(&sha); err != nil {
		return false, err
	}
	presence, at := disk.Elsewhere(a.Name, was.Path, was.Identity, asSHA(sha))
	if presence != There { // if Unknown, what follows is undone
		return false, nil
	}
	// A second name of the file (ln) that has long been its own photo.
	other, isLive, err := uploadAt(context.Background(), tx, a.ID, at)
	return !isLive || other.PhotoID == 0 || !other.Identity.SameInode(was.Identity), err
}

// movedFrom lists the uploads that this file was, under other names or before
// another file took its name for a while: the same inode, a photo that shows
// the same picture, and the other name no longer holds it. The content is
// compared because file systems reuse inodes at once. A file that was changed and renamed between two looks, or was
// away for a while, has several.
func (tx *Tx) movedFrom(a Arrival, disk Disk) (moved []Upload, err error) {
	all, err := uploadsByInode(context.Background(), tx, a.Account.ID, a.Identity)
	if err != nil {
		return nil, err
	}
	for _, u := range all {
		here := u.Path == a.Place.Path
		if here && u.GoneAt.IsZero() || u.PhotoID == 0 || u.Reason != "" {
			continue
		}
		var sha []byte
		if err := tx.QueryRow(`SELECT sha256 FROM photo WHERE id = ?`, u.PhotoID).Scan(&sha); err != nil {
			return nil, err
		}
		if asSHA(sha) != a.Original.SHA {
			continue
		}
		presence, id := disk.Look(a.Account.Name, u.Path)
		if here || presence == Absent || presence == There && !id.SameInode(a.Identity) {
			moved = append(moved, u)
		}
	}
	return moved, nil
}

// endMoved ends what a file was before: all that is known of it under other
// names, and the photos that have no other file now. Whose picture it is has
// been said by its name: no other link may show it during the grace of an
// ordinary deletion. keep is the photo that the file goes on being, if it is
// not told by its person.
func (tx *Tx) endMoved(a Arrival, moved []Upload, keep int64) error {
	for _, u := range moved {
		if _, err := tx.Exec(`DELETE FROM upload WHERE id = ?`, u.ID); err != nil {
			return err
		}
	}
	for _, u := range moved {
		// Not if another file is still that photo; one that is missing too
		// does not count, and has nothing to wait for any more.
		stamp, err := tx.stamp()
		if err != nil {
			return err
		}
		n, err := tx.count(`UPDATE photo SET withdrawn_at = ?1, changed_at = ?2 WHERE id = ?3 AND id <> ?4 AND person IS NOT ?5 AND withdrawn_at IS NULL
			AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?3 AND gone_at IS NULL)`, millis(tx.now), stamp, u.PhotoID, keep, a.Place.Person)
		if err == nil && n > 0 {
			if _, err = tx.Exec(`DELETE FROM upload WHERE photo_id = ?`, u.PhotoID); err == nil {
				err = tx.photoEvent(u.PhotoID, EventWithdrawn, a.Place.Shown, "")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
