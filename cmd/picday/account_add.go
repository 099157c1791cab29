package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/internal/zone"
	"picday/layout"
	"picday/store"
)

func (a *app) accountAdd() *cobra.Command {
	var spec struct {
		layout, idPattern     string
		allow, keys           []string
		fromStdin, noPassword bool
	}
	cmd := a.list("add NAME --layout jobs|portraits", "Make an account and print its connection card", cobra.ExactArgs(1),
		func(ctx context.Context, args []string) error {
			acct, err := newAccount(args[0], spec.layout, spec.idPattern, spec.allow)
			if err != nil {
				return err
			}
			if spec.fromStdin && spec.noPassword {
				return usagef("--password-stdin and --no-password contradict each other")
			}
			if spec.noPassword && len(spec.keys) == 0 {
				return usagef("--no-password without --key makes an account that nobody can enter: give a public key with --key FILE")
			}
			keys, err := readKeys(spec.keys)
			if err != nil {
				return err
			}
			password := ""
			if !spec.noPassword {
				if password, err = a.password(spec.fromStdin); err != nil {
					return err
				}
			}
			cfg, err := a.config()
			if err != nil {
				return err
			}
			acct.TimeZone = cmp.Or(cfg.TimeZone, zone.Machine())
			acct, err = a.add(ctx, account.Spec{Account: acct, Keys: keys, Password: password})
			if err != nil {
				return err
			}
			card, err := a.card(ctx, acct)
			if err != nil {
				return err
			}
			view := accountView{Card: card}
			if !spec.fromStdin {
				view.Password = password
			}
			return a.print(view, func(w io.Writer) {
				fmt.Fprint(w, card.Text())
				if view.Password != "" {
					fmt.Fprintf(w, "\nPassword (shown only now): %s\n", view.Password)
				}
				if acct.Layout == store.Jobs {
					a.say(fmt.Sprintf("Next, a job to upload into: picday job add %s JOB", acct.Name))
				}
			})
		})
	cmd.Flags().StringVar(&spec.layout, "layout", "", "`LAYOUT`: jobs (photo studios) or portraits (schools)")
	choose(cmd, "layout", "jobs", "portraits")
	cmd.Flags().StringArrayVar(&spec.allow, "allow-from", nil, "address or network `CIDR` uploads may come from; repeatable (default: anywhere)")
	cmd.Flags().StringArrayVar(&spec.keys, "key", nil, "public key `FILE`; repeatable")
	cmd.Flags().StringVar(&spec.idPattern, "id-pattern", "", "portraits: `REGEXP` of a person's ID (default "+layout.DefaultIDPattern+")")
	cmd.Flags().BoolVar(&spec.fromStdin, "password-stdin", false, "read the password from standard input instead of generating one")
	cmd.Flags().BoolVar(&spec.noPassword, "no-password", false, "allow keys only")
	return cmd
}

// newAccount checks what the command line says of an account.
func newAccount(name, kind, idPattern string, allow []string) (acct store.Account, err error) {
	acct = store.Account{Name: name, Layout: store.Layout(kind), IDPattern: idPattern}
	if err := account.ValidName(name); err != nil {
		return acct, err
	}
	switch acct.Layout {
	case store.Jobs:
		if idPattern != "" {
			return acct, usagef("--id-pattern is for portraits: in the layout jobs file names are free")
		}
	case store.Portraits:
		if idPattern == "" {
			acct.IDPattern = layout.DefaultIDPattern
		}
		if _, err := layout.CompileID(acct.IDPattern); err != nil {
			return acct, usageError{err}
		}
	default:
		return acct, usagef("--layout %q: use jobs (photo studios) or portraits (schools)", kind)
	}
	acct.AllowFrom, err = account.ParseAllow(allow)
	return acct, err
}

// add makes the account on the machine, then in the catalogue; the catalogue
// comes last, so that a run that was killed is simply run again.
func (a *app) add(ctx context.Context, spec account.Spec) (store.Account, error) {
	acct := spec.Account
	sys, err := a.system()
	if err != nil {
		return acct, err
	}
	s, err := a.open(ctx)
	if err != nil {
		return acct, err
	}
	release, err := sys.Lock(ctx)
	if err != nil {
		return acct, err
	}
	defer release()
	all, err := s.Accounts(ctx)
	if err != nil {
		return acct, err
	}
	if slices.ContainsFunc(all, func(x store.Account) bool { return x.Name == acct.Name }) {
		return acct, fmt.Errorf("the account %s exists already: see 'picday account show %s'", acct.Name, acct.Name)
	}
	known, err := a.nobodyElses(ctx, sys, s, acct)
	if err != nil {
		return acct, err
	}
	done, err := sys.Add(ctx, spec, all)
	a.say(done...)
	if err != nil {
		return acct, err
	}
	err = s.Update(ctx, func(tx *store.Tx) (err error) {
		acct, err = tx.AddAccount(acct)
		return err
	})
	if err != nil {
		undone, uerr := sys.Remove(context.WithoutCancel(ctx), acct, all, false)
		a.say(undone...)
		return acct, errors.Join(err, uerr)
	}
	return acct, a.sayKept(ctx, s, acct, known)
}

// sayKept says what comes with an account that had been removed with --keep,
// for whoever has given a new customer an old one's name.
func (a *app) sayKept(ctx context.Context, s *store.Store, acct store.Account, known bool) error {
	if !known {
		return nil
	}
	operators, tokens, err := logins(ctx, s, acct)
	a.say(fmt.Sprintf("%s is the account of this name that was removed with --keep: its photos and links are its again", acct.Name))
	for _, name := range operators {
		a.say("the operator " + name + " sees it again")
	}
	for _, name := range tokens {
		a.say("the token " + name + " reads it again")
	}
	return err
}

// nobodyElses refuses to give an account what was left by another one of its
// name, unless the catalogue knows it as the same account.
func (a *app) nobodyElses(ctx context.Context, sys *account.System, s *store.Store, acct store.Account) (known bool, err error) {
	switch old, err := s.Account(ctx, acct.Name); {
	case errors.Is(err, store.ErrNotFound):
		n, err := files(sys, acct.Name)
		if err == nil && n > 0 {
			err = refusef("%s holds %d files of an earlier account: move them away first, or they would be taken for the new one's", sys.Base(acct.Name), n)
		}
		return false, err
	case err != nil:
		return false, err
	case old.Layout != acct.Layout:
		return true, refusef("photos of a removed account %s with the layout %s are still kept: choose another name, or end them with 'picday account remove %s --files'",
			acct.Name, old.Layout, acct.Name)
	}
	return true, nil
}

// password reads one line, or makes one.
func (a *app) password(fromStdin bool) (string, error) {
	if !fromStdin {
		return account.NewPassword(), nil
	}
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usagef("--password-stdin: standard input is empty")
	}
	return line, nil
}

// maxKeyFile is far beyond any list of public keys.
const maxKeyFile = 1 << 20

func readKeys(files []string) (keys [][]byte, err error) {
	for _, name := range files {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("key: %w", err)}
		}
		if !fi.Mode().IsRegular() || fi.Size() > maxKeyFile {
			return nil, usagef("key: %s is not a public key file", name)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		keys = append(keys, data)
	}
	return keys, nil
}
