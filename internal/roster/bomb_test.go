package roster

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// bomb is a workbook whose first sheet and shared texts are replaced.
func bomb(t testing.TB, sheet, shared func(io.Writer)) []byte {
	t.Helper()
	f := excelize.NewFile()
	_ = f.SetCellValue("Sheet1", "A1", "x") // so that there are shared texts
	var whole bytes.Buffer
	if err := f.Write(&whole); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(whole.Bytes()), int64(whole.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, entry := range r.File {
		to, err := w.Create(entry.Name)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case entry.Name == "xl/worksheets/sheet1.xml":
			sheet(to)
		case entry.Name == "xl/sharedStrings.xml" && shared != nil:
			shared(to)
		default:
			from, _ := entry.Open()
			_, _ = io.Copy(to, from)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A small file that unpacks to much, or whose few texts are said a hundred thousand times,
// is refused before it costs anything.
func TestBombsAreRefused(t *testing.T) {
	const head, foot = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`, `</sheetData></worksheet>`
	texts := func(long int) func(io.Writer) {
		return func(w io.Writer) {
			fmt.Fprintf(w, `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>ID</t></si><si><t>%s</t></si></sst>`, strings.Repeat("a ", long/2))
		}
	}
	rows := func(n int, row string) func(io.Writer) {
		return func(w io.Writer) {
			_, _ = io.WriteString(w, head+`<row><c t="s"><v>0</v></c></row>`)
			for range n {
				_, _ = io.WriteString(w, row)
			}
			_, _ = io.WriteString(w, foot)
		}
	}
	for name, content := range map[string][]byte{
		"unpacks to much":              bomb(t, rows(1, "<row>"+strings.Repeat(" ", mostUnpacked)+"</row>"), texts(10)),
		"a long text, again and again": bomb(t, rows(50_000, `<row><c t="s"><v>1</v></c></row>`), texts(20<<20)),
		"the last cell of a sheet":     bomb(t, rows(50_000, `<row><c r="XFD1" t="s"><v>1</v></c></row>`), texts(10)),
		"the last row of a sheet":      bomb(t, rows(1, `<row r="1048576"><c r="A1048576" t="s"><v>1</v></c></row>`), texts(10)),
		"a row that is none":           bomb(t, rows(1, `<row r="99999999999"><c r="A1" t="s"><v>1</v></c></row>`), texts(10)),
		"a text that is not there":     bomb(t, rows(1, `<row><c t="s"><v>-7</v></c></row>`), texts(10)),
	} {
		start := time.Now()
		l, err := Parse(content)
		t.Logf("%s: %d bytes, %v, %d people, %v", name, len(content), time.Since(start), len(l.People), err)
		if err == nil && len(l.People) > 1 || err != nil && !errors.Is(err, ErrNoList) && !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%s: %d people, %v", name, len(l.People), err)
		}
	}
}
