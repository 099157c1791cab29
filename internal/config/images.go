package config

import (
	"fmt"
	"time"
)

// A frame of a JPEG has at most 65,535 x 65,535 pixels.
const maxMegapixels = 4294

// validateLimits refuses limits with which nothing could be decoded, or that limit nothing.
func (i Images) validateLimits() error {
	for _, l := range []struct {
		key            string
		is, least, max int
	}{
		{"max_megapixels", i.MaxMegapixels, 1, maxMegapixels},
		{"max_megapixels_progressive", i.MaxMegapixelsProgressive, 1, maxMegapixels},
		{"max_trailer_megabytes", i.MaxTrailerMegabytes, 0, 1 << 20},
		{"max_scans", i.MaxScans, 1, 10_000},
		// With less a decoder does not even start.
		{"decode_megabytes", i.DecodeMegabytes, 256, 1 << 20},
	} {
		if l.is < l.least || l.is > l.max {
			return fmt.Errorf("images.%s = %d: use %d to %d", l.key, l.is, l.least, l.max)
		}
	}
	if d := i.DecodeTime.Std(); d < time.Second || d > time.Hour {
		return fmt.Errorf("images.decode_time = %q: use \"1s\" to \"1h\"", d)
	}
	return nil
}
