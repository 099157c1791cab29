// Package cardsheet makes sheets of QR cards to print: a card is photographed before its
// subject, and says whose pictures follow.
package cardsheet

import (
	"fmt"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"picday/internal/codes"
)

// A Card is what is printed on one.
type Card struct {
	Code        string
	Name, Class string
}

// grids are the columns and rows of a sheet, by how many cards it has.
var grids = map[int][2]int{1: {1, 1}, 2: {1, 2}, 4: {2, 2}, 6: {2, 3}, 8: {2, 4}}

// PerSheet are the numbers of cards that a sheet can have.
var PerSheet = []int{1, 2, 4, 6, 8}

func gridOf(perSheet int) ([2]int, error) {
	grid, ok := grids[perSheet]
	if !ok {
		return grid, fmt.Errorf("a sheet has 1, 2, 4, 6 or 8 cards, not %d", perSheet)
	}
	return grid, nil
}

// A square is a QR code: the dark modules of each row.
type square [][]bool

// version is that of the QR codes. It has an alignment pattern, without which a tilted card
// is often not read, and the modules are as large as that allows: 25 in a row.
const version = 2

// squareOf makes the QR code, with the level of correction H. A code of ours has 14
// characters; a version 2 holds 20 of its alphabet. What does not fit, as many codes of
// others, gets a larger one.
func squareOf(code string) (square, error) {
	text := codes.Key(code)
	hints := map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_QR_VERSION: version}
	made, err := encoder.Encoder_encode(text, decoder.ErrorCorrectionLevel_H, hints)
	if err != nil {
		made, err = encoder.Encoder_encode(text, decoder.ErrorCorrectionLevel_H, map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_CHARACTER_SET: "UTF-8"})
	}
	if err != nil {
		return nil, fmt.Errorf("the code %q: %w", code, err)
	}
	m := made.GetMatrix()
	s := make(square, m.GetHeight())
	for y := range s {
		s[y] = make([]bool, m.GetWidth())
		for x := range s[y] {
			s[y][x] = m.Get(x, y) == 1
		}
	}
	return s, nil
}

// runs calls each for the dark modules, those beside each other in a row at once.
func (s square) runs(each func(x, y, n int)) {
	for y, row := range s {
		for x := 0; x < len(row); x++ {
			n := 0
			for x+n < len(row) && row[x+n] {
				n++
			}
			if n > 0 {
				each(x, y, n)
				x += n
			}
		}
	}
}

// path is the QR code as the path of an SVG, one unit a module.
func (s square) path() string {
	var b strings.Builder
	s.runs(func(x, y, n int) { fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, n, n) })
	return b.String()
}

// quiet is the white edge of a QR code, in modules.
const quiet = 4
