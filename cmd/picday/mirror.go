package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"picday/internal/mirror"
)

func (a *app) mirrorCommand() *cobra.Command {
	var o mirror.Options
	var token, ca string
	cmd := a.command("mirror URL DIR", "Keep a directory of pictures in step with an installation", cobra.ExactArgs(2), func(ctx context.Context, args []string) (err error) {
		if token == "" {
			return usagef("--token-file is missing: a file with a token in it, which 'picday token add NAME' prints on the installation")
		}
		o.URL, o.Dir, o.Token = args[0], args[1], mirror.TokenFile(token)
		if _, err := o.Token(); err != nil {
			return err
		}
		if ca != "" {
			if o.Roots, err = mirror.Authorities(ca); err != nil {
				return err
			}
		}
		o.Step = func(s mirror.Step) { a.say(fmt.Sprintf("in step: %d fetched, %d removed", s.Fetched, s.Removed)) }
		o.Trouble = func(err error) {
			if err == nil {
				a.say("it works again")
				return
			}
			a.complain(fmt.Errorf("%w; it is tried again", err))
		}
		return mirror.Run(ctx, o)
	})
	cmd.Flags().StringVar(&token, "token-file", "", "the `FILE` that has the token in it, and nothing else")
	cmd.Flags().StringVar(&o.Account, "account", "", "the `ACCOUNT`, where the token may see several")
	cmd.Flags().StringVar(&o.Rendition, "rendition", "", "the `SIZE` of the pictures, by its name (default: the largest)")
	cmd.Flags().BoolVar(&o.Once, "once", false, "end as soon as the directory is in step")
	cmd.Flags().BoolVar(&o.Check, "check", false, "read the whole list first, and compare every picture with it")
	cmd.Flags().StringVar(&o.Pictures, "pictures", "", "the `ADDRESS` of the pictures, where it is not URL's host")
	cmd.Flags().StringVar(&ca, "ca", "", "a `FILE` with the certificates of the authorities to trust, instead of the system's")
	cmd.Flags().BoolVar(&o.Plain, "plain-http", false, "send the token over http:// to another machine, readable on the way")
	return cmd
}
