// Command picday is the sysadmin's tool: it makes accounts and jobs, and
// shows what the daemon has taken in.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"picday/internal/account"
	"picday/internal/completion"
	"picday/internal/control"
	"picday/internal/doctor"
	"picday/internal/failure"
	"picday/internal/manual"
	"picday/internal/mirror"
	"picday/store"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == doctor.LeaseChild {
		os.Exit(doctor.ProbeLease(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if len(args) > 0 && strings.HasPrefix(args[0], "__complete") {
		completion.Unquote(root)
	}
	cmd, err := root.ExecuteContextC(ctx)
	if cerr := a.close(); err == nil {
		err = cerr
	}
	if err == nil {
		return manual.ExitDone
	}
	if errors.Is(err, store.ErrReadOnly) && os.Geteuid() != 0 {
		err = errNotRoot
	}
	a.complain(err)
	if !a.began { // cobra refused the words before any command ran
		a.say("usage: " + strings.Join(manual.Synopsis(cmd), " "))
		return manual.ExitUsage
	}
	return exitStatus(err)
}

func exitStatus(err error) int {
	var child *control.ChildError // its exit status is ours
	switch {
	case errors.As(err, &child):
		return child.Code
	case failure.IsUsage(err), errors.Is(err, account.ErrInvalid), errors.Is(err, store.ErrNoCatalogue), errors.Is(err, mirror.ErrInvalid):
		return manual.ExitUsage
	case errors.Is(err, store.ErrNotFound), errors.Is(err, account.ErrNoAccount), errors.Is(err, mirror.ErrNotFound):
		return manual.ExitNotFound
	case failure.IsRefusal(err), errors.Is(err, account.ErrRefused), errors.Is(err, store.ErrFlawed), errors.Is(err, mirror.ErrRefused):
		return manual.ExitRefused
	}
	return manual.ExitFailed
}

// group is a command that only has other commands.
func (a *app) group(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no command %q%s: see '%s --help'", cmd.CommandPath()+" "+args[0], manual.DidYouMean(cmd, args[0]), cmd.CommandPath())
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
			err := manual.CheckArguments(cmd, args, given)
			a.began = err == nil
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error { return do(cmd.Context(), args) },
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
