package provision

import (
	"fmt"
	"io"

	"picday/internal/account"
)

// A Password is one that a command sets: the first line of In if FromStdin is set, else it
// is generated.
type Password struct {
	In        io.Reader
	FromStdin bool
	Made      string // if it was generated, and has to be shown once
}

// Read returns the password.
func (p *Password) Read() (string, error) {
	if !p.FromStdin {
		p.Made = account.NewPassword()
		return p.Made, nil
	}
	password, err := account.ReadPassword(p.In)
	if err != nil {
		err = fmt.Errorf("--password-stdin: %w", err)
	}
	return password, err
}

// ReadFor is Read, unless there is to be no password.
func (p *Password) ReadFor(c Credentials) (string, error) {
	if c.NoPassword {
		return "", nil
	}
	p.FromStdin = c.PasswordStdin
	return p.Read()
}

// Show prints the password, once it is set.
func (p *Password) Show(w io.Writer) (err error) {
	if p.Made != "" {
		_, err = fmt.Fprintln(w, p.Made)
	}
	return err
}
