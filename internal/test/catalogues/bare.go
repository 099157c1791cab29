package catalogues

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"picday/store"
)

// InTransaction runs fn in a transaction of SQL on a catalogue's file, past the store,
// which lets nobody else run SQL.
func InTransaction(ctx context.Context, s *store.Store, fn func(*sql.Tx) error) error {
	name := url.URL{
		Scheme: "file", OmitHost: true, Path: filepath.Join(s.DataDir(), store.CatalogueFile),
		RawQuery: "_txlock=immediate&_busy_timeout=20000&_foreign_keys=on&_synchronous=FULL",
	}
	db, err := sql.Open("sqlite3", name.String())
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// bare takes the indexes and triggers away while fill enters many rows, which
// is several times as fast, and makes them anew, to the letter. What the
// triggers would have counted is counted once.
//
// The index of pictures stays. Its keys are random, and made at the end all its
// pages would be full: for a while each new photo would split some, as it does
// not where photos came one by one.
func bare(tx *sql.Tx, fill func() error) error {
	var cache int
	if err := tx.QueryRow(`PRAGMA cache_size`).Scan(&cache); err != nil {
		return err
	}
	// In KiB: what does not fit is written and read again at every random key.
	if _, err := tx.Exec(`PRAGMA cache_size = -1000000`); err != nil {
		return err
	}
	type made struct{ kind, name, text string }
	rows, err := tx.Query(`SELECT type, name, sql FROM sqlite_schema
		WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND name <> 'photo_sha256'`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []made
	for rows.Next() {
		var m made
		if err := rows.Scan(&m.kind, &m.name, &m.text); err != nil {
			return err
		}
		all = append(all, m)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, m := range all {
		if _, err := tx.Exec(fmt.Sprintf(`DROP %s %s`, m.kind, m.name)); err != nil {
			return err
		}
	}
	if err := fill(); err != nil {
		return err
	}
	again := func(kind string) error {
		for _, m := range all {
			if m.kind != kind {
				continue
			}
			if _, err := tx.Exec(m.text); err != nil {
				return err
			}
		}
		return nil
	}
	if err := again("index"); err != nil {
		return err
	}
	for _, step := range count {
		if _, err := tx.Exec(step); err != nil {
			return fmt.Errorf("%w in %s", err, step)
		}
	}
	if err := again("trigger"); err != nil {
		return err
	}
	_, err = tx.Exec(fmt.Sprintf(`PRAGMA cache_size = %d`, cache))
	return err
}

// count is what the triggers count along.
var count = []string{
	`DELETE FROM tally`,
	`INSERT INTO tally (account_id, photos, unusual, problems, activity, files, changes)
		SELECT a.id, coalesce(p.n, 0), coalesce(p.unusual, 0), coalesce(u.n, 0), coalesce(x.n, 0), coalesce(f.n, 0), 0 FROM account a
		LEFT JOIN (SELECT account_id, count(*) AS n, sum(instr(flags, 'unusual') > 0) AS unusual FROM photo WHERE withdrawn_at IS NULL GROUP BY 1) p ON p.account_id = a.id
		LEFT JOIN (SELECT account_id, count(*) AS n FROM upload WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL GROUP BY 1) u ON u.account_id = a.id
		LEFT JOIN (SELECT account_id, count(*) AS n FROM activity GROUP BY 1) x ON x.account_id = a.id
		LEFT JOIN (SELECT account_id, count(*) AS n FROM upload GROUP BY 1) f ON f.account_id = a.id`,
	`DELETE FROM problem_tally`,
	`INSERT INTO problem_tally SELECT account_id, reason, count(*) FROM upload WHERE reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL GROUP BY 1, 2`,
	`DELETE FROM problem_group`,
	`INSERT INTO problem_group (account_id, dir, reason, job_id, files, ignored, latest)
		SELECT account_id, dir, reason, max(job_id), count(*) - count(ignored_by), count(ignored_by), max(since) FROM upload WHERE reason IS NOT NULL AND gone_at IS NULL GROUP BY 1, 2, 3`,
	`DELETE FROM album`,
	`INSERT INTO album SELECT job_id, coalesce(album, ''), sum(area IS 'individuals'), sum(area IS 'group'), max(ingested_at)
		FROM photo WHERE job_id IS NOT NULL AND withdrawn_at IS NULL GROUP BY 1, 2`,
	`UPDATE job SET albums = (SELECT count(*) FROM album WHERE job_id = job.id),
		photos = coalesce((SELECT sum(individuals + groups) FROM album WHERE job_id = job.id), 0),
		problems = (SELECT count(*) FROM upload WHERE job_id = job.id AND reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL),
		latest = max(coalesce((SELECT max(latest) FROM album WHERE job_id = job.id), 0),
			coalesce((SELECT max(since) FROM upload WHERE job_id = job.id AND reason IS NOT NULL AND gone_at IS NULL), 0))`,
	`UPDATE job SET files = coalesce((SELECT n FROM (SELECT job_id AS j, count(*) AS n FROM upload GROUP BY 1) WHERE j = job.id), 0)`,
	`UPDATE original SET refs = (SELECT count(*) FROM photo WHERE sha256 = original.sha256) + (SELECT count(*) FROM history WHERE sha256 = original.sha256)`,
	`UPDATE stored SET (files, bytes) = (SELECT count(*), coalesce(sum(bytes), 0) FROM original) WHERE what = 'original'`,
	`UPDATE stored SET (files, bytes) = (SELECT count(*), coalesce(sum(bytes), 0) FROM rendition) WHERE what = 'rendition'`,
}
