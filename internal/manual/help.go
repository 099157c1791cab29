package manual

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// Placeholders are the words in capitals of a command's usage line, in order.
func Placeholders(cmd *cobra.Command) (words []string) {
	for _, word := range strings.Fields(cmd.Use)[1:] {
		word = strings.Trim(word, "[].")
		if word == strings.ToUpper(word) {
			words = append(words, word)
		}
	}
	return words
}

// CheckArguments applies a rule of cobra's for the number of arguments, and says in words
// which one is missing or too many.
func CheckArguments(cmd *cobra.Command, rule cobra.PositionalArgs, given []string) error {
	err, words := rule(cmd, given), Placeholders(cmd)
	switch {
	case err == nil || len(given) == len(words):
		return err
	case len(given) < len(words):
		return fmt.Errorf("%s is missing", words[len(given)])
	case len(words) == 0:
		return fmt.Errorf("%q is one word too many", given[0])
	}
	return fmt.Errorf("%q is one word too many; put quotes around a name with blanks", given[len(words)])
}

// Help makes the function that writes the part of --help below a command's
// description. arguments explains placeholders; statuses are the program's exit
// statuses.
func Help(arguments []Item, statuses []Status) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		w := cmd.OutOrStderr()
		fmt.Fprintf(w, "Usage:\n%s\n", Wrap(Synopsis(cmd), "  "))
		helpCommands(w, cmd)
		helpArguments(w, cmd, arguments)
		if flags := Flags(cmd); flags.HasAvailableFlags() {
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
			for _, s := range statuses {
				fmt.Fprintf(w, "  %d  %s\n", s.Code, s.Means)
			}
		}
		if cmd.HasAvailableSubCommands() {
			fmt.Fprintf(w, "\nMore about one of them: %s COMMAND --help\n", cmd.CommandPath())
		}
		return nil
	}
}

func helpCommands(w io.Writer, cmd *cobra.Command) {
	list := func(title string, in func(*cobra.Command) bool) {
		fmt.Fprintf(w, "\n%s\n", title)
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() && in(sub) {
				fmt.Fprintf(w, "  %-11s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	for _, group := range cmd.Groups() {
		list(group.Title, func(sub *cobra.Command) bool { return sub.GroupID == group.ID })
	}
	if cmd.HasAvailableSubCommands() && len(cmd.Groups()) == 0 {
		list("Commands:", func(*cobra.Command) bool { return true })
	}
}

func helpArguments(w io.Writer, cmd *cobra.Command, arguments []Item) {
	var own []Item
	for _, word := range Placeholders(cmd) {
		if i := slices.IndexFunc(arguments, func(x Item) bool { return x.Term == word }); i >= 0 {
			own = append(own, arguments[i])
		}
	}
	if len(own) == 0 {
		return
	}
	fmt.Fprintln(w, "\nArguments:")
	for _, item := range own {
		fmt.Fprintf(w, "  %-9s %s\n", item.Term, item.Text)
	}
}

// DidYouMean is a part of a sentence that says that cmd has no such command: it names
// those that were probably meant. It is empty if none is similar.
func DidYouMean(cmd *cobra.Command, word string) string {
	cmd.SuggestionsMinimumDistance = 2 // letters that differ at most; cobra's name says the opposite
	near := cmd.SuggestionsFor(word)
	for i, name := range near {
		near[i] = strconv.Quote(cmd.CommandPath() + " " + name)
	}
	if len(near) == 0 {
		return ""
	}
	return " (did you mean " + strings.Join(near, " or ") + "?)"
}

// Describe gives picday and all its commands their texts.
func Describe(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		Describe(cmd)
	}
	text := Texts[strings.TrimSpace(strings.TrimPrefix(root.CommandPath(), "picday"))]
	root.Long, root.Example = text.Long, text.Example
}
