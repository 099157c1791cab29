package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
)

// An Upload is a processed file of the upload volume.
type Upload struct {
	ID       int64
	Path     string // raw bytes
	Identity upload.Identity
	PhotoID  int64 // 0 = none
	Reason   layout.Reason
	Since    time.Time
	GoneAt   time.Time // when it was found missing; zero = it exists
	Again    bool      // the account's rules have changed: it is to be looked at again
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

const uploadColumns = `SELECT id, dir, name, identity, coalesce(photo_id, 0), coalesce(reason, ''), since, coalesce(gone_at, 0), again IS NOT NULL FROM upload `

func scanUpload(r *sql.Rows) (u Upload, err error) {
	var dir, name, identity []byte
	var since, gone int64
	err = r.Scan(&u.ID, &dir, &name, &identity, &u.PhotoID, &u.Reason, &since, &gone, &u.Again)
	u.Path, u.Identity, u.Since = joinPath(dir, name), upload.IdentityFrom(identity), fromMillis(since)
	if gone != 0 {
		u.GoneAt = fromMillis(gone)
	}
	if err == nil && !validPath(u.Path) {
		err = flawed("the upload number", u.ID, "path", u.Path)
	}
	return u, err
}

// Known returns the identities of the processed files of one directory that are not
// missing, by name. It leaves out those that are to be looked at again.
func (s *Store) Known(ctx context.Context, accountID int64, dir string) (map[string]upload.Identity, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, identity FROM upload WHERE account_id = ? AND dir = ? AND gone_at IS NULL AND again IS NULL`,
		accountID, []byte(dir))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]upload.Identity{}
	var name, identity sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&name, &identity); err != nil {
			return nil, err
		}
		if bytes.IndexByte(name, '/') < 0 { // see Faults
			known[string(name)] = upload.IdentityFrom(identity)
		}
	}
	return known, rows.Err()
}

// KnownDirs returns every directory of an account for which Known has files.
// It steps through the index from one directory to the next, so its cost grows with
// the number of directories, not of files.
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

// UploadAt finds the upload at a path.
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

// uploadsByInode finds the uploads whose last known inode is that of id, the latest
// first.
func uploadsByInode(ctx context.Context, q querier, accountID int64, id upload.Identity) ([]Upload, error) {
	low := id.Bytes()[:16]
	high := upload.Identity{Volume: id.Volume, Ino: id.Ino, Size: -1, Ctime: -1}.Bytes()
	return collect(ctx, q, scanUpload, uploadColumns+`WHERE identity >= ? AND identity <= ? AND account_id = +?
		ORDER BY gone_at IS NOT NULL, gone_at DESC, id DESC`, low, high, accountID)
}

// UploadOfInode finds an upload with this inode at another path, or at this one if it
// is missing, and its picture. The file may have been moved from there.
func (s *Store) UploadOfInode(ctx context.Context, accountID int64, path string, id upload.Identity) (u Upload, sha SHA, found bool, err error) {
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

// PicturesOfInode returns the pictures of all uploads whose last known inode is that
// of id, at any path; also those that Revert has replaced.
func (s *Store) PicturesOfInode(ctx context.Context, accountID int64, id upload.Identity) ([]SHA, error) {
	all, err := uploadsByInode(ctx, s.read, accountID, id)
	var shas []SHA
	for _, u := range all {
		if u.PhotoID == 0 {
			continue
		}
		found, err := column[[]byte](ctx, s.read, `SELECT sha256 FROM photo WHERE id = ?1 UNION ALL SELECT declined FROM photo WHERE id = ?1 AND declined IS NOT NULL`, u.PhotoID)
		if err != nil {
			return nil, err
		}
		for _, b := range found {
			shas = append(shas, asSHA(b))
		}
	}
	return shas, err
}
