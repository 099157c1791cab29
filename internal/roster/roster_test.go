package roster

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// headers are those of the student systems, with the columns ID, last name, first name,
// class and grade, and one that picday does not know.
var headers = map[string][]string{
	"PowerSchool":     {"Student_Number", "Last_Name", "First_Name", "Home_Room", "Grade_Level", "Bus"},
	"with a table":    {"CC.Student_Number", "CC.Last_Name", "[1]First_Name", "CC.Homeroom", "CC.Grade_Level", "CC.Bus"},
	"Infinite Campus": {"student.studentNumber", "student.lastName", "student.firstName", "homeroom", "student.grade", "Bus"},
	"5-Star":          {"Student ID", "Last", "First", "Class", "Grade", "Bus"},
	"Schoolmaster":    {"ID", "Surname", "Given Name", "Homeroom Number", "Year", "Bus"},
	"WebUntis":        {"Schüler-ID", "Familienname", "Vorname", "Klasse", "Jahrgangsstufe", "Bus"},
	"capitals":        {"SCHUELERNUMMER", "NACHNAME", "RUFNAME", "KLASSE", "JAHRGANG", "BUS"},
}

var encodings = map[string]func(string) []byte{
	"UTF-8":          func(s string) []byte { return []byte(s) },
	"UTF-8 with BOM": func(s string) []byte { return []byte("\ufeff" + s) },
	"Windows-1252": func(s string) []byte {
		return []byte(strings.NewReplacer("ü", "\xfc", "Ö", "\xd6", "é", "\xe9", "ß", "\xdf", "–", "\x96").Replace(s))
	},
	"UTF-16, Excel's":    func(s string) []byte { return utf16Of(binary.LittleEndian, "\ufeff"+s) },
	"UTF-16, big-endian": func(s string) []byte { return utf16Of(binary.BigEndian, "\ufeff"+s) },
	"UTF-16 without BOM": func(s string) []byte { return utf16Of(binary.LittleEndian, s) },
}

