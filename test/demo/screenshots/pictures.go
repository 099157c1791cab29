package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	testphoto "picday/internal/test/photo"
)

// A canvas is a picture whose height is one unit of length.
type canvas struct{ *image.RGBA }

type shape func(x, y float64) float64 // the distance to its edge, negative inside

func ellipse(cx, cy, rx, ry float64) shape {
	return func(x, y float64) float64 {
		return (math.Hypot((x-cx)/rx, (y-cy)/ry) - 1) * min(rx, ry)
	}
}

func (s shape) below(limit float64) shape {
	return func(x, y float64) float64 { return max(s(x, y), limit-y) }
}

func (s shape) above(limit float64) shape {
	return func(x, y float64) float64 { return max(s(x, y), y-limit) }
}

func (s shape) outline(width float64) shape {
	return func(x, y float64) float64 { return math.Abs(s(x, y)) - width/2 }
}

// fill paints a shape with smooth edges.
func (c canvas) fill(s shape, paint color.RGBA) {
	pixel := 1 / float64(c.Bounds().Dy())
	for py := range c.Bounds().Dy() {
		for px := range c.Bounds().Dx() {
			covered := 0.5 - s((float64(px)+.5)*pixel, (float64(py)+.5)*pixel)/pixel
			if covered <= 0 {
				continue
			}
			old, k := c.RGBAAt(px, py), min(covered, 1)
			mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-k) + float64(b)*k)) }
			c.SetRGBA(px, py, color.RGBA{mix(old.R, paint.R), mix(old.G, paint.G), mix(old.B, paint.B), 255})
		}
	}
}

var (
	skins     = []color.RGBA{{246, 213, 188, 255}, {232, 186, 150, 255}, {198, 140, 100, 255}, {141, 92, 64, 255}, {101, 66, 48, 255}}
	hairs     = []color.RGBA{{45, 34, 30, 255}, {92, 58, 36, 255}, {150, 98, 52, 255}, {214, 172, 96, 255}, {166, 72, 38, 255}, {28, 28, 34, 255}}
	shirts    = []color.RGBA{{61, 110, 158, 255}, {184, 76, 72, 255}, {82, 138, 98, 255}, {222, 178, 74, 255}, {116, 94, 158, 255}, {236, 236, 232, 255}, {70, 78, 92, 255}}
	backdrops = []color.RGBA{{150, 178, 204, 255}, {176, 190, 186, 255}, {196, 186, 172, 255}}
)

func pick(r *rand.Rand, from []color.RGBA) color.RGBA { return from[r.IntN(len(from))] }

// person paints a person whose head is at x, y; size is the height of the head.
func (c canvas) person(r *rand.Rand, x, y, size float64) {
	skin, hair, shirt := pick(r, skins), pick(r, hairs), pick(r, shirts)
	at := func(cx, cy, rx, ry float64) shape { return ellipse(x+cx*size, y+cy*size, rx*size, ry*size) }
	style := r.IntN(4)
	if style == 0 { // long hair
		c.fill(at(0, .12, .52, .72).above(y+.62*size), hair)
	}
	c.fill(at(0, .62, .17, .26), darker(skin))
	c.fill(at(0, 1.62, .98, 1.02), shirt)
	c.fill(at(-.42, .04, .07, .11), skin)
	c.fill(at(.42, .04, .07, .11), skin)
	c.fill(at(0, 0, .41, .54), skin)
	switch style {
	case 1: // a bun
		c.fill(at(0, -.62, .2, .17), hair)
	case 2: // curls
		for i := range 7 {
			a := math.Pi * float64(i) / 6
			c.fill(at(-.4*math.Cos(a), -.2-.36*math.Sin(a), .17, .17), hair)
		}
	}
	parting := .16 * (r.Float64() - .5)
	fringe := ellipse(x+parting*size, y+.3*size, .42*size, .55*size)
	c.fill(func(px, py float64) float64 {
		return max(at(0, -.08, .45, .52)(px, py), -fringe(px, py), py-(y+.02*size))
	}, hair)
	eye := color.RGBA{48, 40, 38, 255}
	c.fill(at(-.16, .05, .042, .05), eye)
	c.fill(at(.16, .05, .042, .05), eye)
	c.fill(at(0, .2, .17, .14).below(y+.23*size).outline(.028*size), color.RGBA{150, 70, 66, 255})
}

