package cardsheet

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed sheet.html
var page string

var sheet = template.Must(template.New("sheet").Parse(page))

type drawn struct {
	Card
	Size int // modules with the quiet zone
	Path string
}

// HTML writes the cards as a page that browsers print on A4 or Letter.
func HTML(w io.Writer, title string, cards []Card, perSheet int) error {
	grid, err := gridOf(perSheet)
	if err != nil {
		return err
	}
	data := struct {
		Title   string
		Columns int
		Rows    int
		Sheets  [][]drawn
	}{Title: title, Columns: grid[0], Rows: grid[1]}
	for i, c := range cards {
		s, err := squareOf(c.Code)
		if err != nil {
			return err
		}
		if i%perSheet == 0 {
			data.Sheets = append(data.Sheets, nil)
		}
		last := &data.Sheets[len(data.Sheets)-1]
		*last = append(*last, drawn{c, len(s) + 2*quiet, s.path()})
	}
	if err := sheet.Execute(w, data); err != nil {
		return fmt.Errorf("cards: %w", err)
	}
	return nil
}
