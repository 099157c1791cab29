// Command picday is the sysadmin's tool: it makes accounts and jobs, and
// shows what the daemon has taken in.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/internal/manual"
	"picday/store"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == leaseProbe {
		os.Exit(probeLease(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit statuses of the contract.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitRefused  = 4
)

var exitStatuses = []manual.Status{
	{Code: exitDone, Means: "done"},
	{Code: exitFailed, Means: "failed"},
	{Code: exitUsage, Means: "wrong usage or configuration"},
	{Code: exitNotFound, Means: "no such account, job or photo"},
	{Code: exitRefused, Means: "refused: it would lose or expose something"},
}

// usageError and refusal are the two kinds of errors that only this command
// knows; the other kinds come with the packages' own errors.
type (
	usageError struct{ error }
	refusal    struct{ error }
)

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if len(args) > 0 && strings.HasPrefix(args[0], "__complete") {
		unquote(root)
	}
	cmd, err := root.ExecuteContextC(ctx)
	if cerr := a.close(); err == nil {
		err = cerr
	}
	if err == nil {
		return exitDone
	}
	if errors.Is(err, store.ErrReadOnly) && os.Geteuid() != 0 {
		err = errNotRoot
	}
	a.complain(err)
	if !a.began { // cobra refused the words before any command ran
		a.say("usage: " + strings.Join(manual.Synopsis(cmd), " "))
		return exitUsage
	}
	return exitStatus(err)
}

func exitStatus(err error) int {
	var usage usageError
	var no refusal
	var said relayed
	switch {
	case errors.As(err, &said):
		return said.code
	case errors.As(err, &usage), errors.Is(err, account.ErrInvalid), errors.Is(err, store.ErrNoCatalogue):
		return exitUsage
	case errors.Is(err, store.ErrNotFound), errors.Is(err, account.ErrNoAccount):
		return exitNotFound
	case errors.As(err, &no), errors.Is(err, account.ErrRefused), errors.Is(err, store.ErrFlawed):
		return exitRefused
	}
	return exitFailed
}

// group is a command that only has other commands.
func (a *app) group(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no command %q: see '%s --help'", cmd.CommandPath()+" "+args[0], cmd.CommandPath())
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(subs...)
	return cmd
}

// command is a command that does something. It notes that the words were
// understood, so that whatever goes wrong from there on is not wrong usage.
func (a *app) command(use, short string, args cobra.PositionalArgs, do func(ctx context.Context, args []string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, given []string) error {
			err, words := args(cmd, given), placeholders(cmd)
			switch {
			case err == nil || len(given) == len(words):
				return err
			case len(given) < len(words):
				return fmt.Errorf("%s is missing", words[len(given)])
			case len(words) == 0:
				return fmt.Errorf("%q is one word too many", given[0])
			}
			return fmt.Errorf("%q is one word too many; put quotes around a name with blanks", given[len(words)])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			a.began = true
			return do(cmd.Context(), args)
		},
	}
	cmd.Flags().SortFlags = false // in the order in which they are declared
	return cmd
}

// list is a command with --json.
func (a *app) list(use, short string, args cobra.PositionalArgs, do func(ctx context.Context, args []string) error) *cobra.Command {
	cmd := a.command(use, short, args, do)
	cmd.Flags().BoolVar(&a.json, "json", false, "print JSON")
	return cmd
}
