package photo

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"io"
)

// Decode reads one JPEG from r. Its errors are ErrDamaged and ErrTooComplex, or the
// reader's own error as it is, since a disk that fails says nothing about the photo.
//
// It does not look at dimensions: call [Check] first.
func Decode(r io.Reader) (img image.Image, err error) {
	src := &remember{r: r}
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("%w: decoder gave up: %v", ErrDamaged, p)
		}
	}()
	img, err = jpeg.Decode(bufio.NewReaderSize(src, 64<<10))
	var unsupported jpeg.UnsupportedError
	switch {
	case err == nil:
		return img, nil
	case src.err != nil:
		return nil, src.err
	case errors.As(err, &unsupported):
		return nil, fmt.Errorf("%w: %w", ErrTooComplex, err)
	}
	return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
}

// remember keeps the first error of r that is not its end.
type remember struct {
	r   io.Reader
	err error
}

func (m *remember) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && err != io.EOF && m.err == nil {
		m.err = err
	}
	return n, err
}

// Encode writes img as a baseline JPEG with 4:2:0 colour (grey stays grey) and no
// metadata. quality is 1 to 100 on libjpeg's scale.
func Encode(w io.Writer, img image.Image, quality int) error {
	return jpeg.Encode(w, flat(img), &jpeg.Options{Quality: quality})
}

// flat turns CMYK into RGB, which browsers and our encoder understand.
func flat(img image.Image) image.Image {
	if _, ok := img.(*image.CMYK); !ok {
		return img
	}
	rgb := image.NewRGBA(img.Bounds())
	draw.Draw(rgb, rgb.Rect, img, rgb.Rect.Min, draw.Src)
	return rgb
}
