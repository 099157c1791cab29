package photo

import (
	"image"
	"image/draw"
)

// UprightSize is the size of the photo as seen, after orientation.
func UprightSize(f Facts, orientation int) (w, h int) {
	if swaps(orientation) {
		return f.Height, f.Width
	}
	return f.Width, f.Height
}

// swaps reports whether an orientation exchanges width and height.
func swaps(orientation int) bool { return orientation >= 5 && orientation <= 8 }

// Upright turns and mirrors img by its EXIF orientation, 1 to 8. 1 and any other number
// change nothing. It copies every pixel, so it is for images that have been resized.
func Upright(img image.Image, orientation int) image.Image {
	if orientation < 2 || orientation > 8 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if swaps(orientation) {
		w, h = h, w
	}
	r := image.Rect(0, 0, w, h)
	switch in := img.(type) {
	case *image.Gray:
		out := image.NewGray(r)
		turn(out.Pix, out.Stride, in.Pix, in.Stride, b.Dx(), b.Dy(), 1, orientation)
		return out
	case *image.YCbCr:
		in = full(in)
		out := image.NewYCbCr(r, image.YCbCrSubsampleRatio444)
		turn(out.Y, out.YStride, in.Y, in.YStride, b.Dx(), b.Dy(), 1, orientation)
		turn(out.Cb, out.CStride, in.Cb, in.CStride, b.Dx(), b.Dy(), 1, orientation)
		turn(out.Cr, out.CStride, in.Cr, in.CStride, b.Dx(), b.Dy(), 1, orientation)
		return out
	case *image.CMYK:
		out := image.NewCMYK(r)
		turn(out.Pix, out.Stride, in.Pix, in.Stride, b.Dx(), b.Dy(), 4, orientation)
		return out
	}
	in, ok := img.(*image.RGBA)
	if !ok {
		in = image.NewRGBA(b)
		draw.Draw(in, b, img, b.Min, draw.Src)
	}
	out := image.NewRGBA(r)
	turn(out.Pix, out.Stride, in.Pix, in.Stride, b.Dx(), b.Dy(), 4, orientation)
	return out
}

// turn copies w x h pixels of size bytes from src to their upright places in dst.
func turn(dst []byte, dstStride int, src []byte, srcStride, w, h, size, orientation int) {
	for y := range h {
		at, step := place(0, y, w, h, size, dstStride, orientation)
		row := src[y*srcStride : y*srcStride+w*size]
		for i := 0; i < len(row); i += size {
			copy(dst[at:at+size], row[i:i+size])
			at += step
		}
	}
}

// place is the offset in the turned image, with rows of stride bytes, of pixel x, y of an
// image of w x h pixels of size bytes, and the step to the offset of its right neighbour.
func place(x, y, w, h, size, stride, orientation int) (at, step int) {
	switch orientation {
	case 2: // mirrored
		return y*stride + (w-1-x)*size, -size
	case 3: // upside down
		return (h-1-y)*stride + (w-1-x)*size, -size
	case 4: // upside down and mirrored
		return (h-1-y)*stride + x*size, size
	case 5: // transposed: the first row is seen on the left, from the top
		return x*stride + y*size, stride
	case 6: // the first row is seen on the right, from the top
		return x*stride + (h-1-y)*size, stride
	case 7: // the first row is seen on the right, from the bottom
		return (w-1-x)*stride + (h-1-y)*size, -stride
	case 8: // the first row is seen on the left, from the bottom
		return (w-1-x)*stride + y*size, -stride
	}
	return y*stride + x*size, size
}

// full gives every pixel its own colour samples. With shared ones, an odd width
// would shift the colours by a pixel when mirrored.
func full(in *image.YCbCr) *image.YCbCr {
	if in.SubsampleRatio == image.YCbCrSubsampleRatio444 && in.Rect.Min == (image.Point{}) {
		return in
	}
	b := in.Rect
	out := image.NewYCbCr(image.Rect(0, 0, b.Dx(), b.Dy()), image.YCbCrSubsampleRatio444)
	for y := range b.Dy() {
		yi, ci := in.YOffset(b.Min.X, b.Min.Y+y), out.COffset(0, y)
		copy(out.Y[y*out.YStride:], in.Y[yi:yi+b.Dx()])
		for x := range b.Dx() {
			i := in.COffset(b.Min.X+x, b.Min.Y+y)
			out.Cb[ci+x], out.Cr[ci+x] = in.Cb[i], in.Cr[i]
		}
	}
	return out
}
