package photo

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Meta is what picday uses of the EXIF. What is missing, unreadable or absurd has the zero
// value, and Orientation is 1 then. No field depends on another.
type Meta struct {
	Orientation int // 1 to 8 as in EXIF 2.32, §4.6.4 A; 1 is upright
	// TakenAt is the camera's clock, with the sub-seconds that the EXIF gives.
	TakenAt time.Time
	// TakenZone tells whether the EXIF has the zone, which TakenAt is in then. If not,
	// TakenAt is the time on the camera's clock as if it were UTC.
	TakenZone           bool
	Make, Model, Serial string // valid UTF-8 on one line, at most maxText bytes
}

const (
	maxValue = 1024 // bytes of a text that are looked at
	maxText  = 64   // and kept
)

// ReadMeta reads the EXIF of the JPEG in r, from its start. It has no error on
// purpose: bad EXIF never costs anyone a photo.
func ReadMeta(r io.ReadSeeker) Meta {
	s, err := headerOf(r)
	if err != nil {
		return Meta{Orientation: 1}
	}
	return readEXIF(s).meta()
}

func (t tags) meta() Meta {
	m := Meta{
		Orientation: max(1, t.orientation),
		Make:        clean(t.texts[tagMake]), Model: clean(t.texts[tagModel]), Serial: clean(t.texts[tagSerial]),
	}
	if m.Serial == "" {
		m.Serial = clean(t.texts[tagSerialDNG])
	}
	m.TakenAt, m.TakenZone = when(t.texts[tagOriginal], t.texts[tagOriginalSubSec], t.texts[tagOriginalZone])
	if m.TakenAt.IsZero() {
		m.TakenAt, m.TakenZone = when(t.texts[tagDigitized], t.texts[tagDigitizedSubSec], t.texts[tagDigitizedZone])
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

// An EXIF date is 2026:05:04 09:08:07. Some programs write other signs between the
// numbers, a fraction, or the zone, which have entries of their own.
var (
	dateText = regexp.MustCompile(`^\s*(\d{4})[:/.\-](\d\d?)[:/.\-](\d\d?)[ T](\d\d?):(\d\d?):(\d\d?)(?:\.(\d*))?\s*(Z|[+\-].*)?\s*$`)
	zoneText = regexp.MustCompile(`^\s*([+\-])(\d\d?):?(\d\d)\s*$`)
)

// when is the time that the three entries tell; zero without a date that can be.
func when(date, subSec, zone string) (t time.Time, zoned bool) {
	part := dateText.FindStringSubmatch(date)
	if part == nil {
		return time.Time{}, false
	}
	n := make([]int, 7)
	for i := range n[1:] {
		n[i+1], _ = strconv.Atoi(part[i+1]) // at most four digits
	}
	if part[7] != "" {
		subSec = part[7]
	}
	if strings.TrimSpace(zone) == "" {
		zone = part[8]
	}
	at, zoned := offset(zone)
	t = time.Date(n[1], time.Month(n[2]), n[3], n[4], n[5], n[6], int(fraction(subSec)), at)
	// A date that is none, such as 0000:00:00 of a clock that was never set, came out
	// as another one.
	if t.Month() != time.Month(n[2]) || t.Day() != n[3] || t.Hour() != n[4] || t.Minute() != n[5] || t.Second() != n[6] || !Possible(t) {
		return time.Time{}, false
	}
	return t, zoned
}

// offset reads a zone as +02:00. Many cameras leave it out, or blank.
func offset(text string) (*time.Location, bool) {
	if strings.TrimSpace(text) == "Z" {
		return time.UTC, true
	}
	part := zoneText.FindStringSubmatch(text)
	if part == nil {
		return time.UTC, false
	}
	h, _ := strconv.Atoi(part[2])
	m, _ := strconv.Atoi(part[3])
	if h > 23 || m > 59 {
		return time.UTC, false
	}
	seconds := h*3600 + m*60
	if part[1] == "-" {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), true
}

// fraction reads what stands behind the point, such as "05" for 50 ms; what is not
// a number is nothing.
func fraction(digits string) time.Duration {
	n, _ := strconv.ParseUint((strings.TrimSpace(digits) + "000000000")[:9], 10, 32)
	return time.Duration(n)
}

// clean makes a text fit to be stored and shown.
func clean(s string) string {
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
