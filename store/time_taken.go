package store

import (
	"context"
	"database/sql"
	"time"

	"picday/internal/zone"
)

// locationOf returns the time zone of that name, UTC for an unknown name.
func locationOf(name string) *time.Location {
	l, err := zone.Load(name)
	if err != nil {
		return time.UTC
	}
	return l
}

// wall returns the clock's reading at t in milliseconds, as if it were UTC.
func wall(t time.Time) sql.NullInt64 {
	_, ahead := t.Zone()
	return sql.NullInt64{Int64: millis(t) + int64(ahead)*1000, Valid: !t.IsZero()}
}

// takenOf converts the camera's clock from a row: in its zone if the EXIF has one
// (zoned), else as if it were UTC.
func takenOf(local, minutes sql.NullInt64) (t time.Time, zoned bool) {
	if !local.Valid || local.Int64 < earliest || local.Int64 > latest {
		return time.Time{}, false
	}
	t = fromMillis(local.Int64)
	if !minutes.Valid || minutes.Int64 <= -24*60 || minutes.Int64 >= 24*60 {
		return t, false
	}
	ahead := time.Duration(minutes.Int64) * time.Minute
	return t.Add(-ahead).In(time.FixedZone("", int(ahead.Seconds()))), true
}

// takenAt returns the UTC time at which the camera's clock showed t. tz, the account's
// zone, is used if the EXIF has no zone.
func takenAt(t time.Time, zoned bool, tz *time.Location) time.Time {
	if !zoned && !t.IsZero() {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), tz)
	}
	return t.UTC()
}

// SetTimeZone sets the IANA time zone for photos of an account whose EXIF has none. It
// changes the times of these photos; call Retime to mark them as changed.
func (tx *Tx) SetTimeZone(a Account, name string) error {
	if _, err := zone.Load(name); err != nil {
		return err
	}
	return tx.execOne(`UPDATE account SET time_zone = ? WHERE id = ?`, name, a.ID)
}

// Retime marks every photo whose time depends on the account's zone as changed. It uses
// many small transactions, so that the daemon can write in between.
func (s *Store) Retime(ctx context.Context, a Account) error {
	const some = 2000
	for last := int64(0); ; {
		// The plus keeps SQLite from sorting all photos of the account each time.
		ids, err := column[int64](ctx, s.read, `SELECT p.id FROM photo p JOIN original o ON o.sha256 = p.sha256
			WHERE p.id > ? AND +p.account_id = ? AND o.taken_local IS NOT NULL AND o.taken_zone IS NULL ORDER BY p.id LIMIT ?`, last, a.ID, some)
		if err != nil || len(ids) == 0 {
			return err
		}
		last = ids[len(ids)-1]
		err = s.Update(ctx, func(tx *Tx) error {
			stamp, err := tx.stamp()
			for i := 0; err == nil && i < len(ids); i++ {
				_, err = tx.exec(`UPDATE photo SET changed_at = ? WHERE id = ?`, stamp, ids[i])
			}
			return err
		})
		if err == nil && len(ids) == some {
			err = letOthersWrite(ctx)
		}
		if err != nil {
			return err
		}
	}
}
