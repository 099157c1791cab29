package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"picday/internal/areas"
	"picday/internal/language"
	"picday/internal/layout"
	"picday/internal/names"
)

// An Account is a locked-down folder tree with the SFTP log-in of the same name, and
// perhaps with further ones.
type Account struct {
	ID        int64
	Name      string
	Layout    layout.Kind
	IDPattern string         // portraits: the regular expression that a whole ID must match
	AllowFrom []netip.Prefix // the networks that may log in; none = all
	Enabled   bool
	Kept      bool // the account was removed, but its photos and files were kept
	CreatedAt time.Time
	TimeZone  string // IANA name: of cameras that record no zone
	Language  language.Language
	Logins    []Login     // further ones, by name
	Flaws     []Flaw      // invalid values in its row; see Flawed
	Areas     areas.Names // further names of individuals and group, of this account

	areasApplied string
}

// accountColumns has the log-ins as JSON, so that nobody can read an account without
// them. Whatever is written there, it stays short, and the statement does not fail.
const accountColumns = `SELECT id, name, layout, id_pattern, allow_from, time_zone, language, state, created_at, areas, areas_applied,
	(SELECT json_group_array(json_array(substr(CAST(name AS TEXT), 1, 80), substr(CAST(until AS TEXT), 1, 80), CAST(created_at AS INTEGER)))
		FROM (SELECT name, until, created_at FROM login WHERE account_id = a.id ORDER BY name LIMIT 201))
	FROM account a `

func scanAccount(r interface{ Scan(...any) error }) (a Account, err error) {
	var name, kind, idPattern, allow, tz, speaks, state, own, applied, logins string
	var created int64
	if err := r.Scan(&a.ID, &name, &kind, &idPattern, &allow, &tz, &speaks, &state, &created, &own, &applied, &logins); err != nil {
		return a, err
	}
	a.parse(name, kind, idPattern, allow)
	a.parseLogins(logins)
	a.parseAreas(own, applied)
	a.Enabled, a.Kept = state == "enabled", state == "kept"
	a.CreatedAt, a.TimeZone, a.Language = fromMillis(created), locationOf(tz).String(), language.In(language.Language(speaks)).Language
	return a, nil
}

// Accounts lists the enabled and disabled accounts, by names.Key.
func (v View) Accounts(ctx context.Context) ([]Account, error) {
	return v.accountsWhere(ctx, "a.state IN ('enabled', 'disabled')")
}

// KeptAccounts lists the removed accounts whose photos were kept, by names.Key.
func (v View) KeptAccounts(ctx context.Context) ([]Account, error) {
	return v.accountsWhere(ctx, "a.state = 'kept'")
}

func (v View) accountsWhere(ctx context.Context, state string) ([]Account, error) {
	var w where
	v.only(&w, "a.id")
	w.add(state)
	return collect(ctx, v.s.read, func(r *sql.Rows) (Account, error) { return scanAccount(r) },
		accountColumns+w.sql()+` ORDER BY a.sort, a.name`, w.args...)
}

// Account finds an account by its name, including removed ones whose photos were kept.
func (v View) Account(ctx context.Context, name string) (Account, error) {
	var w where
	v.only(&w, "a.id")
	w.add("a.name = ?", name)
	a, err := scanAccount(v.s.read.QueryRowContext(ctx, accountColumns+w.sql(), w.args...))
	if errors.Is(err, sql.ErrNoRows) {
		names, err := v.AccountNames(ctx)
		if err != nil {
			return a, err
		}
		return a, fmt.Errorf("account %q: %w%s", name, ErrNotFound, hint(name, names))
	}
	return a, err
}

// An AccountSummary is an account with its counts.
type AccountSummary struct {
	Account
	Photos     int // published
	Problems   int
	LastUpload time.Time // the latest IngestedAt of a published photo; zero = none
}

