package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"picday/internal/completion"
	"picday/internal/provision"
)

// choice adds a flag that takes one of a few words; usual is its default.
func (a *app) choice(cmd *cobra.Command, value *string, name, usual, usage string, words ...string) {
	cmd.Flags().StringVar(value, name, usual, usage)
	completion.Choose(cmd, name, words...)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *value == usual || slices.Contains(words, *value) {
			return nil
		}
		last := len(words) - 1
		return usagef("--%s %s: use %s or %s", name, *value, strings.Join(words[:last], ", "), words[last])
	}
}

// credentials adds the flags of a new account or log-in. What they give is checked and
// read by its request, but for the password: Password.ReadFor.
func credentials(cmd *cobra.Command, c *provision.Credentials) {
	cmd.Flags().StringArrayVar(&c.KeyFiles, "key", nil, "public key `FILE`; repeatable")
	cmd.Flags().BoolVar(&c.PasswordStdin, "password-stdin", false, "read the password from standard input instead of generating one")
	cmd.Flags().BoolVar(&c.NoPassword, "no-password", false, "allow keys only")
}