func utf16Of(order binary.AppendByteOrder, text string) (b []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

var class = [][]string{
	{"0123", "Müller", "Zoé", "5b", "05", "Linie 7 – Süd"},
	{"000124", "O'Hara, Jr.", "Ann Marie", "10a", "10", ""},
	{"A-7", "Weiß", "Ömer; Can", "5b", "5", "2|3"},
}

func people(t *testing.T, content []byte) string {
	t.Helper()
	l, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range l.People {
		fmt.Fprintf(&b, "%d|%s|%s|%s|%s|%s|", p.Line, p.ID, p.Last, p.First, p.Class, p.Grade)
		for _, name := range slices.Sorted(maps.Keys(p.More)) {
			fmt.Fprintf(&b, "%s=%s|", name, p.More[name])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// A list is read the same in every encoding, with every delimiter and under the names that
// each student system gives its columns; IDs and grades keep their zeros.
func TestAListIsReadInEveryForm(t *testing.T) {
	for system, header := range headers {
		more := header[5]
		want := "2|0123|Müller|Zoé|5b|05|" + more + "=Linie 7 – Süd|\n3|000124|O'Hara, Jr.|Ann Marie|10a|10|\n4|A-7|Weiß|Ömer; Can|5b|5|" + more + "=2|3|\n"
		for encoding, encode := range encodings {
			for _, delimiter := range ",;\t|" {
				for _, end := range []string{"\n", "\r\n"} {
					text := strings.Join(header, string(delimiter)) + end
					for _, row := range class {
						text += `"` + strings.Join(row, `"`+string(delimiter)+`"`) + `"` + end
					}
					if got := people(t, encode(text)); got != want {
						t.Errorf("%s, %s, %q:\n%s", system, encoding, delimiter, got)
					}
				}
			}
		}
		f := excelize.NewFile()
		for i, row := range append([][]string{header}, class...) {
			for j, cell := range row {
				at, _ := excelize.CoordinatesToCellName(j+1, i+1)
				if err := f.SetCellStr("Sheet1", at, cell); err != nil {
					t.Fatal(err)
				}
			}
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		if got := people(t, b.Bytes()); got != want {
			t.Errorf("%s, Excel:\n%s", system, got)
		}
	}
}

// What else lists have: a title above, columns by choice, whole names, dates, and numbers
// of Excel that show zeros.
func TestListsAsTheyCome(t *testing.T) {
	for what, c := range map[string]struct{ text, want string }{
		"a title, empty lines":  {"Klassenliste 5b;;\n;;\n\nVorname;Nachname;Klasse\nAnn;Abel;5b\n;;\n", "5||Abel|Ann|5b||\n"},
		"Excel's line":          {"sep=;\nID;Name\n1;\"Abel, Ann\"\n", "3|1|Abel|Ann|||\n"},
		"one column":            {"Student ID\n0123\n0124\n", "2|0123|||||\n3|0124|||||\n"},
		"whole names":           {"ID,Name\n1,Ann Marie Abel\n2,Cher\n", "2|1|Abel|Ann Marie|||\n3|2|Cher||||\n"},
		"name and first name":   {"Name;Vorname\nvon Abel;Ann\n", "2||von Abel|Ann|||\n"},
		"two columns for one":   {"ID;Rufname;Vorname;Familienname;Nachname\n1;Anni;Ann;;Abel\n2;Bo;;Berg;\n", "2|1|Abel|Ann|||\n3|2|Berg|Bo|||\n"},
		"a school is no pupil":  {"School,School ID,Student ID,Last,First,Grade\nX,77,0123,Abel,Ann,09\n", "2|0123|Abel|Ann||09|School=X|School ID=77|\n"},
		"dates":                 {"ID;Geburtsdatum\n1;3.4.2014\n2;2014-04-03\n3;4/3/2014\n", "2|1|||||date of birth=2014-04-03|\n3|2|||||date of birth=2014-04-03|\n4|3|||||date of birth=4/3/2014|\n"},
		"spaces, decomposed":    {"ID;Nachname\n 1 ;Mu\u0308ller\u00a0 X\n", "2|1|Müller X||||\n"},
		"lone quotation marks":  {"ID;Nachname\n1;Ann \"Anni\" Abel\n", "2|1|Ann \"Anni\" Abel||||\n"},
		"a line break in a row": {"ID;Last;Note\n1;Abel;\"two\nlines\"\n2;Berg;\n", "2|1|Abel||||Note=two lines|\n4|2|Berg||||\n"},
	} {
		if got := people(t, []byte(c.text)); got != c.want {
			t.Errorf("%s:\n%s instead of\n%s", what, got, c.want)
		}
	}
	f := excelize.NewFile()
	zeros := "00000"
	style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &zeros})
	if err != nil {
		t.Fatal(err)
	}
	for cell, v := range map[string]any{"A1": "ID", "B1": "Last", "A2": 123, "B2": "Abel", "A3": 201212012345, "B3": "Berg"} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetCellStyle("Sheet1", "A2", "A2", style); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if got := people(t, b.Bytes()); got != "2|00123|Abel||||\n3|201212012345|Berg||||\n" {
		t.Error(got)
	}
}

// A file that is no list, or that says two things at once, is refused with a sentence for
// whoever made it.
func TestWhatIsNoListIsRefused(t *testing.T) {
	long := "ID,Last\n1," + strings.Repeat("x", mostCell+1)
	for text, want := range map[string]string{
		"":                                      "it is empty",
		"\xff\xd8\xff\xe0 a picture":            "it looks like image/jpeg",
		"%PDF-1.7 a document":                   "it looks like application/pdf",
		"\x00\x01\x02\x00\x00":                  "it looks like application/octet-stream",
		"\xd0\xcf\x11\xe0 old":                  "save it as .xlsx without a password, or as CSV",
		"PK\x03\x04 no workbook":                "no Excel workbook",
		"Dear Sir,\nhere is nothing":            "no column has a name that picday knows, such as ID, First name, Last name or Class. The first line is: Dear Sir",
		"Class;Grade\n5a;5\n":                   "it has no column with an ID, a code or a name. Its columns are: Class | Grade",
		"ID,Last\n":                             "there is nobody below the names of the columns",
		"ID,Last\n1,Abel\n2,Berg\n1,Cole\n":     "lines 2 and 4 have the same ID 1",
		"Code,Last\nk7,Abel\nK7,Berg\n":         "lines 2 and 3 have the same code K7",
		"ID,Last\n2.01212E+11,Abel\n":           "line 2: the ID 2.01212E+11 is what a spreadsheet has made of a long number",
		long:                                    "line 2: xxx",
		"ID" + strings.Repeat(",", mostColumns): "line 1 has more than 200 columns",
		strings.Repeat("x", MostBytes+1):        "it has more than 10 MB",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v instead of %s", text, err, want)
		}
	}
	if _, err := Parse([]byte("Dear Sir")); !errors.Is(err, ErrNoList) {
		t.Error(err)
	}
}

// A workbook that unpacks to more than any list is refused before it is unpacked.
func TestABombIsRefused(t *testing.T) {
	var whole, bomb bytes.Buffer
	if err := excelize.NewFile().Write(&whole); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(whole.Bytes()), int64(whole.Len()))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(&bomb)
	for _, f := range r.File {
		if f.Name != "xl/worksheets/sheet1.xml" {
			if err := w.Copy(f); err != nil {
				t.Fatal(err)
			}
			continue
		}
		sheet, err := w.Create(f.Name)
		if err == nil {
			_, err = sheet.Write(bytes.Repeat([]byte(" "), mostUnpacked+1))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || bomb.Len() > 1<<20 {
		t.Fatal(err, bomb.Len())
	}
	if _, err := Parse(bomb.Bytes()); err == nil || !strings.Contains(err.Error(), "unzip size exceeds") {
		t.Errorf("%v", err)
	}
}

// The documentation has the names of columns that the code knows.
func TestTheDocumentationHasTheNamesOfTheColumns(t *testing.T) {
	text, err := os.ReadFile("../../docs/rosters.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Synonyms {
		row := fmt.Sprintf("| %s | %s |", s.Field, strings.Join(s.Names, ", "))
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/rosters.md lacks this row:\n%s", row)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, encode := range encodings {
		f.Add(encode("ID;Nachname;Klasse\n0123;Müller;5b\n"))
	}
	f.Add([]byte("sep=|\nID|Name\n1|\"a\nb\""))
	f.Add([]byte("PK\x03\x04"))
	f.Add(bomb(f, func(w io.Writer) {
		_, _ = io.WriteString(w, `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row><c t="inlineStr"><is><t>ID</t></is></c></row><row><c><v>7</v></c></row></sheetData></worksheet>`)
	}, nil))
	f.Fuzz(func(t *testing.T, content []byte) {
		l, err := Parse(content)
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for _, p := range l.People {
			if p.Name() == "" || p.ID != "" && ids[p.ID] || clean(p.ID) != p.ID || p.Line < 1 {
				t.Errorf("%+v", p)
			}
			ids[p.ID] = true
		}
		if d, err := Compare(l, nil); err != nil || len(d.Added) != len(l.People) {
			t.Errorf("%+v, %v", d, err)
		}
	})
}
