package provision

import (
	"cmp"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/failure"
	"picday/internal/language"
	"picday/internal/layout"
	"picday/internal/zone"
	"picday/store"
)

// A Request is for a new account, as it was typed.
type Request struct {
	Name, Layout string
	Language     string   // empty for the configuration's
	IDPattern    string   // portraits; empty for the default one
	Allow        []string // addresses and networks that it may come from; none = anywhere
	Credentials
}

// Credentials are what lets somebody in, as it was typed; beside keys a password,
// unless NoPassword.
type Credentials struct {
	KeyFiles      []string
	PasswordStdin bool
	NoPassword    bool
}

// Keys checks the credentials and reads the keys' files.
func (c Credentials) Keys() ([][]byte, error) {
	switch {
	case c.PasswordStdin && c.NoPassword:
		return nil, failure.Usagef("--password-stdin and --no-password contradict each other")
	case c.NoPassword && len(c.KeyFiles) == 0:
		return nil, failure.Usagef("--no-password without --key makes an account that nobody can enter: give a public key with --key FILE")
	}
	return account.ReadKeyFiles(c.KeyFiles)
}

// Spec checks the request and reads its files. The password is left to the caller. Errors are failure.Usage, or say that a file cannot be read.
func (r Request) Spec(cfg config.Config) (spec account.Spec, err error) {
	acct := store.Account{Name: r.Name, Layout: layout.Kind(r.Layout), TimeZone: cmp.Or(cfg.TimeZone, zone.Machine()), Language: language.Language(cmp.Or(r.Language, cfg.Language))}
	if err := account.ValidName(r.Name); err != nil {
		return spec, failure.Usage(err)
	}
	switch acct.Layout {
	case layout.Jobs:
		if r.IDPattern != "" {
			return spec, failure.Usagef("--id-pattern is for portraits: in the layout jobs file names are free")
		}
	case layout.Portraits:
		acct.IDPattern = cmp.Or(r.IDPattern, layout.DefaultIDPattern)
		if _, err := layout.CompileID(acct.IDPattern); err != nil {
			return spec, failure.Usage(err)
		}
	default:
		return spec, failure.Usagef("--layout %q: use jobs (photo studios) or portraits (schools)", r.Layout)
	}
	if acct.AllowFrom, err = account.ParseAllow(r.Allow); err != nil {
		return spec, failure.Usage(err)
	}
	keys, err := r.Keys()
	return account.Spec{Account: acct, Keys: keys}, err
}
