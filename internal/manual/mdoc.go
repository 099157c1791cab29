package manual

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"picday/internal/version"
)

// An mdoc is a page being written in the language of manual pages, mdoc(7).
type mdoc struct{ bytes.Buffer }

// newMdoc begins a page. Its date comes from SOURCE_DATE_EPOCH where that is
// set, so that two builds of the same source are the same.
func newMdoc(name, section, short string) *mdoc {
	date := time.Now()
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(seconds, 0)
	}
	m := &mdoc{}
	m.macro("Dd", date.UTC().Format("January 2, 2006"))
	m.macro("Dt", escape(strings.ToUpper(name)), section)
	m.macro("Os", "picday", escape(version.String()))
	m.macro("Sh", "NAME")
	m.macro("Nm", escape(name))
	m.macro("Nd", escape(lowerFirst(short)))
	return m
}

// macro writes one line of markup; the words are escaped already.
func (m *mdoc) macro(name string, words ...string) {
	fmt.Fprintf(m, ".%s\n", strings.Join(append([]string{name}, words...), " "))
}

// text writes what --help shows too: paragraphs with empty lines between them;
// what is indented is an example and stays as it is.
func (m *mdoc) text(text string) {
	for i, block := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if strings.HasPrefix(block, " ") {
			m.literal(block)
			continue
		}
		if i > 0 {
			m.macro("Pp")
		}
		m.prose(block)
	}
}

// prose writes a paragraph. A sentence begins on a line of its own, which is how
// roff knows where the wider space between sentences goes.
func (m *mdoc) prose(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		first, _ := utf8.DecodeRuneInString(word)
		if strings.HasSuffix(line, ".") && unicode.IsUpper(first) {
			m.line(undivided(escape(line)))
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		m.line(undivided(escape(line)))
	}
}

// literal writes lines as they are, without the indent they have in common.
func (m *mdoc) literal(text string) {
	m.macro("Bd", "-literal", "-offset", "indent")
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], " "))
	for _, line := range lines {
		m.line(escape(line[min(indent, len(line)-len(strings.TrimLeft(line, " "))):]))
	}
	m.macro("Ed")
}

// line writes one line of text, which is escaped already.
func (m *mdoc) line(text string) {
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	fmt.Fprintln(m, text)
}

// tagged writes a list of terms and what they mean.
func (m *mdoc) tagged(macro string, items []Item) {
	m.macro("Bl", "-tag", "-width", "Ds")
	for _, i := range items {
		m.macro("It", macro, escape(i.Term))
		m.text(i.Text)
	}
	m.macro("El")
}

// escape keeps text from being markup, and signs that a reader may copy into a
// shell from becoming typographic ones.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`).Replace(text)
}

// undivided keeps names (files, commands, options) from being divided at the end
// of a line, where they could not be copied.
func undivided(text string) string { return name.ReplaceAllString(text, `\%$0`) }

var name = regexp.MustCompile(`[^ ]*(picday|systemctl)[^ ]*|[^ ]*[][./_=-][^ ]+`)

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
