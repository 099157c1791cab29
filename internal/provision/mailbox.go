package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"picday/internal/contract"
	"picday/internal/failure"
	"picday/store"
)

// SetMailbox says where an operator gets mail, "" for nowhere, and about which accounts;
// none means all that he sees, and the machine.
func SetMailbox(ctx context.Context, s *store.Store, operator, address string, accounts []string) error {
	if address != "" && !store.ValidAddress(address) {
		return failure.Usagef("%q is no address for mail: give one such as eva@example.com", address)
	}
	all, err := s.Operators(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(o store.Operator) bool { return o.Name == operator })
	if i < 0 {
		return fmt.Errorf("there is no operator %q: %w: see 'picday operator list'", operator, store.ErrNotFound)
	}
	var ids []int64
	for _, name := range accounts {
		a, err := s.View(all[i].AccountID).Account(ctx, name)
		if errors.Is(err, store.ErrNotFound) && all[i].AccountID != 0 {
			return failure.Refusalf("%s sees the account %s only", operator, all[i].Account)
		}
		if err != nil {
			return err
		}
		ids = append(ids, a.ID)
	}
	return s.Update(ctx, func(tx *store.Tx) error { return tx.SetMailbox(operator, address, ids) })
}

// Operators lists the operators with their mail, by name.
func Operators(ctx context.Context, s *store.Store, _ string) (list []contract.Login, err error) {
	all, err := s.Operators(ctx)
	if err != nil {
		return nil, err
	}
	boxes, err := s.Mailboxes(ctx)
	for _, o := range all {
		l := contract.NewOperatorLogin(o)
		for _, b := range boxes {
			if b.Operator == o.Name {
				l.Email, l.EmailAbout = b.Address, b.Accounts
			}
		}
		list = append(list, l)
	}
	return list, err
}
