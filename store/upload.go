package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"syscall"
	"time"
)

// An Identity is what makes a file on the upload volume unchanged. Volume is
// the file system's own key (internal/volume), never its device number: that
// changes with the order of disks, and then a shift of names would give every
// child the neighbour's link.
type Identity struct {
	Volume, Ino uint64
	Size, Ctime int64 // bytes; nanoseconds since 1970
}

// IdentityOf takes the identity from what Stat or Lstat of package os returned
// for a file that is on the volume with that key.
func IdentityOf(fi os.FileInfo, volume uint64) Identity {
	st := fi.Sys().(*syscall.Stat_t)
	return Identity{Volume: volume, Ino: st.Ino, Size: st.Size, Ctime: st.Ctim.Nano()}
}

// DeviceOf is the device number, which is good for finding the volume's key.
func DeviceOf(fi os.FileInfo) uint64 { return fi.Sys().(*syscall.Stat_t).Dev }

func (id Identity) bytes() []byte {
	b := make([]byte, 0, 32)
	for _, v := range []uint64{id.Volume, id.Ino, uint64(id.Size), uint64(id.Ctime)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func identityOf(b []byte) (id Identity) {
	if len(b) == 32 {
		id.Volume, id.Ino = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		id.Size, id.Ctime = int64(binary.BigEndian.Uint64(b[16:])), int64(binary.BigEndian.Uint64(b[24:]))
	}
	return id
}

// SameInode tells whether both name the same inode, changed or not.
func (id Identity) SameInode(other Identity) bool {
	return id.Volume == other.Volume && id.Ino == other.Ino
}

// A Reason says why a file cannot become a photo.
type Reason string

// The reasons, as the contract lists them.
const (
	NoAlbum        Reason = "no-album"
	UnknownFolder  Reason = "unknown-folder"
	BadName        Reason = "bad-name"
	DuplicateID    Reason = "duplicate-id"
	NotJPEG        Reason = "not-jpeg"
	Incomplete     Reason = "incomplete"
	Damaged        Reason = "damaged"
	TooComplex     Reason = "too-complex"
	TrailingData   Reason = "trailing-data"
	Unreadable     Reason = "unreadable"
	TooManyFiles   Reason = "too-many-files"   // of all that wait, one is listed
	TooManyFolders Reason = "too-many-folders" // the same
	Reverted       Reason = "reverted"
)

// OtherShot is listed among the problems, and is the flag of such a photo, though its
// file is one: see replaced.go.
const OtherShot Reason = "replaced"

var messages = map[Reason]string{
	NoAlbum:       "This file is not in an album. Move it into a folder inside the job.",
	UnknownFolder: "This folder is neither 'individuals' nor 'group'. Move the file into one of the two, or straight into the album.",
	BadName:       "The file name is not an ID followed by .jpg. Rename it, or it will be deleted.",
	DuplicateID:   "There is a newer picture for the same ID. Delete the one you do not want.",
	NotJPEG:       "This is not a JPEG photo. Upload it as JPEG (.jpg).",
	// A client that goes on writing for a moment on a full disk leaves a hole,
	// which resuming at the end does not fill.
	Incomplete:     "The upload stopped before the end of the picture. If only the connection was cut, resume it. If the program reported a failure, as when the server's disk is full, delete the file and upload it again: resuming would leave a hole in it.",
	Damaged:        "The file is complete but the picture in it is damaged. Upload it again from the camera.",
	TrailingData:   "Far more than a picture is in this file: the JPEG in it ends long before the file does. Export or copy it from the camera again as an ordinary JPEG, without a film, and upload that.",
	TooComplex:     "This JPEG is too large or of an unusual kind. Save it as an ordinary JPEG and upload it again.",
	Unreadable:     "This is a link or a special file, or it cannot be read. Upload the photo itself.",
	TooManyFiles:   "This account holds as many files as it may. This file, and others that are new, are not taken. Delete files that are not needed, or ask for the limit (max_files) to be raised.",
	TooManyFolders: "This account holds as many folders as it may. This folder, and others that are new, are not looked into. Delete folders that are not needed, or ask for the limit (max_folders) to be raised.",
	Reverted:       "An earlier picture was put back in the place of this one. If both are wanted, give this file another name.",
	OtherShot:      "This picture has taken the place of another shot of the same name. If both are wanted, upload the earlier one again under another name.",
}

// Message is a sentence for the uploader.
func (r Reason) Message() string { return messages[r] }

// An Upload is one file of the upload volume that has been dealt with.
type Upload struct {
	ID       int64
	Path     string // raw bytes
	Identity Identity
	PhotoID  int64 // 0 = none
	Reason   Reason
	Since    time.Time
	GoneAt   time.Time // zero = it is there
}

func splitPath(path string) (dir, name []byte) {
	i := strings.LastIndexByte(path, '/')
	return []byte(path[:max(i, 0)]), []byte(path[i+1:])
}

func joinPath(dir, name []byte) string {
	if len(dir) == 0 {
		return string(name)
	}
	return string(dir) + "/" + string(name)
}

const uploadColumns = `SELECT id, dir, name, identity, coalesce(photo_id, 0), coalesce(reason, ''), since, coalesce(gone_at, 0) FROM upload `

func scanUpload(r *sql.Rows) (u Upload, err error) {
	var dir, name, identity []byte
	var since, gone int64
	err = r.Scan(&u.ID, &dir, &name, &identity, &u.PhotoID, &u.Reason, &since, &gone)
	u.Path, u.Identity, u.Since = joinPath(dir, name), identityOf(identity), fromMillis(since)
	if gone != 0 {
		u.GoneAt = fromMillis(gone)
	}
	if err == nil && !goodPath(u.Path) {
		err = flawed("the upload number", u.ID, "path", u.Path)
	}
	return u, err
}

// Known returns the identities of the files in one directory that have been
// dealt with and were there when last looked at.
func (s *Store) Known(ctx context.Context, accountID int64, dir string) (map[string]Identity, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, identity FROM upload WHERE account_id = ? AND dir = ? AND gone_at IS NULL`,
		accountID, []byte(dir))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]Identity{}
	var name, identity sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&name, &identity); err != nil {
			return nil, err
		}
		if bytes.IndexByte(name, '/') < 0 { // see Unsound
			known[string(name)] = identityOf(identity)
		}
	}
	return known, rows.Err()
}

// KnownDirs returns every directory of an account for which Known has files.
// It steps through the index from one directory to the next, so it costs what
// there are directories, not files.
func (s *Store) KnownDirs(ctx context.Context, accountID int64) ([]string, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (string, error) {
		var b []byte
		err := r.Scan(&b)
		return string(b), err
	}, `WITH RECURSIVE d (dir) AS (
			SELECT min(dir) FROM upload WHERE account_id = ?1 AND gone_at IS NULL
			UNION ALL
			SELECT (SELECT min(dir) FROM upload WHERE account_id = ?1 AND gone_at IS NULL AND dir > d.dir) FROM d WHERE d.dir IS NOT NULL
		) SELECT dir FROM d WHERE dir IS NOT NULL`, accountID)
}

// UploadAt finds what is known of a path, if anything.
func (s *Store) UploadAt(ctx context.Context, accountID int64, path string) (u Upload, found bool, err error) {
	return uploadAt(ctx, s.read, accountID, path)
}

func uploadAt(ctx context.Context, q querier, accountID int64, path string) (u Upload, found bool, err error) {
	dir, name := splitPath(path)
	all, err := collect(ctx, q, scanUpload, uploadColumns+`WHERE account_id = ? AND dir = ? AND name = ? AND gone_at IS NULL`,
		accountID, dir, name)
	if len(all) == 0 {
		return u, false, err
	}
	return all[0], true, err
}

// uploadsByInode finds files that have, or had when last seen, that inode;
// first what was known last.
func uploadsByInode(ctx context.Context, q querier, accountID int64, id Identity) ([]Upload, error) {
	low := id.bytes()[:16]
	high := Identity{Volume: id.Volume, Ino: id.Ino, Size: -1, Ctime: -1}.bytes()
	return collect(ctx, q, scanUpload, uploadColumns+`WHERE identity >= ? AND identity <= ? AND account_id = +?
		ORDER BY gone_at IS NOT NULL, gone_at DESC, id DESC`, low, high, accountID)
}

// Elsewhere tells whether a file with this inode is known under another path,
// or was under this one until it went missing, and the picture it was: a candidate for a move.
func (s *Store) Elsewhere(ctx context.Context, accountID int64, path string, id Identity) (u Upload, sha SHA, found bool, err error) {
	all, err := uploadsByInode(ctx, s.read, accountID, id)
	for _, u := range all {
		if u.Path == path && u.GoneAt.IsZero() || u.PhotoID == 0 || u.Reason != "" {
			continue
		}
		var b []byte
		err := s.read.QueryRowContext(ctx, `SELECT sha256 FROM photo WHERE id = ?`, u.PhotoID).Scan(&b)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return u, sha, false, err
		}
		return u, asSHA(b), true, nil
	}
	return u, sha, false, err
}

// PicturesOfInode returns the pictures that files with this inode are or were
// when last seen, under whatever path; also one that somebody has taken back.
func (s *Store) PicturesOfInode(ctx context.Context, accountID int64, id Identity) ([]SHA, error) {
	all, err := uploadsByInode(ctx, s.read, accountID, id)
	var shas []SHA
	for _, u := range all {
		if u.PhotoID == 0 {
			continue
		}
		found, err := column[[]byte](s.read, `SELECT sha256 FROM photo WHERE id = ?1 UNION ALL SELECT declined FROM photo WHERE id = ?1 AND declined IS NOT NULL`, u.PhotoID)
		if err != nil {
			return nil, err
		}
		for _, b := range found {
			shas = append(shas, asSHA(b))
		}
	}
	return shas, err
}
