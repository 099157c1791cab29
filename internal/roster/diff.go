package roster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"picday/internal/codes"
	"picday/internal/names"
)

// A Known is somebody whom the catalogue knows.
type Known struct {
	Person
	SubjectID int64
	Listed    bool // on the list before
	Missing   bool // on an earlier one, and no more on the list before
	Photos    int
}

// A Change is somebody who was known, and what the list says otherwise.
type Change struct {
	Was    Known
	Now    Person
	Fields []FieldChange // none = only back on the list
}

// A FieldChange is one value that differs.
type FieldChange struct {
	Field    string
	Was, Now string
}

// A Diff is what a list would change. What is on no list is not changed.
type Diff struct {
	People  int // on the list
	Before  int // on the list before
	Same    int
	Added   []Person
	Changed []Change
	Missing []Known // on the list before, and not on this
	Notes   []string
}

// TakesAway tells whether more than a tenth of the list before is missing: then it may be
// the wrong list, or a part of one, and a person has to say that it is right.
func (d Diff) TakesAway() bool { return len(d.Missing)*10 > d.Before }

// Nothing tells whether the list changes nothing.
func (d Diff) Nothing() bool { return len(d.Added)+len(d.Changed)+len(d.Missing) == 0 }

// Mark differs between diffs that change something else.
func (d Diff) Mark() string {
	h := sha256.New()
	for _, p := range d.Added {
		fmt.Fprintf(h, "+%d %q\n", p.Line, p.Name())
	}
	for _, c := range d.Changed {
		fmt.Fprintf(h, "*%d %q\n", c.Was.SubjectID, c.Fields)
	}
	for _, k := range d.Missing {
		fmt.Fprintf(h, "-%d\n", k.SubjectID)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Summary is the diff in one line.
func (d Diff) Summary() string {
	return fmt.Sprintf("%d people: %d added, %d changed, %d as before, %d missing from the list", d.People, len(d.Added), len(d.Changed), d.Same, len(d.Missing))
}

// Compare finds for everybody on a list who that is: by the ID, or else the code, or else
// the name with the class, if only one has it.
func Compare(l List, known []Known) (Diff, error) {
	d := Diff{People: len(l.People), Notes: slices.Clone(l.Notes)}
	byID, byCode, byName, byNear := map[string]int{}, map[string]int{}, map[string][]int{}, map[string]int{}
	for i, k := range known {
		if k.Listed {
			d.Before++
		}
		if k.ID != "" {
			byID[k.ID] = i
			byNear[NearKey(k.ID)] = i
		}
		byCode[codes.Key(k.Code)] = i
		byName[nameKey(k.Person)] = append(byName[nameKey(k.Person)], i)
	}
	taken := map[int]int{} // the line that somebody known is on
	note := func(format string, args ...any) {
		if len(d.Notes) < 100 {
			d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
		}
	}
	// Those with an ID come first: a name must not take away whom an ID means.
	found := make([]int, len(l.People))
	for n, p := range l.People {
		i, ok := byID[p.ID]
		if !ok || p.ID == "" {
			i, ok = byCode[codes.Key(p.Code)]
			ok = ok && p.Code != ""
		}
		if found[n] = -1; !ok {
			continue
		}
		if line := taken[i]; line != 0 {
			return d, fmt.Errorf("the list was not taken: lines %d and %d are both %s", line, p.Line, known[i].Name())
		}
		found[n], taken[i] = i, p.Line
	}
	for n, p := range l.People {
		if found[n] < 0 && strings.TrimSpace(p.First+p.Last) != "" {
			// Somebody who has another ID is somebody else.
			same := slices.DeleteFunc(slices.Clone(byName[nameKey(p)]), func(i int) bool {
				return taken[i] != 0 || p.ID != "" && known[i].ID != ""
			})
			if len(same) == 1 {
				found[n], taken[same[0]] = same[0], p.Line
			}
		}
		if found[n] < 0 {
			d.Added = append(d.Added, p)
			if i, ok := byNear[NearKey(p.ID)]; ok && p.ID != "" && taken[i] == 0 {
				note("line %d: the ID %s is new, and %s is known as %s: are these two people, or did a program drop or add zeros?", p.Line, p.ID, known[i].Name(), known[i].ID)
			}
			continue
		}
		k := known[found[n]]
		changes := l.changes(k.Person, p)
		for _, c := range changes {
			if (c.Field == string(Grade) || c.Field == string(Class)) && NearKey(c.Was) == NearKey(c.Now) {
				note("line %d: the %s of %s was %s and is %s", p.Line, c.Field, k.Name(), c.Was, c.Now)
			}
		}
		if len(changes) == 0 && k.Listed {
			d.Same++
		} else {
			d.Changed = append(d.Changed, Change{Was: k, Now: l.merged(k.Person, p), Fields: changes})
		}
	}
	for i, k := range known {
		if k.Listed && taken[i] == 0 {
			d.Missing = append(d.Missing, k)
		}
	}
	return d, nil
}

func nameKey(p Person) string {
	return names.Fold(p.First) + "\x00" + names.Fold(p.Last) + "\x00" + NearKey(names.Fold(p.Class))
}

// merged is somebody known with what the list says. A column that it does not have, and an
// empty ID or code, change nothing.
func (l List) merged(was, now Person) Person {
	keep := func(f Field, was, now string) string {
		if !l.Fields[f] || now == "" && (f == ID || f == Code) {
			return was
		}
		return now
	}
	p := Person{
		Line: now.Line, ID: keep(ID, was.ID, now.ID), Code: keep(Code, was.Code, now.Code), First: keep(First, was.First, now.First),
		Last: keep(Last, was.Last, now.Last), Class: keep(Class, was.Class, now.Class), Grade: keep(Grade, was.Grade, now.Grade),
		More: maps.Clone(now.More),
	}
	for name, v := range was.More {
		if _, ok := p.More[name]; !ok && !l.Fields[Field(name)] {
			if p.More == nil {
				p.More = map[string]string{}
			}
			p.More[name] = v
		}
	}
	return p
}

func (l List) changes(was, now Person) (all []FieldChange) {
	p := l.merged(was, now)
	for _, v := range []FieldChange{
		{string(ID), was.ID, p.ID},
		{string(Code), was.Code, p.Code},
		{string(First), was.First, p.First},
		{string(Last), was.Last, p.Last},
		{string(Class), was.Class, p.Class},
		{string(Grade), was.Grade, p.Grade},
	} {
		if v.Was != v.Now {
			all = append(all, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.More)) {
		if was.More[name] != p.More[name] {
			all = append(all, FieldChange{name, was.More[name], p.More[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was.More)) {
		if _, ok := p.More[name]; !ok {
			all = append(all, FieldChange{name, was.More[name], ""})
		}
	}
	return all
}
