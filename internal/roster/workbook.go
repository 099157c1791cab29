package roster

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"
)

// mostUnpacked is the limit of what a workbook unpacks to. A sheet of 100,000 people has
// less; more is a bomb, or no list.
const mostUnpacked = 64 << 20

// workbook reads the first sheet of an Excel workbook that has something in it. Cells are
// read as they are shown, so that a number with the format 00000 keeps its zeros.
func workbook(content []byte) (t table, err error) {
	defer func() { // the library is fed what strangers made
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: the workbook cannot be read (%v)", ErrNoList, r)
		}
	}()
	// With the same limit for one sheet, none is unpacked into a temporary file.
	f, err := excelize.OpenReader(bytes.NewReader(content), excelize.Options{UnzipSizeLimit: mostUnpacked, UnzipXMLSizeLimit: mostUnpacked})
	if err != nil {
		return t, fmt.Errorf("%w: it is packed, and no Excel workbook (.xlsx) that can be read (%w)", ErrNoList, err)
	}
	defer f.Close()
	for _, sheet := range f.GetSheetList() {
		if t, err = sheetOf(f, sheet); err != nil || len(t.rows) > 0 {
			return t, err
		}
	}
	return t, nil
}

func sheetOf(f *excelize.File, sheet string) (t table, err error) {
	rows, err := f.Rows(sheet)
	if err != nil {
		return t, fmt.Errorf("%w: its sheet %q cannot be read (%w)", ErrNoList, short(sheet), err)
	}
	defer rows.Close()
	for line := 1; rows.Next(); line++ {
		row, err := rows.Columns()
		if err != nil {
			return t, fmt.Errorf("%w: line %d of its sheet %q cannot be read (%w)", ErrNoList, line, short(sheet), err)
		}
		if len(row) > mostColumns {
			return t, fmt.Errorf("%w: line %d has more than %d columns", ErrNoList, line, mostColumns)
		}
		// Before anything looks at it: a text can be shared by all cells of the sheet.
		if i := slices.IndexFunc(row, func(cell string) bool { return len(cell) > 10*mostCell }); i >= 0 {
			return t, fmt.Errorf("%w: line %d: %s is longer than %d bytes", ErrNoList, line, short(row[i]), 10*mostCell)
		}
		if len(t.rows) > mostPeople+10 || line > 10*mostPeople {
			return t, fmt.Errorf("%w: it has more than %d people", ErrNoList, mostPeople)
		}
		if !empty(row) {
			t.rows, t.lines = append(t.rows, row), append(t.lines, line)
		}
	}
	return t, rows.Error()
}
