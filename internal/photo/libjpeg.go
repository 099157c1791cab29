package photo

// There is no maintained Go binding of libjpeg-turbo that returns planes: those on the
// module proxy are years old, or convert to RGB, or hide the warnings. This is one for the
// two calls that picday needs.
//
// The library is linked statically, so that one program runs on Debian (libjpeg62)
// and Ubuntu (libjpeg8), whose shared libraries have different names. To build:
// apt install libjpeg-dev.

// #cgo CFLAGS: -O3 -Wall
// #cgo LDFLAGS: -l:libjpeg.a -lm
// #include "libjpeg.h"
import "C"

import (
	"errors"
	"fmt"
	"image"
	"unsafe"
)

// plane is one channel of a picture, 8 bits deep.
type plane struct {
	pix    []byte
	stride int
	w, h   int
	// How many samples the picture covers, to the fraction: 33 pixels have 16.5
	// samples of colour in 4:2:0, stored in 17.
	spanW, spanH float64
}

// planes is a picture of one plane (grey) or three (Y, Cb, Cr).
type planes []plane

// decoded is a photo in the C heap, until freed.
type decoded struct {
	planes
	rgb     *image.RGBA // instead of planes, for colours of other kinds
	cmyk    *image.CMYK
	unusual bool // libjpeg warned, of nothing that changes the picture
	padded  bool // bytes that are left over behind the picture data, or of them
	c       C.picday_result
}

func (d *decoded) free() { C.picday_free(&d.c) }

// need is how many samples a decoded photo must have at least.
type need struct{ w, h, colourW, colourH float64 }

var needAll = need{1 << 16, 1 << 16, 1 << 16, 1 << 16}

// decodePlanes decodes a JPEG of the given width and height, each plane at 1/8, 1/4
// or 1/2 if that is enough. A warning of libjpeg is ErrDamaged, unless where it comes
// from and of what kind it is say that the picture is whole all the same. bare is that
// the file has no EOI but the one put on: then ErrIncomplete if anything is missing.
func decodePlanes(jpeg []byte, bare bool, width, height int, n need, maxMemory int64) (*decoded, error) {
	if len(jpeg) == 0 {
		return nil, ErrDamaged
	}
	d := &decoded{}
	w, h := [2]C.double{C.double(n.w), C.double(n.colourW)}, [2]C.double{C.double(n.h), C.double(n.colourH)}
	noEnd := C.int(0)
	if bare {
		noEnd = 1
	}
	C.picday_decode(&d.c, (*C.uchar)(unsafe.Pointer(&jpeg[0])), C.size_t(len(jpeg)), noEnd, C.int(width), C.int(height), &w[0], &h[0], C.long(maxMemory))
	if err := failure(&d.c); err != nil {
		return nil, err
	}
	d.unusual, d.padded = d.c.unusual != 0, d.c.padded != 0
	if d.c.space == C.picday_rgb || d.c.space == C.picday_cmyk {
		d.pixels()
		return d, nil
	}
	for _, p := range d.c.plane[:d.c.planes] {
		q := plane{
			pix: unsafe.Slice((*byte)(p.pix), int(p.size)), stride: int(p.stride),
			w: int(p.w), h: int(p.h), spanW: float64(p.span_w), spanH: float64(p.span_h),
		}
		if err := q.check(); err != nil {
			d.free()
			return nil, fmt.Errorf("%w: decoded: %w", ErrDamaged, err)
		}
		d.planes = append(d.planes, q)
	}
	return d, nil
}

// pixels makes an image of what is in the C heap.
func (d *decoded) pixels() {
	p := d.c.plane[0]
	pix, area := unsafe.Slice((*byte)(p.pix), int(p.size)), image.Rect(0, 0, int(p.w), int(p.h))
	if d.c.space == C.picday_rgb {
		d.rgb = &image.RGBA{Pix: pix, Stride: int(p.stride), Rect: area}
		return
	}
	for i, v := range pix {
		pix[i] = 255 - v
	}
	d.cmyk = &image.CMYK{Pix: pix, Stride: int(p.stride), Rect: area}
}

