package photo

import (
	"image"

	"github.com/nfnt/resize"
)

// Fit is the size of a rendition: w x h pixels made to fit a longest side of
// longest, rounded to the nearest pixel, at least 1 and never enlarged.
func Fit(w, h, longest int) (int, int) {
	longest = max(longest, 1)
	side := max(w, h)
	if side <= longest {
		return w, h
	}
	scale := func(n int) int { return max(1, (2*n*longest+side)/(2*side)) }
	return scale(w), scale(h)
}

// resizeTo resamples with Lanczos3. The result's bounds start at 0,0.
func resizeTo(img image.Image, w, h int) image.Image {
	if img.Bounds().Dx() == w && img.Bounds().Dy() == h {
		return img
	}
	// The resampler knows no CMYK and would ask for every pixel by itself, with 16
	// bits per channel. It treats the four channels of RGBA alike, so they can as
	// well be inks.
	if in, ok := img.(*image.CMYK); ok {
		out := lanczos(&image.RGBA{Pix: in.Pix, Stride: in.Stride, Rect: in.Rect}, w, h).(*image.RGBA)
		return &image.CMYK{Pix: out.Pix, Stride: out.Stride, Rect: out.Rect}
	}
	return lanczos(img, w, h)
}

// lanczos rounds down in each direction, so a detailed picture loses one level of
// 255 per call, in colour channels too. That cannot be seen; what follows this
// resampler need not have it.
func lanczos(img image.Image, w, h int) image.Image {
	return resize.Resize(uint(w), uint(h), img, resize.Lanczos3)
}
