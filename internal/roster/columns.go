package roster

import (
	"strings"

	"picday/internal/names"
)

// A Field is what a column of a list can be.
type Field string

// The fields. A column with another name is kept as it is, see Person.More.
const (
	ID    Field = "id"
	Code  Field = "code"
	First Field = "first name"
	Last  Field = "last name"
	Full  Field = "name" // the last name if there is a first one, else both
	Class Field = "class"
	Grade Field = "grade"

	// These are kept in More under these names, because exports ask for them.
	Middle  Field = "middle name"
	Teacher Field = "teacher"
	Born    Field = "date of birth"
	Email   Field = "e-mail"
)

// Synonyms are the names that a column of each field has in lists of student systems, as
// folded by fold: small letters, no accents, spaces or punctuation. Where two columns of a
// list are one field, the earlier name here is the first choice.
var Synonyms = []struct {
	Field Field
	Names []string
}{
	{ID, []string{
		"id", "studentid", "studentnumber", "studentno", "studentnr", "pupilid", "pupilnumber", "learnerid", "personid", "permid", "permnumber", "localid", "sisid",
		"externalid", "externeid", "externerschlussel", "schlusselextern", "schulerid", "schuelerid", "schulernummer", "schuelernummer", "schulernr", "schuelernr",
		"ausweisnummer", "matrikelnummer", "barcode", "employeeid", "staffid", "idnumber", "idnummer", "idnr", "number", "nummer", "nr",
	}},
	{Code, []string{"code", "cardcode", "accesscode", "qrcode", "qr", "kartencode", "zugangscode", "fotocode"}},
	{First, []string{"firstname", "first", "vorname", "givenname", "forename", "rufname", "preferredname", "prenom"}},
	{Last, []string{"lastname", "last", "surname", "familyname", "familienname", "nachname", "zuname", "nom"}},
	{Full, []string{"name", "fullname", "studentname", "pupilname", "schulername", "schuelername", "vollername", "nachnamevorname", "lastfirst"}},
	{Class, []string{"class", "klasse", "classname", "klassenname", "stammklasse", "homeroom", "homeroomnumber", "form", "section", "group", "gruppe", "room"}},
	{Grade, []string{"grade", "gradelevel", "jahrgangsstufe", "jahrgang", "klassenstufe", "stufe", "year", "yeargroup", "yearlevel"}},
	{Middle, []string{"middlename", "middle", "zweitname"}},
	{Teacher, []string{"teacher", "teachername", "homeroomteacher", "klassenlehrer", "klassenlehrerin", "klassenleitung", "lehrer"}},
	{Born, []string{"dateofbirth", "birthdate", "birthday", "dob", "geburtsdatum", "geburtstag", "geboren"}},
	{Email, []string{"email", "emailaddress", "mail", "emailadresse"}},
}

// fold returns the name of a column as it is looked up: without the name of a table before
// it (CC.Student_Number, student.studentNumber, [1]Last_Name).
func fold(header string) string {
	header = strings.TrimSpace(header)
	if i := strings.LastIndexAny(header, ".]"); i >= 0 && i+1 < len(header) && !strings.Contains(header[:i], " ") {
		header = header[i+1:]
	}
	return strings.ReplaceAll(names.Fold(header), " ", "")
}

// fieldOf returns the field of a column, and the rank of its name among those of the field.
func fieldOf(header string) (f Field, rank int) {
	name := fold(header)
	for _, s := range Synonyms {
		for i, n := range s.Names {
			if n == name {
				return s.Field, i
			}
		}
	}
	return "", 0
}

// columns are the columns of a list, by their numbers.
type columns struct {
	of    map[Field][]int // the first choice first
	more  map[int]string  // those that picday does not know, by their names in the list
	known int
}

func columnsOf(header []string) columns {
	c := columns{of: map[Field][]int{}, more: map[int]string{}}
	ranks := map[int]int{}
	for i, h := range header {
		f, rank := fieldOf(h)
		if f == "" {
			if name := clean(h); name != "" && len(c.more) < mostMore {
				c.more[i] = name
			}
			continue
		}
		c.known++
		ranks[i] = rank
		at := 0
		for at < len(c.of[f]) && ranks[c.of[f][at]] <= rank {
			at++
		}
		c.of[f] = append(c.of[f][:at], append([]int{i}, c.of[f][at:]...)...)
	}
	return c
}

// has tells whether the list has a column of a field.
func (c columns) has(f Field) bool { return len(c.of[f]) > 0 }

// value returns the first value of a field that is not empty.
func (c columns) value(f Field, row []string) string {
	for _, i := range c.of[f] {
		if i < len(row) {
			if v := clean(row[i]); v != "" {
				return v
			}
		}
	}
	return ""
}
