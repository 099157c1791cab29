// Package manual writes the manual pages from the definitions that the programs use:
// commands and flags with their --help, keys of the configuration, exit statuses. So a page
// cannot differ from --help.
package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"picday/internal/config"
)

// An Item is a term and what it means.
type Item struct{ Term, Text string }

// A Status is an exit status and what it means.
type Status struct {
	Code  int
	Means string
}

// A Page is the manual page of a program; its commands are taken from Root.
type Page struct {
	Section     string
	Root        *cobra.Command
	About       string // ends the description
	Arguments   []Item
	Statuses    []Status
	Environment []Item
	Files       []Item
	SeeAlso     []string // "sshd 8"
}

// Mdoc is the page's source.
func (p Page) Mdoc() []byte {
	m := newMdoc(p.Root.Name(), p.Section, p.Root.Short)
	m.macro("Sh", "SYNOPSIS")
	m.synopsis(p.Root)
	m.macro("Sh", "DESCRIPTION")
	m.text(strings.TrimSpace(p.Root.Long + "\n\n" + p.About))
	m.macro("Sh", "OPTIONS")
	m.flags(p.Root)
	if p.Root.HasAvailableSubCommands() {
		m.macro("Sh", "COMMANDS")
		m.commands(p.Root)
	}
	if len(p.Arguments) > 0 {
		m.macro("Sh", "ARGUMENTS")
		m.tagged("Ar", p.Arguments)
	}
	m.macro("Sh", "ENVIRONMENT")
	m.tagged("Ev", p.Environment)
	m.macro("Sh", "FILES")
	m.tagged("Pa", p.Files)
	m.macro("Sh", "EXIT STATUS")
	m.macro("Bl", "-tag", "-width", "Ds")
	for _, s := range p.Statuses {
		m.macro("It", "Li", fmt.Sprint(s.Code))
		m.prose(s.Means)
	}
	m.macro("El")
	if p.Root.HasExample() {
		m.macro("Sh", "EXAMPLES")
		m.literal(p.Root.Example)
	}
	m.seeAlso(p.SeeAlso)
	return m.Bytes()
}

// commands writes all commands below one, group by group.
func (m *mdoc) commands(root *cobra.Command) {
	for _, group := range root.Groups() {
		m.macro("Ss", escape(strings.TrimSuffix(group.Title, ":")))
		m.macro("Bl", "-tag", "-width", "Ds")
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.ID {
				m.command(cmd)
			}
		}
		m.macro("El")
	}
}

func (m *mdoc) command(cmd *cobra.Command) {
	if !cmd.IsAvailableCommand() {
		return
	}
	if cmd.HasAvailableSubCommands() {
		for _, sub := range cmd.Commands() {
			m.command(sub)
		}
		return
	}
	m.macro("It", "Xo")
	m.synopsis(cmd)
	m.macro("Xc")
	if cmd.Long != "" {
		m.text(cmd.Long)
	} else {
		m.text(cmd.Short + ".")
	}
	m.flags(cmd)
	if cmd.HasExample() {
		m.literal(cmd.Example)
	}
}

func (m *mdoc) flags(cmd *cobra.Command) {
	flags := Flags(cmd)
	own := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "json" {
			own++
		}
	})
	if own == 0 {
		return
	}
	m.macro("Bl", "-tag", "-width", "Ds")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "json" { // the same everywhere: the description says it once
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		words := []string{"Fl", "Fl", escape(f.Name)}
		if f.Shorthand != "" {
			words = append([]string{"Fl", f.Shorthand, ","}, words...)
		}
		if value != "" {
			words = append(words, "Ar", escape(value))
		}
		m.macro("It", words...)
		if given := f.DefValue; !slices.Contains([]string{"", "false", "0", "0s", "[]"}, given) {
			usage += " (default " + given + ")"
		}
		m.prose(usage)
	})
	m.macro("El")
}

// synopsis writes what Synopsis says with the markup of each word.
func (m *mdoc) synopsis(cmd *cobra.Command) {
	for i, word := range Synopsis(cmd) {
		switch {
		case i == 0 && !cmd.HasParent():
			m.macro("Nm")
			continue
		case i == 0:
			m.macro("Ic", escape(word))
			continue
		}
		inner, repeated := strings.CutSuffix(word, "...")
		inside, optional := strings.CutPrefix(inner, "[")
		inside = strings.TrimSuffix(inside, "]")
		marked := []string{"Ar", escape(inside)}
		if flag, ok := strings.CutPrefix(inside, "--"); ok {
			name, value, _ := strings.Cut(flag, " ")
			marked = []string{"Fl", "Fl", escape(name)}
			if value != "" {
				marked = append(marked, "Ar", escape(value))
			}
		}
		if optional {
			marked = append(append([]string{"Oo"}, marked...), "Oc")
		}
		if repeated {
			marked = append(marked, "Ns", "...")
		}
		m.macro(marked[0], marked[1:]...)
	}
}

func (m *mdoc) seeAlso(pages []string) {
	m.macro("Sh", "SEE ALSO")
	for i, page := range pages {
		if i < len(pages)-1 {
			page += " ,"
		}
		m.macro("Xr", page)
	}
}

// Config is the page picday.toml(5).
func Config() []byte {
	m := newMdoc("picday.toml", "5", "configuration of picday and picdayd")
	m.macro("Sh", "SYNOPSIS")
	m.macro("Pa", config.DefaultPath)
	m.macro("Sh", "DESCRIPTION")
	m.text("Read by picday(1) and picdayd(8), in the format TOML. " + strings.Join(config.Intro, "\n\n") +
		"\n\nA duration is written with its units: \"300ms\", \"90s\", \"1h30m\", \"720h\".")
	for _, t := range config.Tables() {
		title := fmt.Sprintf("[%s]", t.Name)
		switch {
		case t.Name == "":
			title = "Before the first table"
		case t.Rows != nil:
			title = "[" + title + "]"
		}
		m.macro("Ss", escape(title))
		m.text(t.Doc)
		m.macro("Bl", "-tag", "-width", "Ds")
		for _, k := range t.Keys {
			words := []string{"Ic", escape(k.Name), "Pq", escape(k.Type)}
			if k.Default != "" {
				words = append(words[:3], escape(k.Type+", default"), "Li", escape(k.Default))
			}
			m.macro("It", words...)
			m.text(k.Doc)
		}
		m.macro("El")
		if t.Rows != nil {
			m.macro("Pp")
			if t.Example {
				m.line("For example (by default there is none):")
			} else {
				m.line("By default:")
			}
			m.literal(rows(t))
		}
	}
	m.macro("Sh", "EXAMPLES")
	m.text("A machine with a large volume for uploads, another sshd port, and pictures served to the world by a proxy:")
	m.literal(example)
	m.seeAlso([]string{"picday 1", "sshd_config 5", "picdayd 8"})
	return m.Bytes()
}

func rows(t config.Table) string {
	var b strings.Builder
	for _, row := range t.Rows {
		fmt.Fprintf(&b, "[[%s]]\n", t.Name)
		for i, k := range t.Keys {
			fmt.Fprintf(&b, "%s = %s\n", k.Name, row[i])
		}
	}
	return b.String()
}

const example = `upload_dir = "/mnt/uploads"

[sshd]
host = "photos.example.com"
port = 2222

[web]
public_url = "https://photos.example.com/p"
`