// AccountSummaries lists what Accounts and KeptAccounts list, with the counts, by name.
func (v View) AccountSummaries(ctx context.Context) ([]AccountSummary, error) {
	accounts, err := v.accountsWhere(ctx, "a.state <> 'gone'")
	if err != nil {
		return nil, err
	}
	all := make([]AccountSummary, len(accounts))
	for i, a := range accounts {
		if all[i], err = v.summary(ctx, a); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// AccountSummary finds one account with its counts.
func (v View) AccountSummary(ctx context.Context, name string) (AccountSummary, error) {
	a, err := v.Account(ctx, name)
	if err != nil {
		return AccountSummary{}, err
	}
	return v.summary(ctx, a)
}

func (v View) summary(ctx context.Context, a Account) (AccountSummary, error) {
	s := AccountSummary{Account: a}
	var last int64
	err := v.s.read.QueryRowContext(ctx, `SELECT t.photos, t.problems,
		coalesce((SELECT max(ingested_at) FROM photo WHERE account_id = ?1 AND withdrawn_at IS NULL), 0)
		FROM tally t WHERE t.account_id = ?1`, a.ID).
		Scan(&s.Photos, &s.Problems, &last)
	if last != 0 {
		s.LastUpload = fromMillis(last)
	}
	return s, err
}

// AccountNames lists the names of the accounts that AccountSummaries lists. It is cheaper.
func (v View) AccountNames(ctx context.Context) ([]string, error) {
	var w where
	v.only(&w, "a.id")
	return collect(ctx, v.s.read, func(r *sql.Rows) (name string, err error) {
		return name, r.Scan(&name)
	}, `SELECT a.name FROM account a `+w.sql()+` ORDER BY a.sort, a.name`, w.args...)
}

// accountID finds the ID of an account of the view; sql.ErrNoRows if there is none of
// that name.
func (v View) accountID(ctx context.Context, q querier, name string) (id int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT id FROM account WHERE name = ? AND state <> 'gone'`, name).Scan(&id)
	if err == nil && v.account != 0 && id != v.account {
		err = sql.ErrNoRows
	}
	return id, err
}

// AddAccount adds an account, and returns it with its ID. If an account of that name was
// removed and its photos kept, it becomes enabled again, with its ID and photos; its
// layout must be the same. It fails with ErrTaken if another account or a log-in has the
// name.
func (tx *Tx) AddAccount(a Account) (Account, error) {
	old, err := scanAccount(tx.queryRow(accountColumns+`WHERE name = ? AND state = 'kept'`, a.Name))
	allow := allowJSON(a.AllowFrom)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if err := tx.nameFree(a.Name); err != nil {
			return a, err
		}
		a.TimeZone, a.Language = locationOf(a.TimeZone).String(), language.In(a.Language).Language
		res, err := tx.exec(`INSERT INTO account (name, layout, id_pattern, allow_from, time_zone, language, state, created_at, sort) VALUES (?, ?, ?, ?, ?, ?, 'enabled', ?, ?)`,
			a.Name, a.Layout, a.IDPattern, allow, a.TimeZone, a.Language, millis(tx.now), names.Key(a.Name))
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
	a.ID, a.Enabled, a.CreatedAt, a.TimeZone, a.Language = old.ID, true, old.CreatedAt, old.TimeZone, old.Language
	if a.IDPattern != old.IDPattern {
		// Forget the problems, so that the daemon decides about them by the new
		// pattern. A file that the old pattern made a stray must not be deleted.
		_, err = tx.exec(`DELETE FROM upload WHERE account_id = ? AND reason IS NOT NULL AND photo_id IS NULL`, a.ID)
	} else {
		// Begin the time before the deletion of strays again, because nobody could
		// rename them while the account was removed.
		_, err = tx.exec(`UPDATE upload SET since = ?1, delete_after = ?1 + delete_after - since
			WHERE account_id = ?2 AND delete_after IS NOT NULL`, millis(tx.now), a.ID)
	}
	if err != nil {
		return a, err
	}
	_, err = tx.exec(`UPDATE account SET state = 'enabled', id_pattern = ?, allow_from = ? WHERE id = ?`, a.IDPattern, allow, a.ID)
	return a, err
}

// SetAllow replaces the account's allowlist.
func (tx *Tx) SetAllow(a Account, networks []netip.Prefix) error {
	return tx.execOne(`UPDATE account SET allow_from = ? WHERE id = ?`, allowJSON(networks), a.ID)
}

// SetLanguage says in which language the account's uploaders read.
func (tx *Tx) SetLanguage(a Account, l language.Language) error {
	return tx.execOne(`UPDATE account SET language = ? WHERE id = ?`, l, a.ID)
}

// SetEnabled enables or disables the account.
func (tx *Tx) SetEnabled(a Account, enabled bool) error {
	state := "disabled"
	if enabled {
		state = "enabled"
	}
	return tx.execOne(`UPDATE account SET state = ? WHERE id = ?`, state, a.ID)
}

// emptyAtOnce is the limit of photos, and of other uploads, per transaction of
// EmptyAccount.
const emptyAtOnce = 1000

// EmptyAccount withdraws all photos of an account whose upload tree was deleted, and
// deletes its upload rows, in many short transactions. Call it again if it was
// interrupted, and RemoveAccount when it is done. It calls progress, if that is not nil,
// with the number of photos done and the total.
func (s *Store) EmptyAccount(ctx context.Context, a Account, progress func(done, of int)) error {
	c, err := s.View(a.ID).Counts(ctx)
	if err != nil {
		return err
	}
	withdrawn := 0
	for more := true; more; {
		err := s.Update(ctx, func(tx *Tx) (err error) {
			var n int
			n, more, err = tx.emptyAccount(a, emptyAtOnce)
			withdrawn += n
			return err
		})
		if err != nil {
			return err
		}
		if progress != nil {
			progress(withdrawn, max(c.Photos, withdrawn))
		}
		if more {
			if err := letOthersWrite(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// emptyAccount withdraws at most limit photos and deletes their upload rows. If none are
// left it also deletes at most limit rows of present files, and of missing ones.
func (tx *Tx) emptyAccount(a Account, limit int) (photos int, more bool, err error) {
	ids, err := column[int64](tx.ctx, tx.t, `SELECT id FROM photo WHERE account_id = ? AND withdrawn_at IS NULL LIMIT ?`, a.ID, limit)
	if err != nil {
		return 0, false, err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return 0, false, err
	}
	for _, id := range ids {
		if err := tx.execOne(`UPDATE photo SET withdrawn_at = ?, changed_at = ? WHERE id = ?`, millis(tx.now), stamp, id); err != nil {
			return 0, false, err
		}
		if _, err := tx.exec(`DELETE FROM upload WHERE photo_id = ?`, id); err != nil {
			return 0, false, err
		}
	}
	if len(ids) == limit {
		return len(ids), true, nil
	}
	for _, q := range []string{
		`DELETE FROM upload WHERE id IN (SELECT id FROM upload WHERE account_id = ? AND gone_at IS NULL LIMIT ?)`,
		`DELETE FROM upload WHERE id IN (SELECT id FROM upload WHERE account_id = ? AND gone_at IS NOT NULL LIMIT ?)`,
	} {
		n, err := tx.execCount(q, a.ID, limit)
		if err != nil {
			return 0, false, err
		}
		more = more || n == int64(limit)
	}
	return len(ids), more, nil
}

// RemoveAccount removes an account and its log-ins. Without files its photos stay as they are and it is
// Kept. With files they are withdrawn, and its upload rows, subjects, rosters, operators
// and tokens are deleted. To keep the transaction short, call EmptyAccount first; RemoveAccount then
// withdraws only what was published since.
func (tx *Tx) RemoveAccount(a Account, files bool) error {
	if _, err := tx.exec(`DELETE FROM login WHERE account_id = ?`, a.ID); err != nil {
		return err
	}
	if !files {
		return tx.execOne(`UPDATE account SET state = 'kept' WHERE id = ?`, a.ID)
	}
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	for _, q := range []string{
		`UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE account_id = ?2 AND withdrawn_at IS NULL`,
		`DELETE FROM upload WHERE ?1 AND account_id = ?2 AND ?3`,
		`UPDATE job SET state = 'active', changed_at = ?1 WHERE account_id = ?2 AND ?3`,
		// Their log-ins would see nothing, and another customer may get an account of
		// this name.
		`DELETE FROM operator WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM token WHERE ?1 AND account_id = ?2 AND ?3`,
		// Without a row he would get the mail of all accounts.
		`UPDATE operator SET email = '' WHERE ?1 AND ?3 AND name IN (SELECT operator FROM operator_mail WHERE account_id = ?2)
			AND NOT EXISTS (SELECT 1 FROM operator_mail m WHERE m.operator = operator.name AND m.account_id <> ?2)`,
		`DELETE FROM operator_mail WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM subject_photo WHERE ?1 AND ?3 AND subject_id IN (SELECT id FROM subject WHERE account_id = ?2)`,
		`DELETE FROM subject_code WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM subject WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM roster WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM crop_rule WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM arriving WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM told WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM lane WHERE ?1 AND account_id = ?2 AND ?3`,
		`DELETE FROM notice WHERE ?1 AND account_id = ?2 AND ?3`,
	} {
		if _, err := tx.exec(q, millis(tx.now), a.ID, stamp); err != nil {
			return err
		}
	}
	return tx.execOne(`UPDATE account SET state = 'gone' WHERE id = ?`, a.ID)
}

func allowJSON(networks []netip.Prefix) string {
	if networks == nil {
		networks = []netip.Prefix{}
	}
	b, _ := json.Marshal(networks) // cannot fail for prefixes
	return string(b)
}
