package account

import (
	"context"
	"strings"

	"picday/store"
)

// Secrets are the credentials of an account or a log-in as the machine keeps them: enough
// to make the same one on another machine, but no password in clear.
type Secrets struct {
	Hash string `json:"hash"` // of the password, as in /etc/shadow; "" = no password
	Keys string `json:"keys"` // the account's key file; "" = none
}

// Secrets reads the credentials of one account or log-in, enabled or not.
func (s *System) Secrets(name string) (sec Secrets, err error) {
	u, err := anyUser(name)
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

// CheckReinstatable refuses an account if a user not made by picday for it has its name
// on this machine, or that of one of its log-ins.
func CheckReinstatable(a store.Account) error {
	for _, e := range entrances(a) {
		if err := ValidName(e.name); err != nil {
			return err
		}
		u, err := lookupUser(e.name)
		if err != nil {
			return err
		}
		if u != nil && u.fits(e) {
			continue // left by an earlier picday on this machine
		}
		if err := checkFree(e); err != nil {
			return err
		}
	}
	return nil
}

// Reinstate makes an account's Unix user, folders, password and keys as they were on
// another machine, and leaves it closed: Enable opens it. all are the accounts that
// exist. If the Unix user exists already it is closed and changed. ReinstateLogin is to
// follow for each of its log-ins.
func (s *System) Reinstate(ctx context.Context, a store.Account, sec Secrets, all []store.Account) (report []string, err error) {
	if err := CheckReinstatable(a); err != nil {
		return nil, err
	}
	keys, err := sec.check(a.Name)
	if err != nil {
		return nil, err
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
	return s.apply(ctx, append(append(steps, s.jailStep(a)), s.secretSteps(a.Name, sec, keys)...))
}

// check returns the text of the key file.
func (sec Secrets) check(name string) (keys []byte, err error) {
	if strings.ContainsAny(sec.Hash, ":\n") {
		return nil, invalid("the password hash of %s is damaged", name)
	}
	if sec.Keys == "" {
		return nil, nil
	}
	return keyText([][]byte{[]byte(sec.Keys)})
}

// secretSteps give a closed user its password and keys.
func (s *System) secretSteps(name string, sec Secrets, keys []byte) []step {
	return []step{
		s.hashStep(name, sec.Hash),
		fileStep("", s.keyFile(name), nil, 0o644),
		s.keyStep(name, keys, false),
	}
}
