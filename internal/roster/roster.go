// Package roster reads the lists of people that schools and clubs keep, in the forms in
// which their software writes them, and tells what differs from an earlier list.
package roster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"picday/internal/codes"
)

// The limits of a list. A file beyond them is refused.
const (
	MostBytes  = 10 << 20
	mostPeople = 100_000
	mostMore   = 30  // columns that picday does not know
	mostCell   = 200 // bytes of a value
)

// ErrNoList is returned for a file that is no list of people. The message is a sentence for
// whoever made the file.
var ErrNoList = errors.New("this is no list of people")

// A Person is one line of a list.
type Person struct {
	Line         int // in the file, from 1
	ID, Code     string
	First, Last  string
	Class, Grade string
	More         map[string]string // further columns by their names, without empty ones
}

// Name returns what people call the person, for sentences.
func (p Person) Name() string {
	name := strings.TrimSpace(p.First + " " + p.Last)
	switch {
	case name == "" && p.ID != "":
		return p.ID
	case name == "":
		return p.Code
	case p.ID != "":
		return name + " (" + p.ID + ")"
	}
	return name
}

// A List is what a file says.
type List struct {
	People []Person
	// Fields are those that the file has a column for, and the names of its further
	// columns. What it has no column for does not change.
	Fields map[Field]bool
	Notes  []string // what somebody should look at, as sentences
}

// A table is a file as rows of cells, each with its line.
type table struct {
	lines []int
	rows  [][]string
}

// Parse reads a list. It recognises the form by the content: text with commas, semicolons,
// tabs or vertical bars, in UTF-8, Windows-1252 or UTF-16, or an Excel workbook.
func Parse(content []byte) (List, error) {
	if len(content) > MostBytes {
		return List{}, fmt.Errorf("%w: it has more than %d MB", ErrNoList, MostBytes>>20)
	}
	t, err := tableOf(content)
	if err != nil {
		return List{}, err
	}
	at, c, err := t.header()
	if err != nil {
		return List{}, err
	}
	l := List{Fields: map[Field]bool{}}
	for f := range c.of {
		l.Fields[f] = true
	}
	for _, name := range c.more {
		l.Fields[Field(name)] = true
	}
	if l.Fields[Full] {
		l.Fields[Last] = true
		l.Fields[First] = true
	}
	for i := at + 1; i < len(t.rows); i++ {
		p, err := c.person(t.rows[i], t.lines[i])
		if err != nil {
			return l, err
		}
		if p.Name() != "" {
			l.People = append(l.People, p)
		} else if !empty(t.rows[i]) {
			l.note("line %d has no ID, code or name: it was left out", p.Line)
		}
		if len(l.People) > mostPeople {
			return l, fmt.Errorf("%w: it has more than %d people", ErrNoList, mostPeople)
		}
	}
	if len(l.People) == 0 {
		return l, fmt.Errorf("%w: there is nobody below the names of the columns", ErrNoList)
	}
	return l, l.check()
}

func (l *List) note(format string, args ...any) {
	const most = 50
	if len(l.Notes) < most {
		l.Notes = append(l.Notes, fmt.Sprintf(format, args...))
	}
}

// header finds the row with the names of the columns. A title may stand above it.
func (t table) header() (at int, c columns, err error) {
	for i, row := range t.rows {
		if i == 10 {
			break
		}
		if found := columnsOf(row); found.known > c.known {
			at, c = i, found
		}
	}
	switch {
	case len(t.rows) == 0:
		return 0, c, fmt.Errorf("%w: it is empty", ErrNoList)
	case c.known == 0:
		return 0, c, fmt.Errorf("%w: no column has a name that picday knows, such as ID, First name, Last name or Class. The first line is: %s", ErrNoList, short(strings.Join(t.rows[0], " | ")))
	case !c.has(ID) && !c.has(Code) && !c.has(Last) && !c.has(Full) && !c.has(First):
		return 0, c, fmt.Errorf("%w: it has no column with an ID, a code or a name. Its columns are: %s", ErrNoList, short(strings.Join(t.rows[at], " | ")))
	}
	return at, c, nil
}

var germanDate = regexp.MustCompile(`^\d{1,2}\.\d{1,2}\.\d{4}$`)

