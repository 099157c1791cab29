package test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"testing"
)

// The pictures of TestEveryLinkShowsTheRightPerson carry a number, as a grid of cells that a resized JPEG still
// shows: whose picture it is, and which of that person's.
const (
	gridCols, gridRows = 6, 4
	cell               = 48
)

type shot struct{ person, version int }

func (n shot) bits() int { return n.person<<8 | n.version }

// gridPicture has noise, because a camera's pictures have, and no two have the same end.
func gridPicture(n shot) []byte {
	noise := rand.New(rand.NewPCG(uint64(n.bits()), 2))
	img := image.NewRGBA(image.Rect(0, 0, gridCols*cell, gridRows*cell))
	for y := range gridRows * cell {
		for x := range gridCols * cell {
			c := color.RGBA{0, 0, 120, 255}
			if n.bits()>>(y/cell*gridCols+x/cell)&1 == 1 {
				c = color.RGBA{255, 230, 0, 255}
			}
			c.G += uint8(noise.IntN(25))
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func readGrid(picture []byte) (n shot, err error) {
	img, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return n, err
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	bits := 0
	for i := range gridCols * gridRows {
		if r, _, _, _ := img.At((2*(i%gridCols)+1)*w/(2*gridCols), (2*(i/gridCols)+1)*h/(2*gridRows)).RGBA(); r > 0x7fff {
			bits |= 1 << i
		}
	}
	return shot{bits >> 8, bits & 0xff}, nil
}

// The reader of this test tells numbers apart.
func TestAGridPictureIsRead(t *testing.T) {
	for _, n := range []shot{{1, 1}, {0x5555, 0xaa}, {0xffff, 0xff}, {258, 3}} {
		if got, err := readGrid(gridPicture(n)); err != nil || got != n {
			t.Errorf("%+v is read as %+v: %v", n, got, err)
		}
	}
}