func darker(c color.RGBA) color.RGBA {
	return color.RGBA{uint8(float64(c.R) * .9), uint8(float64(c.G) * .87), uint8(float64(c.B) * .85), 255}
}

// picture paints people in rows before a backdrop, as a camera's JPEG.
func picture(seed uint64, width, height int, rows ...int) ([]byte, error) {
	r := rand.New(rand.NewPCG(seed, 7))
	c := canvas{image.NewRGBA(image.Rect(0, 0, width, height))}
	base := pick(r, backdrops)
	aspect := float64(width) / float64(height)
	c.fill(func(float64, float64) float64 { return -1 }, base)
	if len(rows) == 0 {
		c.person(r, aspect/2+.04*(r.Float64()-.5), .42, .42+.04*r.Float64())
	}
	for i, n := range rows {
		for j := range n {
			size := .17
			c.person(r, aspect*(float64(j)+.5)/float64(n), .3+.24*float64(i)+.02*r.Float64(), size)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, c, &jpeg.Options{Quality: 92}); err != nil {
		return nil, err
	}
	return withExif(out.Bytes(), seed), nil
}

// withExif inserts the EXIF segment of a test photo behind the SOI marker.
func withExif(picture []byte, n uint64) []byte {
	taken := time.Date(2026, 9, 14, 8, 30, 0, 0, time.FixedZone("", 2*60*60)).Add(time.Duration(n) * 47 * time.Second)
	other := testphoto.Make(testphoto.Spec{Width: 16, Height: 16, Quality: 50, TakenAt: taken, Make: "Canon", Model: "Canon EOS R6", Serial: "012345678901"})
	at := bytes.Index(other, []byte{0xff, 0xe1})
	length := 2 + int(other[at+2])<<8 + int(other[at+3])
	return append(append([]byte{0xff, 0xd8}, other[at:at+length]...), picture[2:]...)
}

// camera writes what the uploaders of the screenshots have.
func camera(dir string) error {
	write := func(name string, data []byte, err error) error {
		if err != nil {
			return err
		}
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o644)
	}
	seed := uint64(0)
	for class := 1; class <= 3; class++ {
		for i := range 10 {
			seed++
			data, err := picture(seed, 750, 1000)
			if err := write(fmt.Sprintf("Class %d/individuals/IMG_%04d.jpg", class, 20*class+i), data, err); err != nil {
				return err
			}
		}
		for i := range 2 {
			seed++
			data, err := picture(seed, 1200, 800, 5+i, 6, 5)
			if err := write(fmt.Sprintf("Class %d/group/IMG_%04d.jpg", class, 20*class+10+i), data, err); err != nil {
				return err
			}
		}
	}
	for id := range 12 {
		seed++
		data, err := picture(seed, 750, 1000)
		if err := write(fmt.Sprintf("portraits/2012120%02d.jpg", 11+id), data, err); err != nil {
			return err
		}
	}
	whole, err := picture(99, 750, 1000)
	if err != nil {
		return err
	}
	large := testphoto.Make(testphoto.Spec{Width: 4000, Height: 3000, Seed: 5, Quality: 95})
	for name, data := range map[string][]byte{
		"wrong/IMG_0071.jpg": whole, "wrong/cut off.jpg": whole[:len(whole)/2], "wrong/timetable.jpg": []byte("%PDF-1.4 a timetable"),
		"wrong/Anna Schmidt.jpg": whole, "slow.jpg": large,
	} {
		if err := write(name, data, nil); err != nil {
			return err
		}
	}
	return nil
}
