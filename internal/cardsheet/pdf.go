package cardsheet

import (
	"io"
	"time"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// The sheet is A4, in millimetres.
const (
	sheetWidth, sheetHeight = 210.0, 297.0
	margin                  = 6.0
	largestCode             = 120.0
)

// PDF writes the cards as sheets of A4. The same cards give the same bytes.
func PDF(w io.Writer, title string, cards []Card, perSheet int) error {
	grid, err := gridOf(perSheet)
	if err != nil {
		return err
	}
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCatalogSort(true)
	f.SetCreationDate(time.Unix(0, 0))
	f.SetModificationDate(time.Unix(0, 0))
	f.SetTitle(title, true)
	f.SetAutoPageBreak(false, 0)
	f.SetMargins(0, 0, 0)
	// The Go fonts have Latin, Greek and Cyrillic; a PDF's own have Western Europe only.
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	width, height := sheetWidth/float64(grid[0]), sheetHeight/float64(grid[1])
	for i, c := range cards {
		at := i % perSheet
		if at == 0 {
			f.AddPage()
			cutMarks(f, grid, width, height)
		}
		s, err := squareOf(c.Code)
		if err != nil {
			return err
		}
		draw(f, c, s, float64(at%grid[0])*width, float64(at/grid[0])*height, width, height)
	}
	if len(cards) == 0 {
		f.AddPage()
	}
	return f.Output(w)
}

// cutMarks draws where to cut.
func cutMarks(f *fpdf.Fpdf, grid [2]int, width, height float64) {
	f.SetDrawColor(150, 150, 150)
	f.SetLineWidth(0.1)
	f.SetDashPattern([]float64{2, 2}, 0)
	for c := 1; c < grid[0]; c++ {
		f.Line(float64(c)*width, 0, float64(c)*width, sheetHeight)
	}
	for r := 1; r < grid[1]; r++ {
		f.Line(0, float64(r)*height, sheetWidth, float64(r)*height)
	}
}

// draw draws one card, with the code above the text.
func draw(f *fpdf.Fpdf, c Card, s square, x, y, width, height float64) {
	text := min(height*0.28, 60)
	size := min(width-2*margin, height-text-2*margin, largestCode)
	module := size / float64(len(s)+2*quiet)
	left, top := x+(width-size)/2, y+(height-text-size)/2
	f.SetFillColor(0, 0, 0)
	s.runs(func(mx, my, n int) {
		f.Rect(left+float64(mx+quiet)*module, top+float64(my+quiet)*module, float64(n)*module, module, "F")
	})
	line := text / 3.4
	for i, t := range []struct{ text, style string }{{c.Name, "B"}, {c.Class, ""}, {c.Code, ""}} {
		points := line * 2
		if t.style == "" {
			points *= 0.75
		}
		f.SetFont("go", t.style, points)
		for shown := t.text; ; {
			if room := width - 2*margin; f.GetStringWidth(shown) <= room || shown == "" {
				f.SetXY(x+margin, top+size+float64(i)*line)
				f.CellFormat(room, line, shown, "", 0, "CM", false, 0, "")
				break
			}
			if points > 9 {
				points *= 0.9
				f.SetFont("go", t.style, points)
				continue
			}
			_, last := utf8.DecodeLastRuneInString(shown)
			shown = shown[:len(shown)-last]
		}
	}
}