func (c columns) person(row []string, line int) (p Person, err error) {
	p = Person{
		Line: line, ID: c.value(ID, row), Code: c.value(Code, row), First: c.value(First, row), Last: c.value(Last, row),
		Class: c.value(Class, row), Grade: c.value(Grade, row), More: map[string]string{},
	}
	if full := c.value(Full, row); full != "" && p.Last == "" {
		if last, first, ok := strings.Cut(full, ","); ok && p.First == "" {
			p.Last, p.First = clean(last), clean(first)
		} else if i := strings.LastIndexByte(full, ' '); i > 0 && !c.has(First) {
			p.First, p.Last = full[:i], full[i+1:]
		} else {
			p.Last = full
		}
	}
	for _, f := range []Field{Middle, Teacher, Born, Email} {
		if v := c.value(f, row); v != "" {
			p.More[string(f)] = v
		}
	}
	if born := p.More[string(Born)]; germanDate.MatchString(born) {
		if day, err := time.Parse("2.1.2006", born); err == nil {
			p.More[string(Born)] = day.Format(time.DateOnly)
		}
	}
	for i, name := range c.more {
		if i < len(row) {
			if v := clean(row[i]); v != "" {
				p.More[name] = v
			}
		}
	}
	for _, v := range append([]string{p.ID, p.Code, p.First, p.Last, p.Class, p.Grade}, values(p.More)...) {
		if len(v) > mostCell {
			return p, fmt.Errorf("line %d: %s… is longer than %d bytes", line, short(v), mostCell)
		}
	}
	return p, nil
}

func values(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// rounded is what a spreadsheet shows of a number that is too long for its column.
var rounded = regexp.MustCompile(`^\d([.,]\d+)?E\+\d+$`)

// check refuses what cannot be told apart, and notes what is easily mistaken.
func (l *List) check() error {
	ids, codesSeen, near := map[string]int{}, map[string]int{}, map[string]Person{}
	var twice []string
	for _, p := range l.People {
		if rounded.MatchString(p.ID) {
			return fmt.Errorf("line %d: the ID %s is what a spreadsheet has made of a long number, and its last digits are lost: format the column as text, and enter the IDs again", p.Line, p.ID)
		}
		if p.Code != "" {
			if err := codes.Check(p.Code); err != nil {
				return fmt.Errorf("line %d: the code %q: %w", p.Line, p.Code, err)
			}
		}
		for what, v := range map[string]struct {
			text string
			seen map[string]int
		}{"ID": {p.ID, ids}, "code": {codes.Key(p.Code), codesSeen}} {
			if v.text == "" {
				continue
			}
			if other := v.seen[v.text]; other != 0 {
				twice = append(twice, fmt.Sprintf("lines %d and %d have the same %s %s", other, p.Line, what, v.text))
			}
			v.seen[v.text] = p.Line
		}
		if p.ID == "" {
			continue
		}
		if other, ok := near[NearKey(p.ID)]; ok && other.ID != p.ID {
			l.note("lines %d and %d have the IDs %s and %s: are these two people?", other.Line, p.Line, other.ID, p.ID)
		}
		near[NearKey(p.ID)] = p
	}
	if len(twice) == 0 {
		return nil
	}
	slices.Sort(twice)
	if more := len(twice) - 5; more > 0 {
		twice = append(twice[:5], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("the list was not taken: %s", strings.Join(twice, "; "))
}

// NearKey is equal for IDs, or grades, that programs and people mistake for each other.
func NearKey(text string) string {
	text = strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	if short := strings.TrimLeft(text, "0"); short != "" {
		return short
	}
	return text
}

// clean returns a cell as picday keeps it: NFC, with single spaces, and none around it.
func clean(cell string) string {
	return strings.Join(strings.FieldsFunc(norm.NFC.String(strings.ToValidUTF8(cell, "�")), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff'
	}), " ")
}

func empty(row []string) bool {
	return !slices.ContainsFunc(row, func(cell string) bool { return clean(cell) != "" })
}

// short is text from a file, for a message.
func short(text string) string {
	runes := []rune(clean(text[:min(len(text), 1000)]))
	if len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return string(runes)
}
