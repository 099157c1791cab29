// Package photo makes JPEGs that look to picday like a camera's: detail in
// every octave, so that they are as large and as slow to decode as real ones, and
// EXIF with orientation, date, camera and an embedded thumbnail. For tests, the demo
// and benchmarks; nothing that ships imports it.
//
// It promises that equal specs give equal bytes on one platform and build. It
// imports nothing of picday, so that every package's tests can use it.
package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"
	"sync"
	"time"
)

// Spec says what a photo is like. The zero value of each field gives a sensible
// photo: 1200 x 800, quality 92, no EXIF unless a field asks for it.
type Spec struct {
	Width, Height int // pixels as stored, before orientation
	Seed          uint64
	Quality       int // 1 to 100
	// Noise is the amount of fine detail in percent of a camera's at low ISO, where
	// 6000 x 4000 at quality 92 is some 7 MB; 0 means 100.
	Noise int

	Orientation         int       // 1 to 8; the picture is seen upright when it is applied
	TakenAt             time.Time // with sub-seconds and offset as it has them
	Make, Model, Serial string
	Thumbnail           bool // a JPEG of 160 pixels in IFD1, with its own FF D9
	GPS                 bool // a fixed place, to see that nobody publishes it
}

func (s Spec) orDefault() Spec {
	if s.Width == 0 || s.Height == 0 {
		s.Width, s.Height = 1200, 800
	}
	if s.Quality == 0 {
		s.Quality = 92
	}
	if s.Noise == 0 {
		s.Noise = 100
	}
	return s
}

// Make makes the photo. It panics on a size that a JPEG cannot have.
func Make(s Spec) []byte {
	s = s.orDefault()
	pic := encode(s)
	exif := s.exif()
	if exif == nil {
		return pic
	}
	return insert(pic, 2, 0xe1, exif)
}

// Vary returns a copy of a JPEG that differs in a comment saying n: the same
// picture, other bytes, another SHA-256. It costs one copy.
func Vary(pic []byte, n int) []byte {
	at := 2
	for at+4 <= len(pic) && pic[at] == 0xff && pic[at+1]&0xf0 == 0xe0 { // behind all APPn
		at += 2 + int(binary.BigEndian.Uint16(pic[at+2:]))
	}
	return insert(pic, at, 0xfe, fmt.Appendf(nil, "variant %d", n))
}

var tiny struct {
	sync.Mutex
	pics [8][]byte
}

// Tiny is a whole photo of a few kB, 640 x 480, different for each seed. There are 8
// pictures behind it, so that thousands cost nothing.
func Tiny(seed int) []byte {
	i := uint(seed) % uint(len(tiny.pics))
	tiny.Lock()
	defer tiny.Unlock()
	if tiny.pics[i] == nil {
		tiny.pics[i] = Make(Spec{Width: 640, Height: 480, Seed: uint64(i), Quality: 40, Noise: 40})
	}
	return Vary(tiny.pics[i], seed)
}

func encode(s Spec) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, scene(s), &jpeg.Options{Quality: s.Quality}); err != nil {
		panic(err) // only a size that does not fit a JPEG
	}
	return b.Bytes()
}

// insert puts a segment into pic at an offset between segments.
func insert(pic []byte, at int, code byte, content []byte) []byte {
	if len(content) > 65533 {
		panic("testphoto: segment too long")
	}
	out := make([]byte, 0, len(pic)+len(content)+4)
	out = append(out, pic[:at]...)
	out = append(out, 0xff, code)
	out = binary.BigEndian.AppendUint16(out, uint16(len(content)+2))
	out = append(out, content...)
	return append(out, pic[at:]...)
}
