package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"picday/store"
)

func (a *app) completionCommand() *cobra.Command {
	cmd := a.command("completion SHELL", "Print what bash, zsh or fish needs to complete picday's words", cobra.ExactArgs(1), nil)
	cmd.Long = `Print a script that makes bash, zsh or fish complete commands and flags, and the
names of accounts and jobs for those who can read the catalogue. The Debian
package installs all three.`
	cmd.Example = `  source <(picday completion bash)      # for this bash; needs the package bash-completion
  picday completion zsh > "${fpath[1]}/_picday"
  picday completion fish > ~/.config/fish/completions/picday.fish`
	cmd.ValidArgs = []string{"bash", "zsh", "fish"}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.began = true
		switch args[0] {
		case "bash":
			return cmd.Root().GenBashCompletionV2(a.stdout, true)
		case "zsh":
			return cmd.Root().GenZshCompletion(a.stdout)
		case "fish":
			return cmd.Root().GenFishCompletion(a.stdout, true)
		}
		return usagef("there is nothing for the shell %q: use bash, zsh or fish", args[0])
	}
	return cmd
}

// completeWithin is how long somebody who has pressed Tab may wait for names.
const completeWithin = time.Second

// offerNames makes the shell complete the names of accounts and jobs, wherever
// a usage line or a flag has room for one.
func (a *app) offerNames(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		a.offerNames(sub)
	}
	if words := placeholders(cmd); len(words) > 0 && cmd.ValidArgs == nil && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			at := min(len(args), len(words)-1)
			if len(args) >= len(words) && !strings.HasSuffix(cmd.Use, "...") && !strings.HasSuffix(cmd.Use, "...]") {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.namesFor(cmd, words[at], args)
		}
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		value, _ := pflag.UnquoteUsage(f)
		if _, there := cmd.GetFlagCompletionFunc(f.Name); there || value == "" || value == "FILE" || value == "DIR" {
			return // files are what shells complete by themselves
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return a.namesFor(cmd, value, args)
		})
	})
}

// unquote takes the quotes off that mark a flag's value in its usage, which
// shells would show.
func unquote(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		unquote(sub)
	}
	plain := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	cmd.PersistentFlags().VisitAll(plain)
	cmd.Flags().VisitAll(plain)
}

// choose makes the shell complete a flag that takes one of a few words.
func choose(cmd *cobra.Command, flag string, words ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// namesFor are the names that could stand where a usage line has the word. They
// are a courtesy: without a catalogue, or one that can be read at once, there
// are none, and never a word of why.
func (a *app) namesFor(cmd *cobra.Command, word string, args []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	none := cobra.ShellCompDirectiveNoFileComp
	adding := cmd.Name() == "add" // then the last word is a new name
	switch {
	case word == "FILE" || word == "DIR":
		return nil, cobra.ShellCompDirectiveDefault
	case word == "ACCOUNT", word == "NAME" && cmd.Parent().Name() == "account" && !adding:
	case word == "JOB" && !adding:
	default:
		return nil, none
	}
	// A run of its own: when the time is up it is left behind as it is, and
	// closing what it has open could take as long as what it waits for.
	behind := &app{configFile: a.configFile}
	found := make(chan []cobra.Completion, 1)
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	go func() {
		names, err := behind.names(ctx, word, args)
		if errors.Join(err, behind.close()) != nil {
			names = nil
		}
		found <- names
	}()
	select {
	case names := <-found:
		// Who is there already need not be offered again.
		return slices.DeleteFunc(names, func(c cobra.Completion) bool {
			name, _, _ := strings.Cut(c, "\t")
			return slices.Contains(args, name)
		}), none
	case <-ctx.Done():
		return nil, none
	}
}

// names lists accounts, or jobs (of the account that the line has named).
func (a *app) names(ctx context.Context, word string, args []string) (list []cobra.Completion, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	if word == "JOB" {
		account := ""
		if len(args) > 0 {
			account = args[0]
		}
		jobs, err := s.Jobs(ctx, account)
		for _, j := range jobs {
			if !slices.ContainsFunc(list, func(c cobra.Completion) bool { return strings.HasPrefix(c, j.Name+"\t") }) {
				list = append(list, cobra.CompletionWithDesc(j.Name, string(j.State)))
			}
		}
		return list, err
	}
	accounts, err := s.Accounts(ctx)
	for _, acct := range accounts {
		list = append(list, cobra.CompletionWithDesc(acct.Name, describe(acct)))
	}
	return list, err
}

func describe(acct store.Account) string {
	if !acct.Enabled {
		return string(acct.Layout) + ", disabled"
	}
	return string(acct.Layout)
}
