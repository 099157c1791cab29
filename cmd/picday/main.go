// Command picday is the sysadmin's tool: it makes accounts and jobs, and
// shows what the daemon has taken in.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/internal/config"
	"picday/internal/version"
	"picday/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit statuses of the contract.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitRefused  = 4
)

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
	cmd, err := root.ExecuteContextC(ctx)
	if cerr := a.close(); err == nil {
		err = cerr
	}
	if err == nil {
		return 0
	}
	a.complain(err)
	if !a.began { // cobra refused the words before any command ran
		a.say("usage: " + cmd.UseLine())
		return exitUsage
	}
	return exitStatus(err)
}

func exitStatus(err error) int {
	var usage usageError
	var no refusal
	switch {
	case errors.As(err, &usage), errors.Is(err, account.ErrInvalid), errors.Is(err, store.ErrNoCatalogue):
		return exitUsage
	case errors.Is(err, store.ErrNotFound), errors.Is(err, account.ErrNoAccount):
		return exitNotFound
	case errors.As(err, &no), errors.Is(err, account.ErrRefused):
		return exitRefused
	}
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := a.group("picday", "Photo intake over SFTP, for studios and schools",
		a.initCommand(), a.accountCommand(), a.jobCommand(),
		a.photosCommand(), a.problemsCommand(), a.trashCommand(), a.linkCommand(),
		a.operatorCommand(), a.tokenCommand(), a.firewallCommand(),
		a.rescanCommand(), a.statusCommand(), a.doctorCommand(),
		a.backupCommand(), a.restoreCommand(), a.verifyCommand(), a.explainCommand(), a.closeCommand())
	root.Long = `picday turns this machine's OpenSSH into a photo intake: it makes the locked-down
SFTP accounts, and shows what the daemon picdayd has taken in from them.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 no such
account, job or photo, 4 refused because it would lose or expose something.`
	root.Version = version.String()
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "configuration `FILE` (default $PICDAY_CONFIG, else "+config.DefaultPath+")")
	return root
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
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.began = true
			return do(cmd.Context(), args)
		},
	}
}

// list is a command with --json.
func (a *app) list(use, short string, args cobra.PositionalArgs, do func(ctx context.Context, args []string) error) *cobra.Command {
	cmd := a.command(use, short, args, do)
	cmd.Flags().BoolVar(&a.json, "json", false, "print JSON")
	return cmd
}
