package photo

import (
	"bytes"
	"image"
	"io"
	"slices"
)

// Size is a rendition that is wanted.
type Size struct {
	Name    string
	Longest int // pixels, longest side; never enlarged
	Quality int // 1 to 100
}

// Rendition is one that was made: upright, with the original's ICC profile and no
// other metadata. Width and Height are those of [Fit] on [UprightSize].
type Rendition struct {
	Name          string
	Width, Height int
	JPEG          []byte
}

// Render makes the renditions of the JPEG in r, in the order of sizes. f is what a
// [Scan] of the very same bytes found, m what [ReadMeta] did.
//
// What [Check] refuses is not decoded, and its error returned; then those of
// [Decode]. The photo is decoded once, and turned only after it became small.
func Render(r io.ReadSeeker, m Meta, f Facts, l Limits, sizes []Size) ([]Rendition, error) {
	if err := Check(f, l); err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	icc := readICC(r, f.HeaderEnd)
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	img, err := Decode(r)
	if err != nil {
		return nil, err
	}
	if !iccFits(icc, img) {
		icc = nil
	}
	out := make([]Rendition, len(sizes))
	for i, small := range shrink(img, sizes) {
		up := Upright(small, m.Orientation)
		var buf bytes.Buffer
		if err := Encode(&buf, up, sizes[i].Quality); err != nil {
			return nil, err
		}
		data := buf.Bytes()
		if icc != nil {
			data = withICC(data, icc)
		}
		out[i] = Rendition{Name: sizes[i].Name, Width: up.Bounds().Dx(), Height: up.Bounds().Dy(), JPEG: data}
	}
	return out, nil
}

// shrink resizes img to all sizes, largest first. A size is made from the smallest
// image that is at least twice as large: Lanczos has thrown nothing away there that
// the smaller one could show, and it takes a hundredth of the time. Dimensions come
// from img itself, so that roundings do not add up.
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
