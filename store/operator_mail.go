package store

import (
	"context"
	"database/sql"
	"errors"
	"net/mail"
	"strings"

	"picday/internal/language"
)

// A Mailbox is the address to which an operator gets notices.
type Mailbox struct {
	Operator string
	Address  string            // "" = no mail
	Language language.Language // that the operator has chosen; "" = none
	Accounts []string          // notices about these only; none = about all that the operator sees, and the machine
}

// ValidAddress tells whether an address can be one for mail: only the plain form, because it
// becomes a header, and an argument of SMTP.
func ValidAddress(address string) bool {
	a, err := mail.ParseAddress(address)
	return err == nil && a.Address == address && len(address) <= 254 && !strings.ContainsAny(address, " \"<>")
}

// SetAddress sets the address to which an operator gets notices, about what he got them.
func (tx *Tx) SetAddress(operator, address string) error {
	if err := tx.execOne(`UPDATE operator SET email = ? WHERE name = ?`, address, operator); err != nil || address != "" {
		return err
	}
	return tx.EndLanes(ViaMail, operator)
}

// SetMailbox sets the address to which an operator gets notices, and about which accounts.
func (tx *Tx) SetMailbox(operator, address string, accountIDs []int64) error {
	if err := tx.SetAddress(operator, address); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM operator_mail WHERE operator = ?`, operator); err != nil {
		return err
	}
	for _, id := range accountIDs {
		if _, err := tx.exec(`INSERT INTO operator_mail (operator, account_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, operator, id); err != nil {
			return err
		}
	}
	return nil
}

// Mailboxes lists the operators who get mail, by name.
func (s *Store) Mailboxes(ctx context.Context) ([]Mailbox, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (b Mailbox, err error) {
		var accounts string
		err = r.Scan(&b.Operator, &b.Address, &b.Language, &accounts)
		b.Operator, b.Address = login(b.Operator), oneLine(b.Address)
		if accounts != "" {
			b.Accounts = strings.Split(accounts, " ") // account names contain no spaces
		}
		return b, err
	}, `SELECT o.name, o.email, o.language, coalesce((SELECT group_concat(a.name, ' ') FROM operator_mail m JOIN account a ON a.id = m.account_id
		WHERE m.operator = o.name AND a.state <> 'gone'), '') FROM operator o WHERE o.email <> '' ORDER BY o.name`)
}

// receivesMail is the SQL condition that the operator o gets the notices about account ?1,
// or about the machine if that is 0.
const receivesMail = `o.email <> '' AND (o.account_id IS NULL OR o.account_id = ?1)
	AND (NOT EXISTS (SELECT 1 FROM operator_mail m WHERE m.operator = o.name)
		OR EXISTS (SELECT 1 FROM operator_mail m WHERE m.operator = o.name AND m.account_id = ?1))`

// MailReceivers lists the operators who get the notices about an account, 0 = the machine.
func (s *Store) MailReceivers(ctx context.Context, accountID int64) ([]string, error) {
	return column[string](ctx, s.read, `SELECT o.name FROM operator o WHERE `+receivesMail+` ORDER BY o.name`, accountID)
}

// MailAddress returns the address to which an operator gets the notices about an account,
// 0 = the machine, and in which language: the one that the operator has chosen, else the
// account's, else none. It returns ErrNotFound if the operator does not get them.
func (s *Store) MailAddress(ctx context.Context, operator string, accountID int64) (address string, speaks language.Language, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT o.email, coalesce(nullif(o.language, ''), (SELECT a.language FROM account a WHERE a.id = ?1), '')
		FROM operator o WHERE `+receivesMail+` AND o.name = ?2`, accountID, operator).Scan(&address, &speaks)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return address, speaks, err
}
