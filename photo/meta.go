package photo

import (
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bep/imagemeta"
)

// Meta is what the EXIF says and picday uses. What is missing, unreadable or
// absurd is the zero value, and 1 for Orientation.
type Meta struct {
	Orientation int // 1 to 8 as in EXIF 2.32, §4.6.4 A; 1 is upright
	// TakenAt is the camera's clock, with the sub-seconds that the EXIF gives.
	TakenAt time.Time
	// TakenZone is whether the EXIF gave the zone. If not, TakenAt is the time on
	// the camera's clock written as if it were UTC.
	TakenZone           bool
	Make, Model, Serial string // valid UTF-8 on one line, at most maxText bytes
}

const (
	// maxHeader is how far into a file EXIF is looked for. It must be the first
	// segment; some tools put up to a megabyte of profile or preview before it.
	maxHeader = 4 << 20
	// maxReads bounds how often: the reader seeks over every segment, and reads 4 kB
	// anew behind it. A real header has some ten segments, with large profiles and
	// extended XMP a few hundred.
	maxReads = 4096
	// maxTags and maxValue bound the work on tables that point at each other. The
	// values we want are short.
	maxTags  = 4096
	maxValue = 1024
	maxText  = 64
)

// ReadMeta reads the EXIF of the JPEG in r, from its start. It has no error on
// purpose: bad EXIF never costs anyone a photo.
func ReadMeta(r io.ReadSeeker) (m Meta) {
	var t tags
	defer func() {
		// The reader catches its own panics; ours to catch are those of a value of
		// an unexpected type that slipped through.
		_ = recover()
		m = t.meta(r)
	}()
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return m
	}
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:               &window{r: r, end: maxHeader},
		ImageFormat:     imagemeta.JPEG,
		Sources:         imagemeta.EXIF,
		LimitNumTags:    maxTags,
		LimitTagSize:    maxValue,
		ShouldHandleTag: func(ti imagemeta.TagInfo) bool { return t.slot(ti) != nil },
		HandleTag: func(ti imagemeta.TagInfo) error {
			if p := t.slot(ti); *p == nil {
				*p = ti.Value
			}
			return nil
		},
	})
	return m
}

// tags holds the raw values until all are read: their order in a file is free.
type tags struct {
	orientation, make, model, serial, serialDNG any
	original, originalZone                      any
	digitized, digitizedZone                    any
}

// slot is where a tag's value goes; nil for a tag that is not wanted, IFD1 (the
// thumbnail) among them.
func (t *tags) slot(ti imagemeta.TagInfo) *any {
	switch ti.Namespace {
	case "IFD0":
		switch ti.Tag {
		case "Orientation":
			return &t.orientation
		case "Make":
			return &t.make
		case "Model":
			return &t.model
		case "CameraSerialNumber":
			return &t.serialDNG
		}
	case "IFD0/ExifIFDP":
		switch ti.Tag {
		case "DateTimeOriginal":
			return &t.original
		case "OffsetTimeOriginal":
			return &t.originalZone
		case "CreateDate", "DateTimeDigitized":
			return &t.digitized
		case "OffsetTimeDigitized":
			return &t.digitizedZone
		case "SerialNumber":
			return &t.serial
		}
	}
	return nil
}

// meta puts together what was read; r is for the sub-seconds.
func (t *tags) meta(r io.ReadSeeker) Meta {
	m := Meta{Orientation: 1, Make: text(t.make), Model: text(t.model), Serial: text(t.serial)}
	if o, ok := t.orientation.(uint16); ok && o >= 1 && o <= 8 {
		m.Orientation = int(o)
	}
	if m.Serial == "" {
		m.Serial = text(t.serialDNG)
	}
	subSec := uint16(subSecOriginal)
	m.TakenAt, m.TakenZone = when(text(t.original), text(t.originalZone))
	if m.TakenAt.IsZero() {
		subSec = subSecDigitized
		m.TakenAt, m.TakenZone = when(text(t.digitized), text(t.digitizedZone))
	}
	if !m.TakenAt.IsZero() && m.TakenAt.Nanosecond() == 0 { // time.Parse takes them in the date, too
		m.TakenAt = m.TakenAt.Add(readSubSec(r, subSec))
	}
	if !m.TakenAt.IsZero() && !Possible(m.TakenAt) {
		m.TakenAt, m.TakenZone = time.Time{}, false
	}
	return m
}

// Possible tells whether a photo can have been taken then: in the years 1800 to
// 9998, both there and in UTC. With any other year JSON cannot be written, and a
// list would fail for the sake of one photo. A zone is less than a day from UTC.
func Possible(t time.Time) bool {
	_, zone := t.Zone()
	for _, year := range []int{t.Year(), t.UTC().Year()} {
		if year < 1800 || year > 9998 {
			return false
		}
	}
	return zone > -24*3600 && zone < 24*3600
}

// when reads an EXIF date and its offset from UTC ("+02:00"), which is often missing.
func when(date, zone string) (time.Time, bool) {
	const layout = "2006:01:02 15:04:05"
	if t, err := time.Parse(layout+"Z07:00", date+zone); err == nil && zone != "" {
		return t, true
	}
	t, err := time.Parse(layout, date)
	if err != nil {
		return time.Time{}, false // also 0000:00:00, a camera whose clock was never set
	}
	return t, false
}

// text makes a value fit to be stored and shown.
func text(v any) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == utf8.RuneError {
			return -1
		}
		return c
	}, s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return strings.TrimSpace(s)
}

// window is the first end bytes of r, and a limited number of reads. It keeps the
// EXIF reader from walking a large file that never gets to the point.
type window struct {
	r        io.ReadSeeker
	pos, end int64
	reads    int
}

func (w *window) Read(p []byte) (int, error) {
	if w.reads++; w.pos >= w.end || w.reads > maxReads {
		return 0, io.EOF
	}
	n, err := w.r.Read(p[:min(int64(len(p)), w.end-w.pos)])
	w.pos += int64(n)
	return n, err
}

func (w *window) Seek(offset int64, whence int) (int64, error) {
	pos, err := w.r.Seek(offset, whence)
	if err == nil {
		w.pos = pos
	}
	return pos, err
}
