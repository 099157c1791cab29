package account

import (
	"context"
	"fmt"
	"strings"

	"picday/store"
)

// Secrets are what lets an account in, as the machine keeps it: enough to make
// the same account elsewhere, and nothing that can be typed.
type Secrets struct {
	Hash string `json:"hash"` // of the password, as in /etc/shadow; "" = no password
	Keys string `json:"keys"` // the account's key file; "" = none
}

// Secrets reads those of one account, enabled or not.
func (s *System) Secrets(name string) (sec Secrets, err error) {
	u, err := mine(name)
	if err != nil {
		return sec, err
	}
	if u.hasPassword() {
		sec.Hash = u.shadow.hash
	}
	for _, path := range []string{s.disabledKeyFile(name), s.keyFile(name)} {
		text, err := readFile(path)
		if err != nil {
			return sec, err
		}
		if text != nil {
			sec.Keys = string(text)
		}
	}
	return sec, nil
}

// Foreign tells why an account cannot be reinstated on this machine: somebody
// else has its name.
func Foreign(name string) error {
	if err := ValidName(name); err != nil {
		return err
	}
	u, err := lookupUser(name)
	if u != nil && u.ours() {
		return nil // left by an earlier picday on this machine
	}
	if err != nil {
		return err
	}
	return free(name)
}

// Reinstate makes an account's Unix user, folders, password and keys what they
// were on another machine, and leaves it closed: Enable opens it. all are the
// accounts that exist. One that is there already is closed and made to fit.
func (s *System) Reinstate(ctx context.Context, a store.Account, sec Secrets, all []store.Account) (done []string, err error) {
	if err := Foreign(a.Name); err != nil {
		return nil, err
	}
	if strings.ContainsAny(sec.Hash, ":\n") {
		return nil, invalid("the password hash of %s is damaged", a.Name)
	}
	var keys []byte
	if sec.Keys != "" {
		if keys, err = s.keyText(ctx, [][]byte{[]byte(sec.Keys)}); err != nil {
			return nil, err
		}
	}
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.ready(); err != nil {
		return nil, err
	}
	steps := []step{
		s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowlist(ctx, a) }),
		s.userStep(a, true),
		s.openStep(a.Name, false),
		sessionsStep(a.Name),
		s.takeOverStep(a),
	}
	steps = append(steps, s.treeSteps(a)...)
	return s.apply(ctx, append(steps,
		s.jailStep(a),
		s.hashStep(a.Name, sec.Hash),
		fileStep("", s.keyFile(a.Name), nil, 0o644),
		s.keyStep(a.Name, keys, false)))
}

// hashStep gives the account a password that only its hash is known of.
func (s *System) hashStep(name, hash string) step {
	if hash == "" {
		return s.passwordStep(name, "")
	}
	var before string
	put := func(ctx context.Context, hash string) error {
		_, err := s.run(ctx, name+":"+hash+"\n", "chpasswd", "--encrypted")
		return wrap("put the password of "+name+" back", err)
	}
	return step{
		what: fmt.Sprintf("put the password of %s back", name),
		done: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			return u != nil && u.shadow != nil && u.shadow.hash == hash, err
		},
		do: func(ctx context.Context) error {
			if u, err := lookupUser(name); err != nil {
				return err
			} else if u != nil && u.shadow != nil {
				before = u.shadow.hash
			}
			return put(ctx, hash)
		},
		undo: func(ctx context.Context) error {
			if u, err := lookupUser(name); u == nil || err != nil || before == "" || u.shadow.hash == before {
				return err
			}
			return put(ctx, before)
		},
	}
}
