package catalogues

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"time"

	"picday/internal/upload"
	"picday/store"
)

// Bulk enters n photos into a job of an account, so many an album, each with an
// original of its own and two renditions, without files: a million in a minute.
// What has random keys is entered as it comes, not sorted; see bare.
func Bulk(ctx context.Context, s *store.Store, account, job string, n, perAlbum int) error {
	acct, err := s.All().Account(ctx, account)
	if err != nil {
		return err
	}
	j, err := s.View(acct.ID).Job(ctx, account, job)
	if err != nil {
		return err
	}
	return InTransaction(ctx, s, func(tx *sql.Tx) error {
		return bare(tx, func() error {
			for _, step := range bulk {
				if _, err := tx.Exec(step, n, acct.ID, j.ID, job, time.Now().UnixMilli(), perAlbum); err != nil {
					return fmt.Errorf("%w in %s", err, step)
				}
			}
			return nil
		})
	})
}

// bulk are the steps: ?1 photos, account ?2, job ?3 called ?4, at ?5, ?6 an album.
var bulk = []string{
	`CREATE TEMP TABLE seed (n INTEGER PRIMARY KEY, sha BLOB, link TEXT, dir TEXT, name TEXT, album TEXT)`,
	`WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?1)
		INSERT INTO seed SELECT n, randomblob(32), lower(hex(randomblob(28))), format('%s/Class %06d', ?4, n / ?6),
			format('IMG_%04d.jpg', n % ?6), format('Class %06d', n / ?6) FROM i`,
	`INSERT INTO original (sha256, bytes, width, height, taken_local, make, model, serial)
		SELECT sha, 7000000, 6000, 4000, ?5 - n * 1000, 'Canon', 'Canon EOS R6', '012021000123' FROM seed ORDER BY n`,
	`INSERT INTO rendition (sha256, name, longest, quality, width, height, bytes, hash)
		SELECT sha, v.name, v.longest, v.quality, v.longest, v.longest * 2 / 3, v.longest * 100, zeroblob(32)
		FROM seed CROSS JOIN (SELECT 'large' AS name, 1600 AS longest, 85 AS quality UNION ALL SELECT 'thumb', 400, 80) v ORDER BY n`,
	`INSERT INTO photo (account_id, job_id, album, area, path, path_shown, file, sort, sha256, flags, link, ingested_at, changed_at)
		SELECT ?2, ?3, album, 'individuals', CAST(dir || '/' || name AS BLOB), dir || '/' || name, name,
			'img_' || CASE n % ?6 WHEN 0 THEN '0' ELSE length(n % ?6) || n % ?6 END || char(31) || 'jpg', sha, '''', link, ?5 - ?1 + n, ?5 - ?1 + n
		FROM seed ORDER BY n`,
	// names.Parts, but for the numbers without their zeros.
	`INSERT INTO photo_part SELECT ?2, x.before || format('%04d jpg', n % ?6), p.id
		FROM seed JOIN photo p ON p.rowid = n + (SELECT max(id) FROM photo) - ?1 CROSS JOIN (SELECT 'img ' AS before UNION ALL SELECT '') x`,
	`INSERT INTO name_part SELECT DISTINCT ?2, x.before || substr(album, 7), ?3, album FROM seed CROSS JOIN (SELECT 'class ' AS before UNION ALL SELECT '') x`,
	`INSERT INTO upload (account_id, dir, name, identity, job_id, photo_id, since)
		SELECT ?2, CAST(dir AS BLOB), CAST(name AS BLOB), CAST(format('%016d%016d', 1, n) AS BLOB), ?3, p.id, ?5
		FROM seed JOIN photo p ON p.rowid = n + (SELECT max(id) FROM photo) - ?1 ORDER BY n`,
	`DROP TABLE temp.seed`,
}

// Identify gives the files of an account the identities that they have on disk.
func Identify(ctx context.Context, s *store.Store, account string, of func(path string) (upload.Identity, error)) error {
	acct, err := s.All().Account(ctx, account)
	if err != nil {
		return err
	}
	return InTransaction(ctx, s, func(tx *sql.Tx) error {
		rows, err := tx.Query(`SELECT id, dir || '/' || name FROM upload WHERE account_id = ?`, acct.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		paths := map[int64]string{}
		for rows.Next() {
			var id int64
			var path string
			if err := rows.Scan(&id, &path); err != nil {
				return err
			}
			paths[id] = path
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for id, path := range paths {
			is, err := of(path)
			if err != nil {
				return err
			}
			var b []byte
			for _, v := range []uint64{is.Volume, is.Ino, uint64(is.Size), uint64(is.Ctime)} {
				b = binary.BigEndian.AppendUint64(b, v)
			}
			if _, err := tx.Exec(`UPDATE upload SET identity = ? WHERE id = ?`, b, id); err != nil {
				return err
			}
		}
		return nil
	})
}
