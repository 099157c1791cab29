package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"slices"
)

// The general path, for the few photos that are not Y, Cb, Cr or grey: CMYK and YCCK
// from print shops, RGB from some scanners. libjpeg has decoded them by then, without
// a complaint, but only into the planes they are stored in; image/jpeg knows what
// these mean. It takes some ten times as long.

// otherFits is whether image/jpeg needs no more memory than libjpeg may take: 4 bytes
// per pixel, 16 more if progressive, and 4 for a conversion. By default 77 and 25
// megapixels fit.
func otherFits(f Facts, l Limits) bool {
	perPixel := int64(8)
	if f.Progressive {
		perPixel += 16
	}
	return perPixel*f.Pixels() <= l.decoderMemory()
}

// renderOther makes the renditions of a JPEG that is in no colours of ours.
func renderOther(data, icc []byte, orientation int, sizes []Size) ([]Rendition, error) {
	img, err := decodeImage(data)
	if err != nil {
		return nil, err
	}
	if _, inks := img.(*image.CMYK); inks || !iccFits(icc, 3) {
		icc = nil // a CMYK photo becomes RGB, which its profile does not describe
	}
	out := make([]Rendition, len(sizes))
	for i, small := range shrink(img, sizes) {
		p := toPlanes(Upright(small, orientation))
		w, h := p[0].w, p[0].h
		r, err := renderPlanes(source{p, w, h, 1}, icc, []Size{{sizes[i].Name, max(w, h), sizes[i].Quality}})
		if err != nil {
			return nil, err
		}
		out[i] = r[0]
	}
	return out, nil
}

func decodeImage(data []byte) (img image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("%w: decoder gave up: %v", ErrDamaged, p)
		}
	}()
	img, err = jpeg.Decode(bytes.NewReader(data))
	var unsupported jpeg.UnsupportedError
	switch {
	case err == nil:
		return img, nil
	case errors.As(err, &unsupported):
		return nil, fmt.Errorf("%w: %w", ErrTooComplex, err)
	}
	return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
}

// shrink resizes img to all sizes as [renderPlanes] does.
func shrink(img image.Image, sizes []Size) []image.Image {
	order := make([]int, len(sizes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return sizes[b].Longest - sizes[a].Longest })

	out := make([]image.Image, len(sizes))
	made := []image.Image{img} // from large to small
	for _, i := range order {
		w, h := Fit(img.Bounds().Dx(), img.Bounds().Dy(), sizes[i].Longest)
		from := img
		for _, c := range made {
			if c.Bounds().Dx() == w && c.Bounds().Dy() == h || c.Bounds().Dx() >= 2*w && c.Bounds().Dy() >= 2*h {
				from = c
			}
		}
		out[i] = resizeTo(from, w, h)
		made = append(made, out[i])
	}
	return out
}

// toPlanes converts an image that is small already.
func toPlanes(img image.Image) planes {
	b := img.Bounds()
	rgb, ok := img.(*image.RGBA)
	if !ok {
		rgb = image.NewRGBA(b)
		draw.Draw(rgb, b, img, b.Min, draw.Src)
	}
	p := planes{newPlane(b.Dx(), b.Dy()), newPlane(b.Dx(), b.Dy()), newPlane(b.Dx(), b.Dy())}
	for y := range b.Dy() {
		in := rgb.Pix[y*rgb.Stride:]
		for x := range b.Dx() {
			at := y*p[0].stride + x
			p[0].pix[at], p[1].pix[at], p[2].pix[at] = color.RGBToYCbCr(in[4*x], in[4*x+1], in[4*x+2])
		}
	}
	return p
}
