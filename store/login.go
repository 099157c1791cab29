package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"picday/internal/localtime"
)

// A Login is a further name under which an account is entered, with a password, keys
// and an end of its own. Whoever enters under it sees and owns what the account does.
// Accounts and log-ins share one name space.
type Login struct {
	Name      string
	Until     localtime.Day // the last day on which it lets anybody in; zero = no end
	CreatedAt time.Time
}

// Ended tells whether the log-in's last day is over.
func (l Login) Ended(now time.Time) bool { return !l.Until.IsZero() && !now.Before(l.Until.End()) }

// LongOver is the last day of a log-in with an unreadable one. None would mean no end.
var LongOver = localtime.DayOf(time.Unix(0, 0).UTC())

// maxLogins is far more than a studio has freelancers. accountColumns reads one more.
const maxLogins = 200

// parseLogins fills in the log-ins, as far as their rows can be true.
func (a *Account) parseLogins(rows string) {
	flaw := func(fix, format string, args ...any) {
		a.Flaws = append(a.Flaws, Flaw{LoginColumn, fmt.Sprintf(format, args...), fix})
	}
	var list [][]any
	if err := json.Unmarshal([]byte(rows), &list); err != nil {
		flaw("", "%s are no log-ins", brief(rows))
	}
	if len(list) > maxLogins {
		flaw("", "there are more than %d", maxLogins)
		list = list[:maxLogins]
	}
	for _, row := range list {
		name, _ := row[0].(string)
		until, _ := row[1].(string)
		created, _ := row[2].(float64)
		if ValidName(name) != nil || name == a.Name {
			flaw("", "%s cannot be the name of one", brief(name))
			continue
		}
		l := Login{Name: name, CreatedAt: fromMillis(int64(created))}
		if until != "" {
			var err error
			if l.Until, err = localtime.ParseDay(until); err != nil {
				flaw(fmt.Sprintf("end the log-in with \"picday account login remove %s %s\"", a.Name, name), "%s is not the last day of %s", brief(until), name)
				l.Until = LongOver
			}
		}
		a.Logins = append(a.Logins, l)
	}
}

// Login finds one of the account's log-ins.
func (a Account) Login(name string) (Login, error) {
	for _, l := range a.Logins {
		if l.Name == name {
			return l, nil
		}
	}
	return Login{}, fmt.Errorf("the account %s has no log-in %q: %w", a.Name, name, ErrNotFound)
}

// AccountOfLogin finds the account that has this log-in.
func (v View) AccountOfLogin(ctx context.Context, login string) (Account, error) {
	var w where
	v.only(&w, "a.id")
	w.add("a.id = (SELECT account_id FROM login WHERE name = ?)", login)
	a, err := scanAccount(v.s.read.QueryRowContext(ctx, accountColumns+w.sql(), w.args...))
	if errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("log-in %q: %w", login, ErrNotFound)
	}
	return a, err
}

// WithLogin returns the account with l in place of the log-in of the same name.
func (a Account) WithLogin(l Login) Account {
	a = a.WithoutLogin(l.Name)
	a.Logins = append(a.Logins, l)
	slices.SortFunc(a.Logins, func(x, y Login) int { return strings.Compare(x.Name, y.Name) })
	return a
}

// WithoutLogin returns the account without the log-in of that name.
func (a Account) WithoutLogin(name string) Account {
	a.Logins = slices.DeleteFunc(slices.Clone(a.Logins), func(l Login) bool { return l.Name == name })
	return a
}

// AddLogin enters a log-in of an account. It fails with ErrTaken if an account or
// another log-in has its name.
func (tx *Tx) AddLogin(a Account, l Login) (Login, error) {
	if err := tx.nameFree(l.Name); err != nil {
		return l, err
	}
	l.CreatedAt = tx.now.UTC()
	_, err := tx.exec(`INSERT INTO login (name, account_id, until, created_at) VALUES (?, ?, ?, ?)`, l.Name, a.ID, l.Until.String(), millis(tx.now))
	return l, err
}

// nameFree fails with ErrTaken if an account, also one of which only the photos are
// kept, or a log-in has the name.
func (tx *Tx) nameFree(name string) error {
	var taken bool
	err := tx.queryRow(`SELECT EXISTS (SELECT 1 FROM login WHERE name = ?1) OR EXISTS (SELECT 1 FROM account WHERE name = ?1 AND state <> 'gone')`, name).Scan(&taken)
	if err == nil && taken {
		err = fmt.Errorf("%q: %w", name, ErrTaken)
	}
	return err
}

// SetLoginEnd replaces the last day of a log-in. It fails with ErrNotFound.
func (tx *Tx) SetLoginEnd(a Account, l Login) error {
	return tx.execOne(`UPDATE login SET until = ? WHERE name = ? AND account_id = ?`, l.Until.String(), l.Name, a.ID)
}

// RemoveLogin ends a log-in. It fails with ErrNotFound.
func (tx *Tx) RemoveLogin(a Account, name string) error {
	return tx.execOne(`DELETE FROM login WHERE name = ? AND account_id = ?`, name, a.ID)
}
