package people

import (
	"encoding/csv"
	"io"
	"strings"

	"picday/internal/contract"
)

// WriteCSV writes those who are missing as a table for spreadsheets.
func WriteCSV(w io.Writer, all []contract.Missing) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	rows := [][]string{{"ID", "Code", "Last name", "First name", "Class", "Grade", "Why", "File"}}
	for _, m := range all {
		rows = append(rows, []string{m.ExternalID, m.Code, m.Last, m.First, m.Class, m.Grade, m.Why, m.Path})
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = harmless(cell)
		}
	}
	return c.WriteAll(rows)
}

// harmless keeps a spreadsheet from taking a name for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
