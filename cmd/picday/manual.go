package main

import (
	"context"

	"github.com/spf13/cobra"

	"picday/internal/completion"
	"picday/internal/manual"
)

// manualCommand prints what "make man" installs. It is hidden: whoever looks
// for the manual types man.
func (a *app) manualCommand() *cobra.Command {
	cmd := a.command("manual PAGE", "Print the source of a manual page", cobra.ExactArgs(1), func(_ context.Context, args []string) error {
		text, err := manual.Source(args[0], a.root())
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(text)
		return err
	})
	cmd.Hidden = true
	return cmd
}

func (a *app) completionCommand() *cobra.Command {
	cmd := a.command("completion SHELL", "Print what bash, zsh or fish needs to complete picday's words", cobra.ExactArgs(1), func(_ context.Context, args []string) error {
		return completion.Script(a.stdout, a.root(), args[0])
	})
	cmd.ValidArgs = completion.Shells
	return cmd
}
