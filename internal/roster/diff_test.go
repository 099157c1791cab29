package roster

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func knownOf(t *testing.T, text string) (all []Known) {
	t.Helper()
	l, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range l.People {
		if p.Code == "" {
			p.Code = fmt.Sprintf("CODE%d", p.Line)
		}
		all = append(all, Known{Person: p, Listed: true})
	}
	return all
}

func compare(t *testing.T, text string, known []Known) string {
	t.Helper()
	l, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Compare(l, known)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, p := range d.Added {
		b.WriteString("+" + p.Name() + " ")
	}
	for _, c := range d.Changed {
		fmt.Fprintf(&b, "~%s%v ", c.Was.Name(), c.Fields)
	}
	for _, k := range d.Missing {
		b.WriteString("-" + k.Name() + " ")
	}
	fmt.Fprintf(&b, "=%d", d.Same)
	if d.TakesAway() {
		b.WriteString(" takes away")
	}
	for _, n := range d.Notes {
		b.WriteString("\n" + n)
	}
	return b.String()
}

// A diff has who is added, changed and missing, by ID, code or name, and names what may be
// one person under two IDs. A column that a list does not have changes nothing.
func TestADiffSaysWhatAListChanges(t *testing.T) {
	known := knownOf(t, "ID,Last,First,Class,Grade,Bus\n0123,Abel,Ann,5b,09,7\n124,Berg,Bo,5b,9,\n,Cole,Cy,5c,9,\n")
	for what, c := range map[string]struct{ list, want string }{
		"the same":                {"ID,Last,First,Class,Grade,Bus\n0123,Abel,Ann,5b,09,7\n124,Berg,Bo,5b,9,\n,Cole,Cy,5c,9,\n", "=3"},
		"fewer columns":           {"Vorname;Nachname;Klasse\nAnn;Abel;5b\nBo;Berg;5b\nCy;Cole;5c\n", "=3"},
		"a class, a column":       {"ID,Class,Bus\n0123,6b,\n124,5b,\n", "~Ann Abel (0123)[{class 5b 6b} {Bus 7 }] -Cy Cole =1 takes away"},
		"an ID becomes known":     {"ID,Last,First,Class\n0123,Abel,Ann,5b\n124,Berg,Bo,5b\n9,Cole,Cy,5c\n", "~Cy Cole[{id  9}] =2"},
		"by code":                 {"Code,ID,Last\ncode3,0999,Berg\ncode2,0123,Abel\n", "~Bo Berg (124)[{id 124 0999} {code CODE3 code3}] ~Ann Abel (0123)[{code CODE2 code2}] -Cy Cole =0 takes away"},
		"another of that name":    {"ID,Last,First,Class\n0123,Abel,Ann,5b\n124,Berg,Bo,5b\n77,Abel,Ann,5b\n,Cole,Cy,5c\n", "+Ann Abel (77) =3"},
		"zeros dropped":           {"ID,Last\n123,Abel\n124,Berg\n", "+Abel (123) -Ann Abel (0123) -Cy Cole =1 takes away\nline 2: the ID 123 is new, and Ann Abel (0123) is known as 0123: are these two people, or did a program drop or add zeros?"},
		"zeros of a grade":        {"ID,Grade\n0123,9\n124,9\n", "~Ann Abel (0123)[{grade 09 9}] -Cy Cole =1 takes away\nline 2: the grade of Ann Abel (0123) was 09 and is 9"},
		"two near IDs":            {"ID,Last\n0123,Abel\n00123,X\n124,Berg\n", "+X (00123) -Cy Cole =2 takes away\nlines 2 and 3 have the IDs 0123 and 00123: are these two people?"},
		"one person on two lines": {"ID,Code\n0123,\n,CODE2\n", "the list was not taken: lines 2 and 3 are both Ann Abel (0123)"},
	} {
		if got := compare(t, c.list, known); got != c.want {
			t.Errorf("%s:\n%s instead of\n%s", what, got, c.want)
		}
	}
	known[2].Listed, known[2].Missing = false, true
	if got := compare(t, "ID,Last,First,Class\n0123,Abel,Ann,5b\n124,Berg,Bo,5b\n,Cole,Cy,5c\n", known); got != "~Cy Cole[] =2" {
		t.Errorf("back on the list: %s", got)
	}
}

// Only a list that takes away more than a tenth waits for a person.
func TestATenthMayBeMissing(t *testing.T) {
	text := "ID,Last\n"
	for i := range 20 {
		text += fmt.Sprintf("%d,Abel\n", i)
	}
	known := knownOf(t, text)
	lines := strings.SplitAfter(text, "\n")
	if got := compare(t, strings.Join(lines[:19], ""), known); strings.Contains(got, "takes away") || !strings.Contains(got, "-Abel (19)") {
		t.Error(got)
	}
	if got := compare(t, strings.Join(lines[:18], ""), known); !strings.Contains(got, "takes away") {
		t.Error(got)
	}
}

func BenchmarkDiffOf10000(b *testing.B) {
	text := "Student_Number,Last_Name,First_Name,Homeroom,Grade_Level\n"
	for i := range 10_000 {
		text += fmt.Sprintf("%06d,Name%d,First%d,%d%c,%02d\n", i, i%800, i%300, i%12, 'a'+i%5, i%12)
	}
	l, err := Parse([]byte(text))
	if err != nil {
		b.Fatal(err)
	}
	var known []Known
	for i, p := range l.People {
		p.Code = fmt.Sprintf("CODE%d", i)
		known = append(known, Known{Person: p, Listed: true})
	}
	for b.Loop() {
		began := time.Now()
		l, err := Parse([]byte(text))
		if err != nil {
			b.Fatal(err)
		}
		if d, err := Compare(l, known); err != nil || d.Same != len(known) {
			b.Fatal(d.Summary(), err)
		}
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/list")
	}
}
