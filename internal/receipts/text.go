package receipts

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"picday/internal/language"
	"picday/internal/layout"
	"picday/store"
)

// words are the account's.
func (f facts) words() *language.Words { return language.In(f.account.Language) }

// A count is a line with a number.
type count struct {
	code, label string
	n           int
	always      bool // also if it is 0
}

func (f facts) counts() []count {
	w := f.words()
	cards := f.sum(store.CardKnown, store.CardEmpty) + f.sum(store.CardsInDoubt...)
	return []count{
		{"arrived", w.T("Files that arrived"), f.of.Files + f.waiting, true},
		{"published", w.T("Photos published"), f.of.Photos - cards, true},
		{"expected", w.T("Photos expected"), f.of.Expected, false},
		{"cards", w.T("Cards, which no link shows"), cards, false},
		{"replaced", w.T("Pictures replaced by a later one"), f.of.Replaced, false},
		{"unchanged", w.T("Came again, unchanged"), f.of.Unchanged, false},
		{"aside", w.T("Set aside: RAW and side files"), f.of.Aside, false},
		{"waiting", w.T("Still on their way"), f.waiting, true},
		{"uploading", w.T("of these, being uploaded"), f.uploading, false},
		{"problems", w.T("Files that are no photo"), f.of.Problems, true},
		{"other-shots", w.T("Same name, another picture"), len(f.others), false},
		{"gaps", w.T("Gaps in the numbers of cameras"), len(f.gaps), false},
		{"cards-unread", w.T("Cards that wait for a person"), f.sum(store.CardsInDoubt...), false},
		{"unassigned", w.T("Photos of nobody"), f.sum(store.Unassigned...), false},
		{"proposals", w.T("Changes that wait for a person"), len(f.proposals), false},
		{"people", w.T("People"), f.people, false},
		{"without-photo", w.T("People without a photo"), f.missing, false},
	}
}

// An item is a line about one thing. Its texts are in the account's language, its codes are
// not.
type item struct {
	code   string // of the kind
	n      int
	path   string
	reason string
	text   string
}

// A section is items of one kind.
type section struct {
	title string
	more  int // how many there are beyond those
	items []item
}

func (f facts) sections() (all []section) {
	w := f.words()
	add := func(title string, of int, items []item) {
		if len(items) > 0 {
			all = append(all, section{title, max(0, of-len(items)), items})
		}
	}
	var items []item
	for _, p := range f.problems {
		var text []string
		for _, s := range p.Sentences() {
			text = append(text, w.Sentence(s))
		}
		items = append(items, item{"problem", 1, layout.Shown(p.RawPath), string(p.Reason), strings.Join(text, " ")})
	}
	add(w.T("Files that are no photo"), f.of.Problems, items)
	items = nil
	for _, path := range f.others {
		items = append(items, item{"other-shot", 1, path, "", w.T("Another picture had this name before. Both are kept; this one is shown.")})
	}
	add(w.T("Same name, another picture"), len(f.others), items)
	items = nil
	for _, g := range f.gaps[:min(len(f.gaps), most)] {
		items = append(items, item{"gap", g.N, "", "", w.T("Did not come: %s.", g.String())})
	}
	add(w.T("Gaps in the numbers of cameras"), len(f.gaps), items)
	add(w.T("Cards that wait for a person"), f.sum(store.CardsInDoubt...), f.cardItems("card", f.cards))
	add(w.T("Photos of nobody"), f.sum(store.Unassigned...), f.cardItems("unassigned", f.nobodys))
	items = nil
	for _, r := range f.proposals {
		items = append(items, item{"proposal", int(r.id), r.first, "", w.T("%s to %s: from %s to %s", base(r.first), base(r.last), cmp.Or(r.was, w.T("nobody")), cmp.Or(r.becomes, w.T("nobody")))})
	}
	add(w.T("Changes that wait for a person"), len(items), items)
	items = nil
	for _, s := range f.missed {
		items = append(items, item{"without-photo", 1, "", s.ExternalID, called(s)})
	}
	add(w.T("People without a photo"), len(items), items)
	return all
}

func (f facts) cardItems(code string, all []store.CardPhoto) (items []item) {
	for _, c := range all {
		items = append(items, item{code, 1, c.Path, string(c.Why), f.words().T(c.Why.Message())})
	}
	return items
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// headline says in a sentence or two how things are.
func (f facts) headline() (all []string) {
	w := f.words()
	switch {
	case f.full:
		all = append(all, w.T("The server takes nothing at the moment, because its disk is full. What you upload waits, and nothing is lost."))
	case f.waiting > 0:
		all = append(all, w.T("%d files are still on their way.", f.waiting))
	}
	if f.list.ID != 0 {
		all = append(all, w.T("The list %s waits for a person, because many are missing from it who were on the one before.", f.list.File))
	}
	if f.of.Problems > 0 {
		all = append(all, w.T("%d files need you: see below.", f.of.Problems))
	}
	if len(all) == 0 && f.of.Files > 0 {
		all = append(all, w.T("All that arrived is taken."))
	}
	return all
}

// text is the report for people. Lines end as Windows wants it.
func (f facts) text() []byte {
	w := f.words()
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\r\n") }
	line(w.T("What picday has of %s", cmp.Or(f.of.Job, f.account.Name)))
	line(w.T("As of %s", w.Stamp(f.at)))
	line("")
	for _, s := range f.headline() {
		line(s)
	}
	line("")
	for _, c := range f.counts() {
		if c.n > 0 || c.always {
			line("  " + c.label + strings.Repeat(" ", max(1, 38-utf8.RuneCountInString(c.label))) + fmt.Sprintf("%9s", w.Number(c.n)))
		}
	}
	for _, s := range f.sections() {
		line("")
		line(s.title)
		for _, i := range s.items {
			switch {
			case i.path == "":
				line("  " + oneLine(i.text))
			default:
				line("  " + oneLine(i.path))
				line("      " + oneLine(i.text))
			}
		}
		if s.more > 0 {
			line("  " + w.T("and %d more", s.more))
		}
	}
	return []byte(b.String())
}

// oneLine keeps a name from looking like more than one line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// table is the report for programs: counts, items, and at last the mark.
func (f facts) table(mark string) []byte {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	c.UseCRLF = true
	row := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = harmless(cell)
		}
		_ = c.Write(cells) // a buffer takes all
	}
	row("what", "number", "path", "reason", "text")
	for _, n := range f.counts() {
		row(n.code, strconv.Itoa(n.n), "", "", "")
	}
	for _, s := range f.sections() {
		for _, i := range s.items {
			row(i.code, strconv.Itoa(i.n), i.path, i.reason, i.text)
		}
	}
	row(markRow, "", "", "", mark)
	c.Flush()
	return b.Bytes()
}

// harmless keeps a spreadsheet from taking a name for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
