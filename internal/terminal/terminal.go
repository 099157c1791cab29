// Package terminal writes for people at a terminal: tables, how far long work is, and
// text of which strangers have written parts. It cannot be steered by such text.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Plain replaces what a terminal would not print, and could take for a command, in
// text that an uploader or another program wrote. Line ends stay.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// A Table says how a list is shown.
type Table[T any] struct {
	Head string // the names of the columns, between tabs
	Row  func(T) []string
}

// Write writes the list, with tabs between the columns. For a terminal of so many
// characters in a line (see [Columns]; 0 = any number) it shortens wide columns, and
// returns whether it has.
func (t Table[T]) Write(w io.Writer, list []T, columns int) (shortened bool) {
	rows := [][]string{strings.Split(t.Head, "\t")}
	for _, x := range list {
		row := t.Row(x)
		for i := range row {
			row[i] = Plain(row[i]) // a tab would not be printed either
		}
		rows = append(rows, row)
	}
	if columns > 0 {
		shortened = fit(rows, columns)
	}
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return shortened
}
