package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) closeCommand() *cobra.Command {
	cmd := a.command("close", "Lock every account out and leave sshd alone, before picday is removed", cobra.NoArgs,
		func(ctx context.Context, _ []string) error {
			sys, err := a.system()
			if err != nil {
				return err
			}
			done, err := sys.Close(ctx)
			a.say(done...)
			if err == nil && len(done) == 0 {
				a.say("nothing to do, it is so already")
			}
			return err
		})
	cmd.Long = `Lock every account out, end its sessions, and take picday's file away from
sshd. Nothing is forgotten: 'picday init' lets those in again that were enabled.
Removing the package does this by itself.`
	return cmd
}
