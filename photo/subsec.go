package photo

import (
	"bufio"
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"time"
)

// The EXIF reader makes a number of a sub-second string, so that "05", 50 ms, comes
// out as "5", 500 ms. This reads that one string as it stands.
// Source: EXIF 2.32, §4.5.2 and §4.6.6 D; TIFF 6.0, section 2.

const (
	exifHead        = "Exif\x00\x00"
	tagExif         = 0x8769
	subSecOriginal  = 0x9291
	subSecDigitized = 0x9292
)

// readSubSec is the fraction of a second in that tag of the JPEG in r, 0 if it has none.
func readSubSec(r io.ReadSeeker, tag uint16) time.Duration {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return 0
	}
	b := bufio.NewReader(io.LimitReader(r, maxHeader))
	for code, n, ok := nextSegment(b); ok; code, n, ok = nextSegment(b) {
		if head, _ := b.Peek(len(exifHead)); code == 0xe1 && n >= len(exifHead) && string(head) == exifHead {
			seg := make([]byte, n)
			_, _ = io.ReadFull(b, seg) // what is missing is zero
			return fraction(exifText(seg[len(exifHead):], tag))
		}
		_, _ = b.Discard(n) // past the end there is no next segment
	}
	return 0
}

// exifText is a text in the Exif table of the TIFF in b, "" if there is none.
func exifText(b []byte, tag uint16) string {
	var order binary.ByteOrder = binary.BigEndian
	if len(b) < 8 {
		return ""
	} else if b[0] == 'I' {
		order = binary.LittleEndian
	}
	table := tiffEntry(b, order, order.Uint32(b[4:]), tagExif)
	if table == nil {
		return ""
	}
	e := tiffEntry(b, order, order.Uint32(table[8:]), tag)
	if e == nil || order.Uint16(e[2:]) != 2 { // ASCII
		return ""
	}
	at, n := int64(0), int64(order.Uint32(e[4:]))
	if from := e[8:]; n <= 4 {
		b = from
	} else { // too long for its place, which says where it is
		at, n = int64(order.Uint32(from)), min(n, maxText)
	}
	s, _, _ := strings.Cut(string(part(b, at, n)), "\x00")
	return s
}

// tiffEntry is the 12 bytes of a tag in the table at an offset, nil if it is not there.
func tiffEntry(b []byte, order binary.ByteOrder, at uint32, tag uint16) []byte {
	count := part(b, int64(at), 2)
	for i := int64(0); count != nil && i < int64(order.Uint16(count)); i++ {
		if e := part(b, int64(at)+2+12*i, 12); e == nil || order.Uint16(e) == tag {
			return e
		}
	}
	return nil
}

// part is b[at:at+n], nil if that is not all inside.
func part(b []byte, at, n int64) []byte {
	if at+n > int64(len(b)) {
		return nil
	}
	return b[at : at+n]
}

// fraction reads what stands behind the point; what is not a number is nothing.
func fraction(digits string) time.Duration {
	n, _ := strconv.ParseUint((strings.TrimSpace(digits) + "000000000")[:9], 10, 32)
	return time.Duration(n)
}
