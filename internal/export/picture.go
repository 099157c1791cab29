package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/nfnt/resize"
)

// cropOf is the largest part of a picture with the ratio of a size.
func cropOf(width, height int, s Size, a Anchor) image.Rectangle {
	w, h := width, (width*s.Height+s.Width/2)/s.Width
	// A difference of a pixel in the small picture is none: 2:3 is what 175×263 wants.
	if h > height {
		w, h = (height*s.Width+s.Height/2)/s.Height, height
	}
	x, y := int(float64(width-w)*a.Left), int(float64(height-h)*a.Top)
	return image.Rect(x, y, x+w, y+h)
}

var errTooLarge = errors.New("the picture does not fit into the bytes that the format allows")

// pictures makes the pictures of one person. The sizes have one ratio: each is made from
// the one before.
func (x *run) pictures(ctx context.Context, p Person) (all [][]byte, err error) {
	data, err := p.Read(ctx, x.Sizes[0])
	if err != nil {
		return nil, err
	}
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the picture: %w", err)
	}
	profile := profileOf(data)
	sub, ok := m.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok {
		return nil, fmt.Errorf("a picture of the kind %T", m)
	}
	b := m.Bounds()
	anchor := Anchor{0.5, x.Top}
	if p.Anchor != nil {
		anchor = *p.Anchor
	}
	m = sub.SubImage(cropOf(b.Dx(), b.Dy(), x.Sizes[0], anchor).Add(b.Min))
	by := resize.Lanczos2
	for _, s := range x.Sizes {
		m = resize.Resize(uint(s.Width), uint(s.Height), m, by)
		by = resize.Bilinear // from a small picture
		made, err := encode(m, profile, s.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

// encode writes a JPEG with the best quality that fits into a number of bytes; 0 = any.
func encode(m image.Image, profile []byte, most int) ([]byte, error) {
	if most > 0 && len(profile) > most/10 {
		profile = nil // a small picture has no room for it
	}
	for quality := 90; quality >= 30; quality -= 5 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		if most == 0 || b.Len()+len(profile) <= most {
			data := b.Bytes()
			return append(append(append([]byte(nil), data[:2]...), profile...), data[2:]...), nil
		}
	}
	return nil, errTooLarge
}

// profileOf returns the segments of a JPEG that have its ICC profile.
func profileOf(data []byte) (all []byte) {
	for i := 2; i+4 <= len(data) && data[i] == 0xff && data[i+1] != 0xda; {
		end := i + 2 + int(data[i+2])<<8 + int(data[i+3])
		if end > len(data) {
			break
		}
		if data[i+1] == 0xe2 && bytes.HasPrefix(data[i+4:end], []byte("ICC_PROFILE\x00")) {
			all = append(all, data[i:end]...)
		}
		i = end
	}
	return all
}
