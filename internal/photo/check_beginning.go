package photo

import "fmt"

const (
	// Picture data must begin within maxHeader bytes. Profiles, thumbnails, depth maps
	// and makers' notes take some megabytes; no camera writes 64.
	maxHeader = 64 << 20
	// maxPerSample is how many bytes a sample can take in the file: 27 bits are the
	// most that sequential coding has for one, each byte may need another for
	// stuffing, and the later scans of a progressive picture repeat some of it.
	maxPerSample = 16
)

// CheckBeginning is [Check] for a file of which only the beginning has been read, so that
// a file without end is not read to its end. It returns an error only if nothing that
// may follow can make a photo of it. How long a file may get follows from its pixels.
func CheckBeginning(f Facts, l Limits) error {
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
