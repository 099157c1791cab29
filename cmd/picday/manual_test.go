package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"picday/internal/manual"
	"picday/internal/test/bed"
)

func testRoot() *cobra.Command {
	a := &app{stdout: io.Discard, stderr: io.Discard}
	return a.root()
}

// walk visits every command that is shown, and counts.
func walk(cmd *cobra.Command, visit func(*cobra.Command)) (n int) {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			visit(sub)
			n += 1 + walk(sub, visit)
		}
	}
	return n
}

// Whatever is added to the commands says what it is, in the same form.
func TestEveryCommandExplainsItself(t *testing.T) {
	root := testRoot()
	n := walk(root, func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || !unicode.IsUpper([]rune(cmd.Short)[0]) || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: Short is %q: a line that begins with a capital letter and has no full stop", path, cmd.Short)
		}
		if cmd.Parent() == root && cmd.GroupID == "" {
			t.Errorf("%s belongs to no group: see root.go", path)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len([]rune(strings.TrimRight(line, "\n"))) > 90 {
				t.Errorf("%s: a line that is too long: %s", path, line)
			}
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: examples are indented by two spaces: %s", path, line)
			}
		}
		for _, word := range manual.Placeholders(cmd) {
			if !slices.ContainsFunc(manual.Arguments, func(x manual.Item) bool { return x.Term == word }) {
				t.Errorf("%s: nobody says what %s is: see manual.Arguments", path, word)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			value, usage := pflag.UnquoteUsage(f)
			if len(usage) < 8 || unicode.IsUpper([]rune(usage)[0]) && !strings.HasPrefix(usage, value) {
				t.Errorf("%s --%s: usage is %q: a few words, without a capital letter", path, f.Name, usage)
			}
			if f.Value.Type() != "bool" && value != strings.ToUpper(value) {
				t.Errorf("%s --%s: its value has no name: put one in backquotes and capitals into the usage", path, f.Name)
			}
		})
	})
	if n < 25 {
		t.Errorf("only %d commands were found", n)
	}
	for path, text := range manual.Texts {
		cmd, rest, err := root.Find(strings.Fields(path))
		if err != nil || len(rest) > 0 || cmd.Long != text.Long {
			t.Errorf("manual.Texts[%q] reaches no command", path)
		}
	}
}

func TestManualSaysEverything(t *testing.T) {
	root := testRoot()
	page := bed.ManualPage(t, manual.Tool(root).Mdoc())
	has := func(what, want string) {
		t.Helper()
		if want = strings.Join(strings.Fields(want), " "); !strings.Contains(page, want) {
			t.Errorf("%s is not on the page: %s", what, want)
		}
	}
	flags := 0
	walk(root, func(cmd *cobra.Command) {
		if cmd.HasAvailableSubCommands() {
			return
		}
		has(cmd.CommandPath(), strings.Join(manual.Synopsis(cmd), " "))
		if cmd.Long == "" {
			has(cmd.CommandPath(), cmd.Short)
		}
		for paragraph := range strings.SplitSeq(cmd.Long, "\n\n") {
			has(cmd.CommandPath(), paragraph)
		}
		has(cmd.CommandPath(), cmd.Example)
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			flags++
			value, usage := pflag.UnquoteUsage(f)
			if f.Name == "json" {
				return // in the synopsis; said once for all
			}
			has(cmd.CommandPath(), "--"+f.Name+" "+value+" "+usage)
		})
	})
	root.LocalFlags().VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		has("picday", "--"+f.Name+" "+value+" "+usage)
	})
	for _, item := range manual.Arguments {
		has("an argument", item.Term+" "+item.Text)
	}
	statuses := bed.ExitStatuses(t, "../../internal/manual/tool.go")
	for name, code := range statuses {
		i := slices.IndexFunc(manual.ToolStatuses, func(s manual.Status) bool { return s.Code == code })
		if i < 0 {
			t.Errorf("%s = %d is not among manual.ToolStatuses", name, code)
			continue
		}
		has(name, fmt.Sprintf("%d %s", code, manual.ToolStatuses[i].Means))
	}
	if flags < 30 || len(statuses) < 5 {
		t.Errorf("only %d flags and the statuses %v were looked at", flags, statuses)
	}
}

// What stands in the manual stands in --help too.
func TestHelpSaysEverything(t *testing.T) {
	help := func(cmd *cobra.Command) string {
		var out strings.Builder
		a := &app{stdout: &out, stderr: io.Discard}
		root := a.root()
		root.SetOut(&out)
		root.SetArgs(append(strings.Fields(cmd.CommandPath())[1:], "--help"))
		if err := root.Execute(); err != nil {
			t.Error(err)
		}
		return out.String()
	}
	root := testRoot()
	walk(root, func(cmd *cobra.Command) {
		text := help(cmd)
		words := strings.Join(strings.Fields(text), " ")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			_, usage := pflag.UnquoteUsage(f)
			if !strings.Contains(text, "--"+f.Name+" ") || !strings.Contains(words, strings.Join(strings.Fields(usage), " ")) {
				t.Errorf("%s --help does not say what --%s is", cmd.CommandPath(), f.Name)
			}
		})
		for _, word := range manual.Placeholders(cmd) {
			if !strings.Contains(text, "\n  "+word+" ") {
				t.Errorf("%s --help does not say what %s is", cmd.CommandPath(), word)
			}
		}
		if !strings.Contains(help(cmd.Parent()), "\n  "+cmd.Name()+" ") {
			t.Errorf("%s --help does not list %s", cmd.Parent().CommandPath(), cmd.Name())
		}
	})
	for _, s := range manual.ToolStatuses {
		if !strings.Contains(strings.Join(strings.Fields(help(root)), " "), fmt.Sprintf("%d %s", s.Code, s.Means)) {
			t.Errorf("picday --help does not say what the exit status %d is", s.Code)
		}
	}
}
