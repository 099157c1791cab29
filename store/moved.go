package store

import (
	"picday/internal/upload"
)

// liveOnVolume tells whether the upload row of a path can be compared with the file that is
// there now. After a change of the upload volume (init --new-volume) inodes do not tell
// which files were moved, and names may have been exchanged, so each photo waits until
// a file with its picture appears. A file that cannot be read has no identity, and does
// not count as changed.
func (tx *Tx) liveOnVolume(live Upload, isLive bool, now upload.Identity) (bool, error) {
	if !isLive || live.PhotoID == 0 || now == (upload.Identity{}) || live.Identity.Volume == now.Volume {
		return isLive, nil
	}
	return false, tx.markMissing(live.ID)
}

// hasItsFile tells whether a file of a photo is still where it was last seen. It may
// be on another file system than the arrival, mounted below the upload directory.
func (tx *Tx) hasItsFile(a Account, photoID int64, disk Disk) (bool, error) {
	all, err := collect(tx.ctx, tx.t, scanUpload, uploadColumns+`WHERE photo_id = ? AND gone_at IS NULL`, photoID)
	for _, u := range all {
		if presence, id := disk.Look(tx.ctx, a.Name, u.Path); presence == There && id.SameInode(u.Identity) {
			return true, err
		}
	}
	return false, err
}

// movedAway tells whether the file that was at a path, and in whose place another
// file is now, was moved and not overwritten, and has not been dealt with at its new
// path yet. Files settle in any order: without this, a client that renames 2.jpg to
// 3.jpg and 1.jpg to 2.jpg, and uploads a new 1.jpg, would shift every child's link.
func (tx *Tx) movedAway(a Account, was Upload, disk Disk) (bool, error) {
	var sha []byte
	if err := tx.queryRow(`SELECT sha256 FROM photo WHERE id = ?`, was.PhotoID).Scan(&sha); err != nil {
		return false, err
	}
	presence, at := disk.Find(tx.ctx, a.Name, was.Path, was.Identity, asSHA(sha))
	if presence == Changed {
		return true, nil // what is at its path now may show another child
	}
	if presence != There { // if Unknown, the caller rolls the transaction back
		return false, nil
	}
	// The other path may be a second hard link that has a photo of its own.
	other, isLive, err := uploadAt(tx.ctx, tx.t, a.ID, at)
	return !isLive || other.PhotoID == 0 || !other.Identity.SameInode(was.Identity), err
}

// movedFrom lists the earlier uploads of this file, under other names or under this one
// before another file had it: they have the same inode and a photo with the same
// picture, and the file is no longer at their path. The content is compared because
// file systems reuse inodes at once. There are several if the file was changed and
// renamed before the watcher saw it, or was moved away and back.
func (tx *Tx) movedFrom(a Arrival, disk Disk) (moved []Upload, err error) {
	all, err := uploadsByInode(tx.ctx, tx.t, a.Account.ID, a.Identity)
	if err != nil {
		return nil, err
	}
	for _, u := range all {
		here := u.Path == a.Place.Path
		if here && u.GoneAt.IsZero() || u.PhotoID == 0 || u.Reason != "" {
			continue
		}
		var sha []byte
		if err := tx.queryRow(`SELECT sha256 FROM photo WHERE id = ?`, u.PhotoID).Scan(&sha); err != nil {
			return nil, err
		}
		if asSHA(sha) != a.Original.SHA {
			continue
		}
		presence, id := disk.Look(tx.ctx, a.Account.Name, u.Path)
		if here || presence == Absent || presence == There && !id.SameInode(a.Identity) {
			moved = append(moved, u)
		}
	}
	return moved, nil
}

// endMoved ends the earlier uploads of a moved file, and their photos that have no other
// file. The new name tells whose picture it is, so no other link may show it, not even
// for the grace of a deletion. keep is the photo that the file still belongs to, 0 if
// that depends on its person.
func (tx *Tx) endMoved(a Arrival, moved []Upload, keep int64) error {
	for _, u := range moved {
		if _, err := tx.exec(`DELETE FROM upload WHERE id = ?`, u.ID); err != nil {
			return err
		}
	}
	for _, u := range moved {
		// Keep the photo if another file still belongs to it. A missing file does
		// not count, and its grace ends here.
		stamp, err := tx.stamp()
		if err != nil {
			return err
		}
		n, err := tx.execCount(`UPDATE photo SET withdrawn_at = ?1, changed_at = ?2 WHERE id = ?3 AND id <> ?4 AND person IS NOT ?5 AND withdrawn_at IS NULL
			AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?3 AND gone_at IS NULL)`, millis(tx.now), stamp, u.PhotoID, keep, a.Place.Person)
		if err == nil && n > 0 {
			if _, err = tx.exec(`DELETE FROM upload WHERE photo_id = ?`, u.PhotoID); err == nil {
				err = tx.photoEvent(u.PhotoID, EventWithdrawn, a.Place.Shown, "")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
