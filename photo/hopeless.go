package photo

import "fmt"

const (
	// maxHeader is where picture data has to have begun. Profiles, thumbnails, depth
	// maps and makers' notes take some megabytes; 64 are more than any camera's.
	maxHeader = 64 << 20
	// maxPerSample is how many bytes a sample can take in the file: 27 bits are the
	// most that sequential coding has for one, each byte may need another for
	// stuffing, and the later scans of a progressive picture repeat some of it.
	maxPerSample = 16
)

// Hopeless tells what is the matter with a file of which only the beginning is
// known, if nothing that follows can make a photo of it: nil, or one of the errors of
// [Check]. So a file without end is not read to its end. The limit for the size
// comes from the picture's own pixels.
func Hopeless(f Facts, l Limits) error {
	switch {
	case !f.JPEG, f.Damaged:
		return Check(f, l)
	case f.Whole:
		return nil
	case f.HeaderEnd == 0 && f.Bytes > maxHeader:
		return fmt.Errorf("%w: no picture in its first %d megabytes", ErrTooComplex, maxHeader>>20)
	case f.Bytes > maxFile:
		return fmt.Errorf("%w: more than %d megabytes", ErrTooComplex, maxFile>>20)
	case f.HeaderEnd == 0:
		return nil
	}
	whole := f
	whole.Whole = true
	if f.Height != 0 { // else it may still come
		if err := Check(whole, l); err != nil {
			return err
		}
	}
	if most := maxHeader + maxPerSample*f.Pixels()*int64(max(1, f.Components)); f.Bytes-f.HeaderEnd > most {
		return fmt.Errorf("%w: %d bytes for %d x %d pixels", ErrDamaged, f.Bytes-f.HeaderEnd, f.Width, f.Height)
	}
	return nil
}
