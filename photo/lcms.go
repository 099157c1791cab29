package photo

// LittleCMS through its own C interface; see lcms.c. To build: apt install
// liblcms2-dev; without liblcms2-2 where it runs, CMYK is converted without a profile.

// #include "lcms.h"
import "C"

import "image"

// inksToRGB converts CMYK to sRGB by a profile. Both pictures are of one size, without
// anything between their rows. It returns false for a profile that cannot be used.
func inksToRGB(out *image.RGBA, in *image.CMYK, profile []byte) bool {
	n := in.Rect.Dx() * in.Rect.Dy()
	if n == 0 || len(profile) == 0 || len(in.Pix) < 4*n || len(out.Pix) < 4*n || in.Stride != 4*in.Rect.Dx() || out.Stride != in.Stride {
		return false
	}
	return C.picday_inks((*C.uchar)(&profile[0]), C.uint(len(profile)), (*C.uchar)(&in.Pix[0]), (*C.uchar)(&out.Pix[0]), C.uint(n)) != 0
}
