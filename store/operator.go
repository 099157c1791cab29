package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"picday/internal/language"
	"picday/internal/names"
)

// An Operator may log in to the administration pages.
type Operator struct {
	Name      string
	AccountID int64  // 0 = may see all accounts
	Account   string // "" = all
	CreatedAt time.Time
	Role      Role
	Language  language.Language // of the pages; "" = as the browser prefers
}

// SessionIdle and SessionLife are how long a log-in lasts, unused and at most.
const (
	SessionIdle = 12 * time.Hour
	SessionLife = 7 * 24 * time.Hour
)

// ErrTaken is returned for a name that another operator or token has.
var ErrTaken = errors.New("this name is taken")

// ErrPassword is returned by HashPassword for a password of a wrong length.
var ErrPassword = errors.New("a password has 10 to 72 bytes")

// HashPassword returns the bcrypt hash of a password for AddOperator. It is slow on
// purpose.
func HashPassword(password string) (string, error) {
	if len(password) < 10 || len(password) > 72 { // bcrypt uses the first 72 bytes only
		return "", ErrPassword
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), 12)
	return string(hash), err
}

// AddOperator adds an operator with a hash from HashPassword; without a role it is Work.
// It fails with ErrTaken.
func (tx *Tx) AddOperator(o Operator, hash string) error {
	sealed, err := tx.s.encryptHash(o.Name, hash)
	if err != nil {
		return err
	}
	n, err := tx.execCount(`INSERT INTO operator (name, account_id, role, password, created_at) VALUES (?, nullif(?, 0), ?, ?, ?) ON CONFLICT DO NOTHING`,
		o.Name, o.AccountID, cmp.Or(o.Role, Work), sealed, millis(tx.now))
	if err == nil && n == 0 {
		err = ErrTaken
	}
	return err
}

// SetOperatorPassword sets a hash from HashPassword, and ends all sessions of the
// operator.
func (tx *Tx) SetOperatorPassword(name, hash string) error {
	sealed, err := tx.s.encryptHash(name, hash)
	if err != nil {
		return err
	}
	if err := tx.execOne(`UPDATE operator SET password = ? WHERE name = ?`, sealed, name); err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM session WHERE operator = ?`, name)
	return err
}

// SetOperatorRole gives an operator another role, also in his open sessions.
func (tx *Tx) SetOperatorRole(name string, role Role) error {
	return tx.execOne(`UPDATE operator SET role = ? WHERE name = ?`, role, name)
}

// SetOperatorLanguage says in which language the operator reads the pages.
func (tx *Tx) SetOperatorLanguage(name string, l language.Language) error {
	return tx.execOne(`UPDATE operator SET language = ? WHERE name = ?`, l, name)
}

// RemoveOperator removes an operator and ends all its sessions.
func (tx *Tx) RemoveOperator(name string) error {
	if err := tx.EndLanes(ViaMail, name); err != nil {
		return err
	}
	return tx.execOne(`DELETE FROM operator WHERE name = ?`, name)
}

const operatorColumns = `SELECT o.name, coalesce(o.account_id, 0), coalesce(a.name, ''), o.created_at, o.role, o.language
	FROM operator o LEFT JOIN account a ON a.id = o.account_id `

func scanOperator(r interface{ Scan(...any) error }) (o Operator, err error) {
	var created int64
	err = r.Scan(&o.Name, &o.AccountID, &o.Account, &created, &o.Role, &o.Language)
	o.CreatedAt, o.Name = fromMillis(created), login(o.Name)
	return o, err
}

// Operators lists the operators by name.
func (s *Store) Operators(ctx context.Context) ([]Operator, error) {
	all, err := collect(ctx, s.read, func(r *sql.Rows) (Operator, error) { return scanOperator(r) }, operatorColumns+`ORDER BY o.name`)
	names.Sort(all, func(o Operator) string { return o.Name })
	return all, err
}

// nobody is the hash that a password is compared with if there is no such operator,
// so that the answer takes as long.
var nobody = sync.OnceValue(func() string {
	hash, _ := HashPassword("nobody has this password") // of a good length
	return hash
})

// LogIn checks a name and password, and returns the stored hash for StartSession. It
// fails with ErrNotFound if one of the two is wrong, and takes equally long for an
// unknown name.
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
	return s.decryptHash(operator, sealed)
}

// StartSession starts a session and returns the value of its cookie. It also deletes
// expired sessions. hash comes from LogIn. It fails with ErrNotFound if the password was
// changed or the operator removed since LogIn, so that an old password is of no use.
func (tx *Tx) StartSession(operator, hash string) (cookie string, err error) {
	if _, err := tx.exec(`DELETE FROM session WHERE created_at < ? OR seen_at < ?`,
		millis(tx.now.Add(-SessionLife)), millis(tx.now.Add(-SessionIdle))); err != nil {
		return "", err
	}
	now, err := tx.s.passwordOf(tx.ctx, tx.t, operator)
	if errors.Is(err, sql.ErrNoRows) || err == nil && now != hash {
		return "", ErrNotFound
	}
	if err != nil {
		return "", err
	}
	cookie, secret := newSecret()
	return cookie, tx.execOne(`INSERT INTO session (hash, operator, created_at, seen_at) VALUES (?1, ?3, ?2, ?2)`, secret, millis(tx.now), operator)
}

// EndSession ends the session of a cookie.
func (tx *Tx) EndSession(cookie string) error {
	_, err := tx.exec(`DELETE FROM session WHERE hash = ?`, hashSecret(cookie))
	return err
}

// Session finds out whose session a cookie is of. seen is when SeenSession
// was last called for it. ErrNotFound: there is no such session.
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

// SeenSession restarts the idle time of a session.
func (tx *Tx) SeenSession(cookie string) error {
	_, err := tx.exec(`UPDATE session SET seen_at = ? WHERE hash = ?`, millis(tx.now), hashSecret(cookie))
	return err
}
