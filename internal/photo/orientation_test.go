package photo

import (
	"image"
	"image/color"
	"slices"
	"testing"
)

// The letter F, whose eight views all differ, and its rows as each orientation
// stores it. Source: EXIF 2.32, figure of tag 0112.
var upF = []string{"111", "100", "110", "100"}

var storedF = map[int][]string{
	1: {"111", "100", "110", "100"},
	2: {"111", "001", "011", "001"},
	3: {"001", "011", "001", "111"},
	4: {"100", "110", "100", "111"},
	5: {"1111", "1010", "1000"},
	6: {"1000", "1010", "1111"},
	7: {"0001", "0101", "1111"},
	8: {"1111", "0101", "0001"},
}

func TestUpright(t *testing.T) {
	kinds := map[string]func(image.Rectangle) (image.Image, func(x, y int, one bool)){
		"grey": func(r image.Rectangle) (image.Image, func(int, int, bool)) {
			m := image.NewGray(r)
			return m, func(x, y int, one bool) { m.SetGray(x, y, color.Gray{level(one)}) }
		},
		"rgba": func(r image.Rectangle) (image.Image, func(int, int, bool)) {
			m := image.NewRGBA(r)
			return m, func(x, y int, one bool) { m.SetRGBA(x, y, color.RGBA{level(one), level(one), level(one), 255}) }
		},
		"cmyk": func(r image.Rectangle) (image.Image, func(int, int, bool)) {
			m := image.NewCMYK(r)
			return m, func(x, y int, one bool) { m.SetCMYK(x, y, color.CMYK{K: 255 - level(one)}) }
		},
		"ycbcr": func(r image.Rectangle) (image.Image, func(int, int, bool)) {
			m := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
			for i := range m.Cb {
				m.Cb[i], m.Cr[i] = 128, 128
			}
			return m, func(x, y int, one bool) { m.Y[m.YOffset(x, y)] = level(one) }
		},
		"other": func(r image.Rectangle) (image.Image, func(int, int, bool)) {
			m := image.NewNRGBA64(r)
			return m, func(x, y int, one bool) { m.Set(x, y, color.Gray{level(one)}) }
		},
	}
	for name, kind := range kinds {
		for o, rows := range storedF {
			for _, origin := range []int{0, 6} { // an image need not start at 0,0
				img, set := kind(image.Rect(origin, origin, origin+len(rows[0]), origin+len(rows)))
				for y, row := range rows {
					for x, c := range row {
						set(origin+x, origin+y, c == '1')
					}
				}
				if got := rowsOf(Upright(img, o)); !slices.Equal(got, upF) {
					t.Errorf("%s, orientation %d: %q", name, o, got)
				}
			}
		}
	}
	for o, rows := range storedF {
		w, h := UprightSize(Facts{Width: len(rows[0]), Height: len(rows)}, o)
		if w != 3 || h != 4 {
			t.Errorf("UprightSize %d: %d x %d", o, w, h)
		}
	}
	img := image.NewGray(image.Rect(0, 0, 2, 3))
	for _, o := range []int{-1, 0, 1, 9} {
		if Upright(img, o) != image.Image(img) {
			t.Errorf("orientation %d changes the image", o)
		}
	}
}

// Colours must move with their pixels, also where two share them and the width is odd.
func TestUprightColours(t *testing.T) {
	in := image.NewYCbCr(image.Rect(0, 0, 5, 3), image.YCbCrSubsampleRatio420)
	for i := range in.Cb {
		in.Cb[i], in.Cr[i] = byte(20*i), byte(200-20*i)
	}
	for i := range in.Y {
		in.Y[i] = byte(i)
	}
	for o := 2; o <= 8; o++ {
		out := Upright(in, o)
		for y := range 3 {
			for x := range 5 {
				u, v := x, y
				switch o {
				case 2:
					u = 4 - x
				case 3:
					u, v = 4-x, 2-y
				case 4:
					v = 2 - y
				case 5:
					u, v = y, x
				case 6:
					u, v = 2-y, x
				case 7:
					u, v = 2-y, 4-x
				case 8:
					u, v = y, 4-x
				}
				if got, want := out.At(u, v), in.At(x, y); got != want {
					t.Fatalf("orientation %d: %d,%d is %v, want %v", o, u, v, got, want)
				}
			}
		}
	}
}

func level(one bool) byte {
	if one {
		return 255
	}
	return 0
}

func rowsOf(img image.Image) []string {
	b := img.Bounds()
	var out []string
	for y := b.Min.Y; y < b.Max.Y; y++ {
		row := ""
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, _, _, _ := img.At(x, y).RGBA(); r > 0x7fff {
				row += "1"
			} else {
				row += "0"
			}
		}
		out = append(out, row)
	}
	return out
}
