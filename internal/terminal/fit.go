package terminal

import (
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/term"
)

// Columns is how many characters a line of the terminal w has; 0 if w is no terminal.
func Columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return n
}

const (
	gap    = 2  // blanks between two columns
	narrow = 19 // no column is made narrower than that: times stay whole
)

// fit shortens what is in the widest columns until a row needs no more than columns
// characters, if that is possible with columns that can still be read. It returns
// whether it has shortened any.
func fit(rows [][]string, columns int) (shortened bool) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	over := gap*(len(widths)-1) - columns
	for _, w := range widths {
		over += w
	}
	for ; over > 0; over-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= narrow {
			break
		}
		widths[widest]--
		shortened = true
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = shorten(cell, widths[i])
		}
	}
	return shortened
}

// shorten cuts text in the middle to n characters: paths, addresses and sentences are
// told apart by their beginning or their end.
func shorten(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	end := (n - 1) / 2
	return string(runes[:n-1-end]) + "…" + string(runes[len(runes)-end:])
}
