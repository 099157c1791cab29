package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

const accountColumns = `SELECT id, name, layout, id_pattern, allow_from, time_zone, state, created_at FROM account `

func scanAccount(r interface{ Scan(...any) error }) (a Account, err error) {
	var name, kind, idPattern, allow, tz, state string
	var created int64
	if err := r.Scan(&a.ID, &name, &kind, &idPattern, &allow, &tz, &state, &created); err != nil {
		return a, err
	}
	a.parse(name, kind, idPattern, allow)
	a.Enabled, a.Kept = state == "enabled", state == "kept"
	a.CreatedAt, a.TimeZone = fromMillis(created), locationOf(tz).String()
	return a, nil
}

// Accounts lists the accounts that can log in or could be enabled, by name.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (Account, error) { return scanAccount(r) },
		accountColumns+`WHERE state IN ('enabled', 'disabled') ORDER BY name`)
}

// Account finds one account, also a removed one whose photos were kept.
func (s *Store) Account(ctx context.Context, name string) (Account, error) {
	a, err := scanAccount(s.read.QueryRowContext(ctx, accountColumns+`WHERE name = ? AND state <> 'gone'`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("account %q: %w", name, ErrNotFound)
	}
	return a, err
}

// AddAccount enters a new account, or brings back one that was removed with
// its photos kept, and returns it with its id.
func (tx *Tx) AddAccount(a Account) (Account, error) {
	old, err := scanAccount(tx.QueryRow(accountColumns+`WHERE name = ? AND state = 'kept'`, a.Name))
	allow := allowJSON(a.AllowFrom)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		a.TimeZone = locationOf(a.TimeZone).String()
		res, err := tx.Exec(`INSERT INTO account (name, layout, id_pattern, allow_from, time_zone, state, created_at) VALUES (?, ?, ?, ?, ?, 'enabled', ?)`,
			a.Name, a.Layout, a.IDPattern, allow, a.TimeZone, millis(tx.now))
		if err != nil {
			return a, err
		}
		a.ID, err = res.LastInsertId()
		a.Enabled, a.CreatedAt = true, tx.now.UTC()
		return a, err
	case err != nil:
		return a, err
	case old.Layout != a.Layout:
		return a, fmt.Errorf("photos of a removed account %q with layout %s are still kept: choose another name, or the same layout", a.Name, old.Layout)
	}
	a.ID, a.Enabled, a.CreatedAt, a.TimeZone = old.ID, true, old.CreatedAt, old.TimeZone
	if a.IDPattern != old.IDPattern {
		// What was a problem under the old one must be looked at again, and
		// above all not be deleted as a stray.
		_, err = tx.Exec(`DELETE FROM upload WHERE account_id = ? AND reason IS NOT NULL AND photo_id IS NULL`, a.ID)
	} else {
		// The days of strays begin anew: nobody could rename them meanwhile.
		_, err = tx.Exec(`UPDATE upload SET since = ?1, delete_after = ?1 + delete_after - since
			WHERE account_id = ?2 AND delete_after IS NOT NULL`, millis(tx.now), a.ID)
	}
	if err != nil {
		return a, err
	}
	_, err = tx.Exec(`UPDATE account SET state = 'enabled', id_pattern = ?, allow_from = ? WHERE id = ?`, a.IDPattern, allow, a.ID)
	return a, err
}

// SetAllow replaces the account's allowlist.
func (tx *Tx) SetAllow(a Account, networks []netip.Prefix) error {
	return tx.change(`UPDATE account SET allow_from = ? WHERE id = ?`, allowJSON(networks), a.ID)
}

// SetEnabled enables or disables the account.
func (tx *Tx) SetEnabled(a Account, enabled bool) error {
	state := "disabled"
	if enabled {
		state = "enabled"
	}
	return tx.change(`UPDATE account SET state = ? WHERE id = ?`, state, a.ID)
}

// RemoveAccount ends an account. Its photos stay as they are, or (files) go
// to the trash together with what is known of its upload tree.
func (tx *Tx) RemoveAccount(a Account, files bool) error {
	if !files {
		return tx.change(`UPDATE account SET state = 'kept' WHERE id = ?`, a.ID)
	}
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	for _, q := range []string{
		`UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE account_id = ?2 AND withdrawn_at IS NULL`,
		`DELETE FROM upload WHERE ?1 AND account_id = ?2 AND ?3`,
		`UPDATE job SET state = 'active', changed_at = ?1 WHERE account_id = ?2 AND ?3`,
		// Log-ins that would see nothing any more, under a name that may soon
		// be another customer's.
		`DELETE FROM operator WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM token WHERE ?1 AND account_id = ?2 AND ?3`,
	} {
		if _, err := tx.Exec(q, millis(tx.now), a.ID, stamp); err != nil {
			return err
		}
	}
	return tx.change(`UPDATE account SET state = 'gone' WHERE id = ?`, a.ID)
}

// change runs an update that must meet exactly one row.
func (tx *Tx) change(query string, args ...any) error {
	res, err := tx.Exec(query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}

func allowJSON(networks []netip.Prefix) string {
	if networks == nil {
		networks = []netip.Prefix{}
	}
	b, _ := json.Marshal(networks) // prefixes always marshal
	return string(b)
}
