package store

import (
	"context"
	"database/sql"
	"time"

	"picday/internal/zone"
)

// locationOf is a time zone of the catalogue; UTC for a name that is none.
func locationOf(name string) *time.Location {
	l, err := zone.Load(name)
	if err != nil {
		return time.UTC
	}
	return l
}

// wall is what a clock shows at a time, in milliseconds as if it were UTC.
func wall(t time.Time) sql.NullInt64 {
	_, ahead := t.Zone()
	return sql.NullInt64{Int64: millis(t) + int64(ahead)*1000, Valid: !t.IsZero()}
}

// takenOf is the camera's clock as a row has it: in its zone if it says, else as if
// it were UTC.
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

// takenAt is the moment at which the camera's clock showed that, in UTC. tz is the
// account's, for a camera that does not say.
func takenAt(t time.Time, zoned bool, tz *time.Location) time.Time {
	if !zoned && !t.IsZero() {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), tz)
	}
	return t.UTC()
}

// SetTimeZone says what the cameras of an account are set to that do not say. The
// times of its photos are other ones then: Retime tells who follows the changes.
func (tx *Tx) SetTimeZone(a Account, name string) error {
	if _, err := zone.Load(name); err != nil {
		return err
	}
	return tx.change(`UPDATE account SET time_zone = ? WHERE id = ?`, name, a.ID)
}

// Retime enters a change of every photo whose time is read in the account's zone,
// a few at a time, so that the daemon has its turn between two.
func (s *Store) Retime(ctx context.Context, a Account) error {
	const some = 2000
	for last := int64(0); ; {
		// The plus: in the order of the ids, and not all of the account each time.
		ids, err := column[int64](s.read, `SELECT p.id FROM photo p JOIN original o ON o.sha256 = p.sha256
			WHERE p.id > ? AND +p.account_id = ? AND o.taken_local IS NOT NULL AND o.taken_zone IS NULL ORDER BY p.id LIMIT ?`, last, a.ID, some)
		if err != nil || len(ids) == 0 {
			return err
		}
		last = ids[len(ids)-1]
		err = s.Update(ctx, func(tx *Tx) error {
			stamp, err := tx.stamp()
			for i := 0; err == nil && i < len(ids); i++ {
				_, err = tx.Exec(`UPDATE photo SET changed_at = ? WHERE id = ?`, stamp, ids[i])
			}
			return err
		})
		if err != nil {
			return err
		}
	}
}
