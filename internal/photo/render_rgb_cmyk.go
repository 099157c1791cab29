package photo

import (
	"image"
	"image/color"
	"image/draw"
	"slices"

	"picday/internal/rendition"
)

// A few photos are neither YCbCr nor grey: CMYK and YCCK from print shops, RGB from some
// scanners. libjpeg decodes them to pixels and nfnt/resize makes them smaller, which takes
// some ten times as long as the usual way.

// renderRGBOrCMYK makes the renditions of img, which is decoded as large as is needed. CMYK
// becomes sRGB, by its profile if it has one.
func renderRGBOrCMYK(img image.Image, f Facts, icc []byte, orientation int, sizes []rendition.Spec, look func(plane)) ([]Rendition, error) {
	components := 3
	if _, inks := img.(*image.CMYK); inks {
		components = 4
	}
	keep := keptICC(icc, components)
	var toSRGB *conversion
	if keep == nil {
		if toSRGB = newConversion(icc, components); toSRGB != nil {
			defer toSRGB.end()
		}
	}
	longest := slices.MaxFunc(sizes, func(a, b rendition.Spec) int { return a.Longest - b.Longest }).Longest
	out := make([]Rendition, len(sizes))
	for i, small := range shrink(img, f, sizes) {
		p := toPlanes(Upright(toRGB(small, toSRGB), orientation))
		w, h := p[0].w, p[0].h
		if look != nil && sizes[i].Longest == longest {
			look(p[0])
			look = nil
		}
		r, err := renderPlanes(source{p, w, h, 1}, keep, []rendition.Spec{{Name: sizes[i].Name, Longest: max(w, h), Quality: sizes[i].Quality}}, nil)
		if err != nil {
			return nil, err
		}
		out[i] = r[0]
	}
	return out, nil
}

// toRGB converts by a profile if there is one, otherwise as browsers do: as if each ink
// were a perfect filter.
func toRGB(in image.Image, by *conversion) image.Image {
	switch in := in.(type) {
	case *image.RGBA:
		if by != nil {
			return by.image(in.Pix, in.Stride, in.Rect)
		}
	case *image.CMYK:
		if by != nil {
			return by.image(in.Pix, in.Stride, in.Rect)
		}
		out := image.NewRGBA(in.Rect)
		draw.Draw(out, in.Rect, in, in.Rect.Min, draw.Src)
		return out
	}
	return in
}

// shrink resizes img to all sizes as [renderPlanes] does.
func shrink(img image.Image, f Facts, sizes []rendition.Spec) []image.Image {
	order := make([]int, len(sizes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return sizes[b].Longest - sizes[a].Longest })

	out := make([]image.Image, len(sizes))
	made := []image.Image{img} // from large to small
	for _, i := range order {
		w, h := Fit(f.Width, f.Height, sizes[i].Longest)
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

// toPlanes converts an image that has been resized.
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
