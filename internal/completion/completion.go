// Package completion completes commands' arguments and flags in the shell with
// names of accounts and jobs.
package completion

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"picday/internal/export"
	"picday/internal/failure"
	"picday/internal/manual"
	"picday/store"
)

// wait is how long a shell may wait for names.
const wait = time.Second

// Shells are those that Script knows.
var Shells = []string{"bash", "zsh", "fish"}

// Script writes what the shell needs to complete root's words.
func Script(w io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	}
	return failure.Usagef("there is nothing for the shell %q: use bash, zsh or fish", shell)
}

// Open opens the catalogue, which is closed after each use.
type Open func(context.Context) (*store.Store, error)

// OfferNames makes the shell complete names of accounts and jobs wherever a
// usage line or a flag of cmd, or of a command below it, takes one.
func OfferNames(cmd *cobra.Command, open Open) {
	for _, sub := range cmd.Commands() {
		OfferNames(sub, open)
	}
	if words := manual.Placeholders(cmd); len(words) > 0 && cmd.ValidArgs == nil && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			at := min(len(args), len(words)-1)
			if len(args) >= len(words) && !strings.HasSuffix(cmd.Use, "...") && !strings.HasSuffix(cmd.Use, "...]") {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return complete(cmd, open, words[at], args)
		}
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		value, _ := pflag.UnquoteUsage(f)
		if _, there := cmd.GetFlagCompletionFunc(f.Name); there || value == "" || value == "FILE" || value == "DIR" {
			return // shells complete files by themselves
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return complete(cmd, open, value, args)
		})
	})
}

// Choose makes the shell complete a flag that takes one of a few words.
func Choose(cmd *cobra.Command, flag string, words ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// Unquote removes the backquotes that mark a flag's value in its usage, which
// shells would show.
func Unquote(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		Unquote(sub)
	}
	unquote := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	cmd.PersistentFlags().VisitAll(unquote)
	cmd.Flags().VisitAll(unquote)
}

// complete returns the names for a placeholder. If the catalogue cannot be read
// in time there are none, and no error is shown.
func complete(cmd *cobra.Command, open Open, word string, args []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	none := cobra.ShellCompDirectiveNoFileComp
	adding := cmd.Name() == "add" // then the last word is a new name
	var names func(context.Context, *store.Store, []string) ([]cobra.Completion, error)
	switch {
	case word == "FORMAT":
		return export.Names(), none
	case word == "FILE" || word == "DIR":
		return nil, cobra.ShellCompDirectiveDefault
	case word == "NAME" && cmd.Parent().Name() == "login" && !adding:
		names = loginsOf
	case word == "NAME" && cmd.Parent().Name() == "account" && slices.Contains([]string{"show", "card", "passwd", "key"}, cmd.Name()):
		names = entrances
	case word == "ACCOUNT", word == "NAME" && cmd.Parent().Name() == "account" && !adding:
		names = accounts
	case word == "JOB" && !adding:
		names = jobs
	default:
		return nil, none
	}
	if cmd.Name() == "export" {
		args = args[1:] // behind the format
	}
	found := make(chan []cobra.Completion, 1)
	ctx, cancel := context.WithTimeout(cmd.Context(), wait)
	defer cancel()
	// When the time is up this goroutine is left behind with its catalogue:
	// closing that could take as long as what it waits for.
	go func() {
		defer close(found)
		s, err := open(ctx)
		if err != nil {
			return
		}
		list, err := names(ctx, s, args)
		if s.Close() == nil && err == nil {
			found <- list
		}
	}()
	select {
	case list := <-found:
		// Do not offer again what is on the line already.
		return slices.DeleteFunc(list, func(c cobra.Completion) bool {
			name, _, _ := strings.Cut(c, "\t")
			return slices.Contains(args, name)
		}), none
	case <-ctx.Done():
		return nil, none
	}
}

func accounts(ctx context.Context, s *store.Store, _ []string) (list []cobra.Completion, err error) {
	all, err := s.All().Accounts(ctx)
	for _, acct := range all {
		about := string(acct.Layout)
		if !acct.Enabled {
			about += ", disabled"
		}
		list = append(list, cobra.CompletionWithDesc(acct.Name, about))
	}
	return list, err
}

// entrances lists the accounts and their log-ins.
func entrances(ctx context.Context, s *store.Store, args []string) (list []cobra.Completion, err error) {
	if list, err = accounts(ctx, s, args); err != nil {
		return nil, err
	}
	all, err := s.All().Accounts(ctx)
	for _, acct := range all {
		list = append(list, logins(acct)...)
	}
	return list, err
}

// loginsOf lists the log-ins of the account that is the first of the arguments.
func loginsOf(ctx context.Context, s *store.Store, args []string) ([]cobra.Completion, error) {
	acct, err := s.All().Account(ctx, args[0])
	return logins(acct), err
}

func logins(acct store.Account) (list []cobra.Completion) {
	for _, l := range acct.Logins {
		list = append(list, cobra.CompletionWithDesc(l.Name, "log-in of "+acct.Name))
	}
	return list
}

// jobs lists the jobs of the account that is the first of the arguments, or all.
func jobs(ctx context.Context, s *store.Store, args []string) (list []cobra.Completion, err error) {
	account := ""
	if len(args) > 0 {
		account = args[0]
	}
	all, err := s.All().Jobs(ctx, store.JobQuery{Account: account})
	for _, j := range all {
		if !slices.ContainsFunc(list, func(c cobra.Completion) bool { return strings.HasPrefix(c, j.Name+"\t") }) {
			list = append(list, cobra.CompletionWithDesc(j.Name, string(j.State)))
		}
	}
	return list, err
}
