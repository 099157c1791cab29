package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// mostColumns is the limit of a row.
const mostColumns = 200

// tableOf reads a file of any form.
func tableOf(content []byte) (table, error) {
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return workbook(content)
	case bytes.HasPrefix(content, []byte("\xd0\xcf\x11\xe0")):
		return table{}, fmt.Errorf("%w: it is an old Excel file (.xls) or a protected one; save it as .xlsx without a password, or as CSV", ErrNoList)
	}
	text, err := decode(content)
	if err != nil {
		return table{}, err
	}
	return split(text)
}

// decode returns a text file as UTF-8.
func decode(content []byte) (string, error) {
	var e encoding.Encoding
	zeros := [2]int{} // at even and odd places
	start := content[:min(len(content), 1000)]
	for i, b := range start {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")), zeros[1] > len(start)/4 && zeros[0] == 0:
		e = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case bytes.HasPrefix(content, []byte("\xfe\xff")), zeros[0] > len(start)/4 && zeros[1] == 0:
		e = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case zeros != [2]int{}, strings.HasPrefix(http.DetectContentType(content), "image/"), bytes.HasPrefix(content, []byte("%PDF")):
		return "", fmt.Errorf("%w: it looks like %s", ErrNoList, http.DetectContentType(content))
	case bytes.Equal(content, bytes.ToValidUTF8(content, nil)):
		return strings.TrimPrefix(string(content), "\ufeff"), nil
	default: // ISO-8859-1 is the same, as far as names go
		e = charmap.Windows1252
	}
	text, err := e.NewDecoder().Bytes(content)
	if err != nil {
		return "", fmt.Errorf("%w: its text cannot be read (%w)", ErrNoList, err)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil
}

// split reads a text with the delimiter with which most of its columns are known.
func split(text string) (best table, err error) {
	skipped := 0
	if first, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(strings.ToLower(first), "sep=") { // for Excel
		text, skipped = rest, 1
	}
	most := -1
	for _, delimiter := range ",;\t|" {
		start, err := rows(text, delimiter, 10, skipped)
		if err != nil {
			return start, err
		}
		n := 0
		for _, row := range start.rows {
			n = max(n, 1000*columnsOf(row).known+len(row))
		}
		if n > most {
			most = n
			if best, err = rows(text, delimiter, 0, skipped); err != nil {
				return best, err
			}
		}
	}
	return best, nil
}

// rows reads at most limit rows that are not empty, 0 = all.
func rows(text string, delimiter rune, limit, skipped int) (t table, err error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = delimiter, -1, true
	for limit == 0 || len(t.rows) < limit {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t, fmt.Errorf("%w: %w", ErrNoList, err)
		}
		line, _ := r.FieldPos(0)
		if len(row) > mostColumns {
			return t, fmt.Errorf("%w: line %d has more than %d columns", ErrNoList, line+skipped, mostColumns)
		}
		if len(t.rows) > mostPeople+10 {
			return t, fmt.Errorf("%w: it has more than %d people", ErrNoList, mostPeople)
		}
		if !empty(row) {
			t.rows, t.lines = append(t.rows, row), append(t.lines, line+skipped)
		}
	}
	return t, nil
}
