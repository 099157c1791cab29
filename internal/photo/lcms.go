package photo

// LittleCMS through its own C interface; see lcms.c. To build: apt install
// liblcms2-dev; without liblcms2-2 where it runs, CMYK and what has a profile of tables
// are converted as if they had no profile.

// #include "lcms.h"
import "C"

import (
	"image"
	"image/color"
	"unsafe"

	"picday/internal/rendition"
)

// Profiles reports whether this process can convert colours by profiles of all kinds:
// whether LittleCMS was there when it was started.
func Profiles() bool { return C.picday_lcms() != 0 }

// A conversion brings the colours that a profile describes to sRGB, for a profile that
// cannot go into a rendition (see [tidyICC]), and for inks.
type conversion struct {
	c     unsafe.Pointer
	bytes int // of a pixel before: 1 for grey, else 4
}

// newConversion returns nil for a profile that cannot be used, is for other colours than
// those of so many components, or if there is no LittleCMS. The profile may be
// hostile, of up to maxICC bytes: LittleCMS allocates at most 512 MB for one table of
// it, and the child's limits of memory and time hold for it as for the picture.
func newConversion(profile []byte, components int) *conversion {
	if !iccFits(profile, components) || !iccOfDevice(profile) {
		return nil
	}
	c := C.picday_conversion((*C.uchar)(&profile[0]), C.uint(len(profile)), C.int(components))
	if c == nil {
		return nil
	}
	if components == 1 {
		return &conversion{c, 1}
	}
	return &conversion{c, 4}
}

func (c *conversion) end() { C.picday_conversion_end(c.c) }

// row converts as many pixels as rgba has room for.
func (c *conversion) row(rgba, from []byte) {
	n := len(rgba) / 4
	from = from[:c.bytes*n]
	if n > 0 {
		C.picday_convert(c.c, (*C.uchar)(&from[0]), (*C.uchar)(&rgba[0]), C.uint(n))
	}
}

// image converts RGBA or CMYK, of which pix are the bytes.
func (c *conversion) image(pix []byte, stride int, area image.Rectangle) *image.RGBA {
	out := image.NewRGBA(area)
	for y := range area.Dy() {
		c.row(out.Pix[y*out.Stride:y*out.Stride+4*area.Dx()], pix[y*stride:])
	}
	return out
}

// source is a photo in sRGB, upright and as large as the largest of the sizes. It still
// has the dimensions of the photo, so that all sizes come out as they would.
func (c *conversion) source(photo source, sizes []rendition.Spec) source {
	longest := 1
	for _, s := range sizes {
		longest = max(longest, s.Longest)
	}
	w, h := Fit(photo.w, photo.h, longest)
	p := c.planes(photo.fit(w, h, style{h: 1, v: 1}))
	if swaps(photo.orientation) {
		photo.w, photo.h = photo.h, photo.w
	}
	return source{p, photo.w, photo.h, 1}
}

// planes converts one plane (grey) or three of one size to three. Row by row: what is
// needed for all of the picture is not in the estimate of a child's memory.
func (c *conversion) planes(in planes) planes {
	w, h := in[0].w, in[0].h
	out := planes{newPlane(w, h), newPlane(w, h), newPlane(w, h)}
	from, rgba := make([]byte, 4*w), make([]byte, 4*w)
	for y := range h {
		at, to := y*in[0].stride, y*out[0].stride
		if len(in) == 1 {
			from = in[0].pix[at : at+w]
		} else {
			cb, cr := in[1].pix[y*in[1].stride:], in[2].pix[y*in[2].stride:]
			for x, v := range in[0].pix[at : at+w] {
				from[4*x], from[4*x+1], from[4*x+2] = color.YCbCrToRGB(v, cb[x], cr[x])
			}
		}
		c.row(rgba, from)
		for x := range w {
			out[0].pix[to+x], out[1].pix[to+x], out[2].pix[to+x] = color.RGBToYCbCr(rgba[4*x], rgba[4*x+1], rgba[4*x+2])
		}
	}
	return out
}
