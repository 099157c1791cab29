package photo

import (
	"fmt"
	"io"
	"slices"

	"picday/internal/qr"
	"picday/internal/rendition"
)

// Rendition is one that was made: upright, with the original's ICC profile, if that is
// short, or in sRGB, and no other metadata. Width and Height are those of [Fit] on [UprightSize].
type Rendition struct {
	Name          string
	Width, Height int
	JPEG          []byte
}

// A Picture is what [Render] makes of a JPEG.
type Picture struct {
	Renditions []Rendition // in the order of the sizes
	// Unusual is whether the file breaks the standard's rules in a place where the
	// picture does not suffer from it.
	Unusual bool
	// Codes are the QR codes in it; nil if [Render] was not to look for them.
	Codes *qr.Found
}

// maxFile bounds what is read into memory. 200 megapixels at the highest quality are
// a third of it.
const maxFile = 512 << 20

// Render makes the renditions of the JPEG in r, in the order of sizes. f is what a
// [Scan] of the very same bytes found, m what [ReadMeta] did.
//
// What [Check] refuses is not decoded, and its error returned; then ErrDamaged and
// ErrTooComplex as the decoder finds them, or r's own error as it is, since a disk
// that fails says nothing about the photo. What lies behind EOI is not read.
//
// A photo that the decoder has any complaint about within its picture data is
// ErrDamaged, even if most of it could be shown: the decoder cannot say how much of it
// is grey, a class's photos are sent to parents unseen, and the photographer, who has
// the card, can upload the file again. Complaints about what stands before the picture
// data, and padding behind it, make it Unusual; see libjpeg.c, harmless.
//
// If f is [Facts.Bare], ErrIncomplete says that more than EOI is missing.
func Render(r io.ReadSeeker, m Meta, f Facts, l Limits, sizes []rendition.Spec) (Picture, error) {
	return renderAnd(r, m, f, l, sizes, nil)
}

// RenderAndRead does the same, and looks for QR codes in the largest rendition.
func RenderAndRead(r io.ReadSeeker, m Meta, f Facts, l Limits, sizes []rendition.Spec) (Picture, error) {
	var codes qr.Found
	p, err := renderAnd(r, m, f, l, sizes, func(luma plane) {
		codes = qr.Read(qr.Luma{Pix: luma.pix, Stride: luma.stride, Width: luma.w, Height: luma.h})
	})
	p.Codes = &codes
	return p, err
}

// renderAnd calls look, if it is not nil, with the brightness of the largest rendition.
func renderAnd(r io.ReadSeeker, m Meta, f Facts, l Limits, sizes []rendition.Spec, look func(plane)) (Picture, error) {
	if err := Check(f, l); err != nil {
		return Picture{}, err
	}
	if f.EOI > maxFile {
		return Picture{}, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrTooComplex, f.EOI, int64(maxFile))
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Picture{}, err
	}
	icc := embeddedICC(r)
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Picture{}, err
	}
	data := make([]byte, f.EOI, f.EOI+2)
	n, err := io.ReadFull(r, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Picture{}, err
	}
	data = data[:n] // shorter than the scan saw it: the decoder will say so
	if f.NoEOI {
		data = append(trimByte(data, 0), eoiMarker...)
	}

	dec, err := decodePlanes(data, f.NoEOI, f.Width, f.Height, enough(f, sizes), l.decoderMemory())
	if err != nil {
		return Picture{}, err
	}
	defer dec.free()
	if dec.padded && !onlyPadding(data, f, l) {
		return Picture{}, fmt.Errorf("%w: what follows the picture data is no padding", ErrDamaged)
	}
	orientation := m.Orientation
	switch {
	case dec.rgb != nil:
		out, err := renderRGBOrCMYK(dec.rgb, f, icc, orientation, sizes, look)
		return Picture{Renditions: out, Unusual: dec.unusual}, err
	case dec.cmyk != nil:
		out, err := renderRGBOrCMYK(dec.cmyk, f, icc, orientation, sizes, look)
		return Picture{Renditions: out, Unusual: dec.unusual}, err
	}
	from, keep := source{dec.planes, f.Width, f.Height, orientation}, keptICC(icc, len(dec.planes))
	if keep == nil {
		if c := newConversion(icc, len(dec.planes)); c != nil {
			defer c.end()
			from = c.source(from, sizes)
		}
	}
	out, err := renderPlanes(from, keep, sizes, look)
	return Picture{Renditions: out, Unusual: dec.unusual}, err
}

// decoderMemory is what libjpeg may take: its largest need by far are 2 bytes for
// each sample of a progressive photo, or of one with a scan for each colour, however
// small it is decoded. The photo's planes and the file are not in it.
func (l Limits) decoderMemory() int64 { return 6*l.orDefault().MaxProgressive + 16<<20 }

// enough is how large a photo must be decoded for these sizes.
//
// Decoding at 1/2, 1/4 or 1/8 keeps the lower frequencies of each 8 x 8 block, which
// is no good filter near its limit. After q85, of 7 photographs among the test images
// of bep/imagemeta, the sharpest lost 2.6 dB where what was decoded was 1.25 times as
// large as the rendition, 0.55 at 1.875 (6000 to 1600 pixels at 1/2), 0.18 at 2.5; the
// others a half or less. nfnt from the full picture is 0.5 dB below us there, because it
// rounds down. So 24 megapixels to 1600 pixels go at 1/2, in 65 ms instead of 90, and
// nothing closer than that does. Nobody sees as much of colour.
func enough(f Facts, sizes []rendition.Spec) need {
	longest := 1
	for _, s := range sizes {
		longest = max(longest, s.Longest)
	}
	w, h := Fit(f.Width, f.Height, longest)
	const margin, colourMargin = 1.85, 1.5
	return need{
		margin * float64(w), margin * float64(h),
		colourMargin * float64(w) / float64(renditionStyle.h), colourMargin * float64(h) / float64(renditionStyle.v),
	}
}

// renderPlanes makes all sizes, largest first. A size is made from the smallest
// picture that is at least twice as large: Lanczos has thrown nothing away there that
// the smaller one could show, and it takes a fraction of the time. Dimensions come
// from the photo itself, so that roundings do not add up.
func renderPlanes(photo source, icc []byte, sizes []rendition.Spec, look func(plane)) ([]Rendition, error) {
	order := make([]int, len(sizes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return sizes[b].Longest - sizes[a].Longest })

	out := make([]Rendition, len(sizes))
	made := []source{} // upright, from large to small
	for _, i := range order {
		w, h := Fit(photo.w, photo.h, sizes[i].Longest)
		from := photo
		upW, upH := w, h
		if swaps(photo.orientation) {
			upW, upH = h, w
		}
		for _, c := range made {
			if c.w == upW && c.h == upH || c.w >= 2*upW && c.h >= 2*upH {
				from, w, h = c, upW, upH
			}
		}
		small := from.fit(w, h, renditionStyle)
		if look != nil && i == order[0] {
			look(small[0])
		}
		made = append(made, source{small, upW, upH, 1})
		data, err := encodePlanes(small, renditionStyle, sizes[i].Quality)
		if err != nil {
			return nil, err
		}
		if icc != nil {
			data = withICC(data, icc)
		}
		out[i] = Rendition{Name: sizes[i].Name, Width: upW, Height: upH, JPEG: data}
	}
	return out, nil
}
