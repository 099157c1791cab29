package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// An Operator is somebody who may log in to the administration pages.
type Operator struct {
	Name      string
	AccountID int64  // 0 = sees all accounts
	Account   string // "" = all
	CreatedAt time.Time
}

// SessionIdle and SessionLife are how long a log-in lasts, unused and at most.
const (
	SessionIdle = 12 * time.Hour
	SessionLife = 7 * 24 * time.Hour
)

// ErrTaken is returned for a name that another operator or token has.
var ErrTaken = errors.New("this name is taken")

// ErrPassword is returned by HashPassword for one that will not do.
var ErrPassword = errors.New("a password has 10 to 72 bytes")

// HashPassword prepares a password for AddOperator. It takes a while.
func HashPassword(password string) (string, error) {
	if len(password) < 10 || len(password) > 72 { // bcrypt looks at no more
		return "", ErrPassword
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), 12)
	return string(hash), err
}

// AddOperator enters an operator with a password from HashPassword.
func (tx *Tx) AddOperator(o Operator, hash string) error {
	sealed, err := tx.s.seal(o.Name, hash)
	if err != nil {
		return err
	}
	n, err := tx.count(`INSERT INTO operator (name, account_id, password, created_at) VALUES (?, nullif(?, 0), ?, ?) ON CONFLICT DO NOTHING`,
		o.Name, o.AccountID, sealed, millis(tx.now))
	if err == nil && n == 0 {
		err = ErrTaken
	}
	return err
}

// SetOperatorPassword replaces a password by one from HashPassword, and ends
// the sessions that began with the old one.
func (tx *Tx) SetOperatorPassword(name, hash string) error {
	sealed, err := tx.s.seal(name, hash)
	if err != nil {
		return err
	}
	if err := tx.change(`UPDATE operator SET password = ? WHERE name = ?`, sealed, name); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM session WHERE operator = ?`, name)
	return err
}

// RemoveOperator ends an operator's log-in and every session.
func (tx *Tx) RemoveOperator(name string) error {
	return tx.change(`DELETE FROM operator WHERE name = ?`, name)
}

const operatorColumns = `SELECT o.name, coalesce(o.account_id, 0), coalesce(a.name, ''), o.created_at
	FROM operator o LEFT JOIN account a ON a.id = o.account_id `

func scanOperator(r interface{ Scan(...any) error }) (o Operator, err error) {
	var created int64
	err = r.Scan(&o.Name, &o.AccountID, &o.Account, &created)
	o.CreatedAt, o.Name = fromMillis(created), login(o.Name)
	return o, err
}

// Operators lists the operators by name.
func (s *Store) Operators(ctx context.Context) ([]Operator, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (Operator, error) { return scanOperator(r) }, operatorColumns+`ORDER BY o.name`)
}

// nobody is compared with when there is no such operator, so that the answer
// takes as long.
var nobody = sync.OnceValue(func() string {
	hash, _ := HashPassword("nobody has this password") // of a good length
	return hash
})

// LogIn checks a name and password, and returns the hash that it was checked
// against, for StartSession. It takes as long for a name that is not there.
// ErrNotFound = one of the two is wrong.
func (s *Store) LogIn(ctx context.Context, name, password string) (hash string, err error) {
	hash, err = s.passwordOf(ctx, s.read, name)
	if errors.Is(err, sql.ErrNoRows) {
		hash = nobody()
	} else if err != nil {
		return "", err
	}
	wrong := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	if err != nil || wrong != nil {
		return "", ErrNotFound
	}
	return hash, nil
}

func (s *Store) passwordOf(ctx context.Context, q querier, operator string) (hash string, err error) {
	var sealed string
	if err := q.QueryRowContext(ctx, `SELECT password FROM operator WHERE name = ?`, operator).Scan(&sealed); err != nil {
		return "", err
	}
	return s.unseal(operator, sealed)
}

// StartSession begins a session and returns what goes into the cookie. Old
// ones are cleared away on the way. hash is what LogIn returned. ErrNotFound =
// the password was replaced since, or the operator removed: whoever knew the
// old one must not come in after that.
func (tx *Tx) StartSession(operator, hash string) (cookie string, err error) {
	if _, err := tx.Exec(`DELETE FROM session WHERE created_at < ? OR seen_at < ?`,
		millis(tx.now.Add(-SessionLife)), millis(tx.now.Add(-SessionIdle))); err != nil {
		return "", err
	}
	now, err := tx.s.passwordOf(context.Background(), tx, operator)
	if errors.Is(err, sql.ErrNoRows) || err == nil && now != hash {
		return "", ErrNotFound
	}
	if err != nil {
		return "", err
	}
	cookie, secret := newSecret()
	return cookie, tx.change(`INSERT INTO session (hash, operator, created_at, seen_at) VALUES (?1, ?3, ?2, ?2)`, secret, millis(tx.now), operator)
}

// EndSession ends the session of a cookie.
func (tx *Tx) EndSession(cookie string) error {
	_, err := tx.Exec(`DELETE FROM session WHERE hash = ?`, hashSecret(cookie))
	return err
}

// Session finds out whose session a cookie is of. seen is when SeenSession
// was last called for it. ErrNotFound = nobody's.
func (s *Store) Session(ctx context.Context, cookie string) (o Operator, seen time.Time, err error) {
	now := time.Now()
	var at int64
	var name string
	err = s.read.QueryRowContext(ctx, `SELECT operator, seen_at FROM session WHERE hash = ? AND created_at >= ? AND seen_at >= ?`,
		hashSecret(cookie), millis(now.Add(-SessionLife)), millis(now.Add(-SessionIdle))).Scan(&name, &at)
	if err == nil {
		o, err = scanOperator(s.read.QueryRowContext(ctx, operatorColumns+`WHERE o.name = ?`, name))
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return o, fromMillis(at), err
}

// SeenSession keeps a session from ending for being idle.
func (tx *Tx) SeenSession(cookie string) error {
	_, err := tx.Exec(`UPDATE session SET seen_at = ? WHERE hash = ?`, millis(tx.now), hashSecret(cookie))
	return err
}
