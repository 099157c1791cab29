package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"picday/internal/manual"
)

// arguments says what the capital words in usage lines stand for.
var arguments = []manual.Item{
	{Term: "ACCOUNT", Text: "an account's name, as in 'picday account list'"},
	{Term: "CIDR", Text: "a network such as 203.0.113.0/24 or 2001:db8::/32, or a single address"},
	{Term: "DIR", Text: "the directory that holds a backup"},
	{Term: "FILE", Text: "a file with public keys, one in a line"},
	{Term: "JOB", Text: "a job's name: the folder that the account sees"},
	{Term: "NAME", Text: "a new or known name; for an account 2 to 31 of a-z, 0-9 and -, a letter first"},
	{Term: "PATH", Text: "what the uploader sees, from the root of the SFTP view: 'job00001/Class 1/x.jpg'"},
	{Term: "PATH|ID", Text: "a PATH, or the ID of a portrait"},
	{Term: "SHELL", Text: "bash, zsh or fish"},
	{Term: "ZONE", Text: "a time zone's IANA name: Europe/Berlin, UTC"},
}

// argumentsOf are those that a command takes.
func argumentsOf(cmd *cobra.Command) (items []manual.Item) {
	for _, word := range placeholders(cmd) {
		if i := slices.IndexFunc(arguments, func(x manual.Item) bool { return x.Term == word }); i >= 0 {
			items = append(items, arguments[i])
		}
	}
	return items
}

// placeholders are the capital words of a command's usage line, in order.
func placeholders(cmd *cobra.Command) (words []string) {
	for _, word := range strings.Fields(cmd.Use)[1:] {
		word = strings.Trim(word, "[].")
		if word == strings.ToUpper(word) {
			words = append(words, word)
		}
	}
	return words
}

// usage is the part of --help below the description.
func usage(cmd *cobra.Command) error {
	w := cmd.OutOrStderr()
	fmt.Fprintf(w, "Usage:\n%s\n", manual.Wrap(manual.Synopsis(cmd), "  "))
	for _, group := range cmd.Groups() {
		list(w, group.Title, cmd, func(sub *cobra.Command) bool { return sub.GroupID == group.ID })
	}
	if cmd.HasAvailableSubCommands() && len(cmd.Groups()) == 0 {
		list(w, "Commands:", cmd, func(*cobra.Command) bool { return true })
	}
	if items := argumentsOf(cmd); len(items) > 0 {
		fmt.Fprintln(w, "\nArguments:")
		for _, item := range items {
			fmt.Fprintf(w, "  %-9s %s\n", item.Term, item.Text)
		}
	}
	if flags := manual.Flags(cmd); flags.HasAvailableFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", flags.FlagUsagesWrapped(80))
	}
	if cmd.HasAvailableInheritedFlags() {
		fmt.Fprintf(w, "\nFlags of every command:\n%s", cmd.InheritedFlags().FlagUsagesWrapped(80))
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	if !cmd.HasParent() {
		fmt.Fprintln(w, "\nExit status:")
		for _, s := range exitStatuses {
			fmt.Fprintf(w, "  %d  %s\n", s.Code, s.Means)
		}
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nMore about one of them: %s COMMAND --help\n", cmd.CommandPath())
	}
	return nil
}

func list(w io.Writer, title string, cmd *cobra.Command, in func(*cobra.Command) bool) {
	fmt.Fprintf(w, "\n%s\n", title)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && in(sub) {
			fmt.Fprintf(w, "  %-11s %s\n", sub.Name(), sub.Short)
		}
	}
}
