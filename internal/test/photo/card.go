package photo

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
)

// A Card is a printed QR card in front of a scene: version 2, level H, on white paper with
// a quiet zone of 4 modules.
type Card struct {
	Text string // of at most 20 characters of QR's alphanumeric set
	// Edge is the code's side in parts of the picture's longest, as if it were not tilted.
	Edge  float64
	X, Y  float64 // centre, in parts of width and height; 0, 0 is the middle
	Tilt  float64 // degrees by which the card is turned out of the picture's plane,
	About float64 // around an axis in this direction, in degrees
	Turn  float64 // degrees by which it is turned in the plane
	Blur  float64 // sigma of a Gaussian, in pixels
	Light float64 // how much darker one side of the card is than the other, 0 to 1
	Hand  bool    // a thumb holds the card by its lower edge, over the quiet zone
	// NoFinders paints over the finder patterns, Smear over what is between them.
	NoFinders, Smear bool
}

// MakeCards makes a photo of cards, with the EXIF that the spec asks for.
func MakeCards(s Spec, cards ...Card) []byte {
	s = s.orDefault()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, CardScene(s, cards...), &jpeg.Options{Quality: s.Quality}); err != nil {
		panic(err) // only a size that does not fit a JPEG
	}
	if exif := s.exif(); exif != nil {
		return insert(b.Bytes(), 2, 0xe1, exif)
	}
	return b.Bytes()
}

// CardScene is the picture of MakeCards before it is a JPEG.
func CardScene(s Spec, cards ...Card) *image.YCbCr {
	s = s.orDefault()
	img := scene(s)
	PaintCards(img, s.Seed, cards...)
	return img
}

// PaintCards paints cards into a picture.
func PaintCards(img *image.YCbCr, seed uint64, cards ...Card) {
	rnd := rand.New(rand.NewPCG(seed, 4711))
	for _, c := range cards {
		c.paint(img, rnd)
	}
}

// modules is the code, true = black.
func (c Card) modules() [][]bool {
	code, err := encoder.Encoder_encode(c.Text, decoder.ErrorCorrectionLevel_H, map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_QR_VERSION: 2})
	if err != nil {
		panic(err) // a text that does not fit
	}
	m := code.GetMatrix()
	n := m.GetWidth()
	out := make([][]bool, n)
	for y := range out {
		out[y] = make([]bool, n)
		for x := range out[y] {
			finder := min(y, n-1-y) < 8 && min(x, n-1-x) < 8 && (x < 8 || y < 8)
			out[y][x] = m.Get(x, y) == 1
			if c.NoFinders && finder || c.Smear && !finder {
				out[y][x] = false
			}
		}
	}
	return out
}

const quiet = 4 // modules

func (c Card) paint(img *image.YCbCr, rnd *rand.Rand) {
	code := c.modules()
	n := float64(len(code))
	w, h := img.Rect.Dx(), img.Rect.Dy()
	side := c.Edge * float64(max(w, h)) // of the code
	cx, cy := c.X*float64(w), c.Y*float64(h)
	if c.X == 0 && c.Y == 0 {
		cx, cy = float64(w)/2, float64(h)/2
	}
	rad := math.Pi / 180
	st, ct := math.Sincos(c.Tilt * rad)
	sa, ca := math.Sincos(c.About * rad)
	sr, cr := math.Sincos(c.Turn * rad)
	distance := 4 * side
	// where maps a place in the picture to modules of the code: it meets the tilted card
	// with the ray from the camera.
	where := func(px, py float64) (u, v float64) {
		x, y := px-cx, py-cy
		along, across := x*ca+y*sa, y*ca-x*sa // the axis, and across it
		// A point at t across on the card is at t cos in the plane and t sin behind it.
		t := across * distance / (distance*ct - across*st)
		k := 1 + t*st/distance
		along *= k
		x, y = along*ca-t*sa, along*sa+t*ca
		x, y = x*cr+y*sr, y*cr-x*sr
		return (x/side + 0.5) * n, (y/side + 0.5) * n
	}
	reach := int(side*1.2) + int(3*c.Blur) + 2
	x0, y0 := max(0, int(cx)-reach), max(0, int(cy)-reach)
	x1, y1 := min(w, int(cx)+reach), min(h, int(cy)+reach)
	if x1 <= x0 || y1 <= y0 {
		return
	}
	pw, ph := x1-x0, y1-y0
	shade, cover := make([]float64, pw*ph), make([]float64, pw*ph)
	fine := 3
	if side > 250 {
		fine = 2
	}
	for y := range ph {
		for x := range pw {
			for i := range fine * fine {
				u, v := where(float64(x0+x)+(float64(i%fine)+0.5)/float64(fine), float64(y0+y)+(float64(i/fine)+0.5)/float64(fine))
				if u < -quiet || v < -quiet || u >= n+quiet || v >= n+quiet+5 { // with room for a name below
					continue
				}
				l := 225.
				if u >= 0 && v >= 0 && u < n && v < n && code[int(v)][int(u)] {
					l = 28
				}
				if v > n+1 && v < n+3 && u > 2 && u < n-2 && math.Mod(u, 1.4) < 0.7 { // its letters
					l = 60
				}
				if c.Hand && math.Hypot((u-n/2)/4, (v-n-quiet-4)/6) < 1 {
					l = 150
				}
				l *= 1 - c.Light*max(0, min(1, u/n))
				shade[y*pw+x] += l / float64(fine*fine)
				cover[y*pw+x] += 1 / float64(fine*fine)
			}
		}
	}
	shade, cover = blurred(shade, pw, ph, c.Blur), blurred(cover, pw, ph, c.Blur)
	for y := range ph {
		for x := range pw {
			at := img.YOffset(x0+x, y0+y)
			k := cover[y*pw+x]
			img.Y[at] = byte(max(0, min(255, shade[y*pw+x]+(1-k)*float64(img.Y[at])+rnd.NormFloat64()*3*k)))
			if k > 0.5 && x%2 == 0 && y%2 == 0 {
				at := img.COffset(x0+x, y0+y)
				img.Cb[at], img.Cr[at] = 126, 130
			}
		}
	}
}

// blurred is a Gaussian.
func blurred(in []float64, w, h int, sigma float64) []float64 {
	if sigma <= 0 {
		return in
	}
	r := int(3*sigma) + 1
	kernel := make([]float64, 2*r+1)
	total := 0.
	for i := range kernel {
		kernel[i] = math.Exp(-float64((i-r)*(i-r)) / (2 * sigma * sigma))
		total += kernel[i]
	}
	pass := func(in []float64, n, step, lines, next int) []float64 {
		out := make([]float64, len(in))
		for l := range lines {
			for i := range n {
				sum := 0.
				for k, f := range kernel {
					sum += f * in[l*next+max(0, min(n-1, i+k-r))*step]
				}
				out[l*next+i*step] = sum / total
			}
		}
		return out
	}
	return pass(pass(in, w, 1, h, w), h, w, w, 1)
}
