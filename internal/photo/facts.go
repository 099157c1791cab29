package photo

import (
	"errors"
	"fmt"
)

// Why a file cannot become a photo. Test with errors.Is; the text around them says
// what was found. Any other error is the machine's fault, not the photo's.
var (
	ErrNotJPEG    = errors.New("not a JPEG")
	ErrIncomplete = errors.New("JPEG is cut off")
	ErrDamaged    = errors.New("JPEG is damaged")
	ErrTooComplex = errors.New("JPEG is too complex")
)

// Facts are what a [Scan] has found. All offsets are in bytes from the start of the file.
type Facts struct {
	// JPEG tells whether the file begins like a JPEG (FF D8 FF), as far as it goes: true
	// for an empty file.
	JPEG bool
	// Whole tells whether the real end of the first image was reached.
	Whole bool
	// Open tells whether the file ends within picture data. As a rule it is cut off then;
	// or it lacks only EOI, see [Facts.Bare].
	Open bool
	// NoEOI tells that Whole and EOI were set by [Facts.Bare]: there is no EOI.
	NoEOI bool
	// Damaged tells whether the structure is impossible, whatever may follow. Whole is
	// false then. Damage within the picture data is found by decoding only.
	Damaged bool

	Bytes    int64 // length of what was written to the Scan
	EOI      int64 // offset behind the EOI marker; 0 if not reached
	Trailing int64 // bytes behind EOI: legal, and common (multi-picture, motion photos)
	// Extraneous counts bytes between segments where a marker should have been.
	// They are not legal, but decoders skip them, and so do we.
	Extraneous int64
	// HeaderEnd is the offset of the first byte of picture data; 0 if not reached.
	HeaderEnd int64

	Width, Height int  // pixels as stored, before orientation; 0 if not known
	Components    int  // 1 grey, 3 colour, 4 CMYK
	Precision     int  // bits per sample
	SOF           byte // the second byte of the frame marker, C0…CF, or DE (hierarchical); 0 if none
	Progressive   bool // SOF is C2
	DNL           bool // Height was 0 in the frame and came in a DNL segment
	Scans         int
}

// AssumeEOI returns the facts of a file that is Open as if EOI followed its last byte, so that
// [Render] can find out whether only EOI is missing. ok is false for other files.
func (f Facts) AssumeEOI() (facts Facts, ok bool) {
	if !f.Open {
		return f, false
	}
	f.Whole, f.Open, f.NoEOI, f.EOI = true, false, true, f.Bytes
	return f, true
}

// Pixels is Width times Height.
func (f Facts) Pixels() int64 { return int64(f.Width) * int64(f.Height) }

// Limits bounds what is decoded. A field that is zero has its value from
// [DefaultLimits], so that nothing is unlimited by oversight.
type Limits struct {
	MaxPixels      int64 // baseline; decoding takes up to 3 bytes per pixel
	MaxProgressive int64 // progressive; decoding takes 3 to 6 bytes per pixel more
	MaxScans       int   // every scan visits the whole picture: a few kB can cost minutes
}

// DefaultLimits is above any camera sold to date (phones: 200 MP as baseline, 108 MP as
// progressive) and below what a decoder child's memory can hold.
var DefaultLimits = Limits{MaxPixels: 210_000_000, MaxProgressive: 120_000_000, MaxScans: 64}

func (l Limits) orDefault() Limits {
	if l.MaxPixels == 0 {
		l.MaxPixels = DefaultLimits.MaxPixels
	}
	if l.MaxProgressive == 0 {
		l.MaxProgressive = DefaultLimits.MaxProgressive
	}
	if l.MaxScans == 0 {
		l.MaxScans = DefaultLimits.MaxScans
	}
	return l
}

// Check decides from the facts alone whether a file may be decoded. It returns nil
// or an error that is one of ErrNotJPEG, ErrIncomplete, ErrDamaged, ErrTooComplex.
func Check(f Facts, l Limits) error {
	l = l.orDefault()
	switch {
	case !f.JPEG:
		return ErrNotJPEG
	case f.Damaged:
		return fmt.Errorf("%w: its segments make no sense", ErrDamaged)
	case !f.Whole:
		return fmt.Errorf("%w after %d bytes", ErrIncomplete, f.Bytes)
	case f.SOF < 0xc0 || f.SOF > 0xc2:
		return fmt.Errorf("%w: %s coding", ErrTooComplex, coding(f.SOF))
	case f.Precision != 8:
		return fmt.Errorf("%w: %d bits per sample", ErrTooComplex, f.Precision)
	case f.Components != 1 && f.Components != 3 && f.Components != 4:
		return fmt.Errorf("%w: %d colour components", ErrTooComplex, f.Components)
	case f.DNL:
		return fmt.Errorf("%w: height given after the picture", ErrTooComplex)
	case f.Width == 0 || f.Height == 0:
		return fmt.Errorf("%w: %d x %d pixels", ErrDamaged, f.Width, f.Height)
	case f.Scans > l.MaxScans:
		return fmt.Errorf("%w: %d scans, at most %d are allowed", ErrTooComplex, f.Scans, l.MaxScans)
	}
	most := l.MaxPixels
	if f.Progressive {
		most = l.MaxProgressive
	}
	if f.Pixels() > most {
		return fmt.Errorf("%w: %d x %d pixels, at most %d megapixels are allowed", ErrTooComplex, f.Width, f.Height, most/1_000_000)
	}
	return nil
}

// coding names a frame type (ITU-T T.81, table B.1).
func coding(sof byte) string {
	switch {
	case sof == 0xc3 || sof == 0xc7 || sof == 0xcb || sof == 0xcf:
		return "lossless"
	case sof >= 0xc9 && sof <= 0xcf:
		return "arithmetic"
	case sof == 0xde || sof >= 0xc5 && sof <= 0xc7:
		return "hierarchical"
	}
	return fmt.Sprintf("unknown (SOF %02x)", sof)
}
