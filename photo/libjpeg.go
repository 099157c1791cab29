package photo

// There is no Go binding of libjpeg-turbo to be had that is kept and hands out
// planes: those on the module proxy are years old, or convert to RGB, or hide the
// warnings. So this is our own, for the two calls that picday needs.
//
// The library is linked statically, so that one program runs on Debian (libjpeg62)
// and Ubuntu (libjpeg8), whose shared libraries have different names. To build:
// apt install libjpeg-dev.

// #cgo CFLAGS: -O3 -Wall
// #cgo LDFLAGS: -l:libjpeg.a -lm
// #include "libjpeg.h"
import "C"

import (
	"fmt"
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
	ycc bool // Y, Cb, Cr or grey; else the planes mean something else
	c   C.picday_result
}

func (d *decoded) free() { C.picday_free(&d.c) }

// need is how many samples a decoded photo must have at least.
type need struct{ w, h, colourW, colourH float64 }

var needAll = need{1 << 16, 1 << 16, 1 << 16, 1 << 16}

// decodePlanes decodes a JPEG of the given width and height, each plane at 1/8, 1/4
// or 1/2 if that is enough. Any warning of libjpeg is ErrDamaged.
func decodePlanes(jpeg []byte, width, height int, n need, maxMemory int64) (*decoded, error) {
	if len(jpeg) == 0 {
		return nil, ErrDamaged
	}
	d := &decoded{}
	w, h := [2]C.double{C.double(n.w), C.double(n.colourW)}, [2]C.double{C.double(n.h), C.double(n.colourH)}
	C.picday_decode(&d.c, (*C.uchar)(unsafe.Pointer(&jpeg[0])), C.size_t(len(jpeg)), C.int(width), C.int(height), &w[0], &h[0], C.long(maxMemory))
	if err := failure(&d.c); err != nil {
		return nil, err
	}
	d.ycc = d.c.space != C.picday_other
	for _, p := range d.c.plane[:d.c.components] {
		d.planes = append(d.planes, plane{
			pix: unsafe.Slice((*byte)(p.pix), int(p.stride)*int(p.h)), stride: int(p.stride),
			w: int(p.w), h: int(p.h), spanW: float64(p.span_w), spanH: float64(p.span_h),
		})
	}
	return d, nil
}

// style is how a rendition is written.
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
	for _, q := range p {
		q.pad()
	}
	var r C.picday_result
	var cb, cr *C.uchar
	var cStride C.int
	if len(p) == 3 {
		cb, cr, cStride = sample(p[1]), sample(p[2]), C.int(p[1].stride)
	}
	C.picday_encode(&r, C.int(p[0].w), C.int(p[0].h), sample(p[0]), C.int(p[0].stride), cb, cr, cStride,
		C.int(c.h), C.int(c.v), C.int(quality), C.int(c.mode))
	if err := failure(&r); err != nil {
		return nil, fmt.Errorf("encode: %v", err) // not the photo's fault
	}
	defer C.picday_free(&r)
	return C.GoBytes(unsafe.Pointer(r.jpeg), C.int(r.size)), nil
}

func sample(p plane) *C.uchar { return (*C.uchar)(unsafe.Pointer(&p.pix[0])) }

func failure(r *C.picday_result) error {
	switch r.status {
	case C.picday_ok:
		return nil
	case C.picday_complex:
		return fmt.Errorf("%w: %s", ErrTooComplex, C.GoString(&r.message[0]))
	}
	return fmt.Errorf("%w: %s", ErrDamaged, C.GoString(&r.message[0]))
}