// errPlane: the dimensions of a plane do not fit its memory. Using it would show what is
// behind it in memory, which may be parts of other photos.
var errPlane = errors.New("plane does not fit its memory")

// check tells whether rows of w samples, padded to a multiple of 8, and h of them, are
// there, and the picture covers no more than them.
func (p plane) check() error {
	padded := (p.w + 7) &^ 7
	switch {
	case p.w < 1, p.h < 1, p.stride < padded, len(p.pix) < (p.h-1)*p.stride+padded,
		!(p.spanW > 0 && p.spanW <= float64(p.w)), !(p.spanH > 0 && p.spanH <= float64(p.h)):
		return fmt.Errorf("%w: %d x %d in rows of %d, %d bytes, covers %g x %g", errPlane, p.w, p.h, p.stride, len(p.pix), p.spanW, p.spanH)
	}
	return nil
}

// style is how a rendition is encoded.
type style struct {
	h, v int // sampling factors of Y; colour has 1
	mode int
}

const (
	standardTables = iota
	optimalTables
	progressive
)

// encodePlanes writes a JPEG without metadata. The planes are as [planes.fit] makes
// them for this style.
func encodePlanes(p planes, c style, quality int) ([]byte, error) {
	if len(p) == 1 {
		return encodeSampled(p, p[0].w, p[0].h, []sampling{{1, 1}}, quality, c.mode)
	}
	return encodeSampled(p, p[0].w, p[0].h, []sampling{{c.h, c.v}, {1, 1}, {1, 1}}, quality, c.mode)
}

// sampling is how many samples of a plane there are where the densest plane has four
// at most, across and down.
type sampling struct{ h, v int }

// encodeSampled writes a JPEG of w x h pixels from one plane or three, each of its own
// size.
func encodeSampled(p planes, w, h int, s []sampling, quality, mode int) ([]byte, error) {
	if len(p) != len(s) || len(p) != 1 && len(p) != 3 {
		return nil, fmt.Errorf("encode: %d planes, %d samplings", len(p), len(s))
	}
	var shape [3]C.picday_shape
	var pix [3]*C.uchar
	for i, q := range p {
		if err := q.check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTooComplex, err) // refused, not tried for ever
		}
		q.pad()
		shape[i] = C.picday_shape{
			size: C.size_t(len(q.pix)), stride: C.int(q.stride), w: C.int(q.w), h: C.int(q.h),
			h_samp: C.int(s[i].h), v_samp: C.int(s[i].v),
		}
		pix[i] = (*C.uchar)(unsafe.Pointer(&q.pix[0]))
	}
	var r C.picday_result
	C.picday_encode(&r, C.int(w), C.int(h), C.int(len(p)), pix[0], pix[1], pix[2], &shape[0], C.int(quality), C.int(mode))
	switch err := failure(&r); {
	case errors.Is(err, errPlane):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("encode: %v", err) // not the photo's fault
	}
	defer C.picday_free(&r)
	return C.GoBytes(unsafe.Pointer(r.jpeg), C.int(r.size)), nil
}

func failure(r *C.picday_result) error {
	switch r.status {
	case C.picday_ok:
		return nil
	case C.picday_complex:
		return fmt.Errorf("%w: %s", ErrTooComplex, C.GoString(&r.message[0]))
	case C.picday_cut:
		return fmt.Errorf("%w: %s", ErrIncomplete, C.GoString(&r.message[0]))
	case C.picday_misfit:
		return fmt.Errorf("%w: %w: %s", ErrTooComplex, errPlane, C.GoString(&r.message[0]))
	}
	return fmt.Errorf("%w: %s", ErrDamaged, C.GoString(&r.message[0]))
}
