package manual

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Synopsis is how a command is typed, in parts that stay together:
// "picday photos", "[ACCOUNT]", "[--job JOB]".
func Synopsis(cmd *cobra.Command) []string {
	parts := []string{cmd.CommandPath()}
	words := strings.Fields(cmd.Use)[1:]
	for i := 0; i < len(words); i++ {
		word := words[i]
		if strings.HasPrefix(word, "--") && i+1 < len(words) { // a flag that must be there, and its value
			i++
			word += " " + words[i]
		}
		parts = append(parts, word)
	}
	Flags(cmd).VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" || strings.Contains(cmd.Use, "--"+f.Name) {
			return
		}
		word := "--" + f.Name
		if value, _ := pflag.UnquoteUsage(f); value != "" {
			word += " " + value
		}
		word = "[" + word + "]"
		if strings.HasSuffix(f.Value.Type(), "Array") {
			word += "..."
		}
		parts = append(parts, word)
	})
	if cmd.HasAvailableSubCommands() {
		parts = append(parts, "COMMAND")
	}
	return parts
}

// Flags are a command's own flags in the order in which they were declared, the
// one that every list has at the end.
func Flags(cmd *cobra.Command) *pflag.FlagSet {
	ordered := pflag.NewFlagSet("", pflag.ContinueOnError)
	ordered.SortFlags = false
	add := func(json bool) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if (f.Name == "json") == json {
				g := *f
				g.Usage = strings.Join(strings.Fields(f.Usage), " ") // who shows it breaks the lines
				ordered.AddFlag(&g)
			}
		})
	}
	add(false)
	add(true)
	return ordered
}

// Wrap joins the parts to lines of at most 80 columns, those after the first
// with a wider indent.
func Wrap(parts []string, indent string) string {
	var lines []string
	line, hang := indent+parts[0], indent+"    "
	for _, part := range parts[1:] {
		if len(line)+1+len(part) > 80 {
			lines = append(lines, line)
			line = hang + part
			continue
		}
		line += " " + part
	}
	return strings.Join(append(lines, line), "\n")
}
