package photo

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// The EXIF of real cameras is often wrong somewhere: one entry points outside, a table is
// cut off, an empty segment comes first. The maintained libraries give up at the first such
// entry, and then a portrait may lie on its side. This code reads the ten entries that
// picday uses, each independently of the others.
// Source: EXIF 2.32 and 3.0, §4.5 and §4.6; TIFF 6.0, section 2.

const (
	exifHead = "Exif\x00" // and a sixth byte, which should be 0 and is not always
	// maxExif bounds the segments that are read. A file has one; some have an empty one
	// before it, or another of an editor.
	maxExif = 16
)

// The entries that are read.
const (
	tagMake               = 0x010f
	tagModel              = 0x0110
	tagOrientation        = 0x0112
	tagExif               = 0x8769 // where the second table is
	tagSerialDNG          = 0xc62f
	tagOriginal           = 0x9003 // the date
	tagDigitized          = 0x9004
	tagOriginalZone       = 0x9011
	tagDigitizedZone      = 0x9012
	tagOriginalSubSec     = 0x9291
	tagDigitizedSubSec    = 0x9292
	tagSerial             = 0xa431
	typeByte, typeASCII   = 1, 2
	typeShort, typeLong   = 3, 4
	typeUndefined         = 7
	typeSShort, typeSLong = 8, 9
	typeIFD, typeUTF8     = 13, 129
)

// readEXIF collects the entries of the Exif segments in a header. If an entry is there
// twice, the first that can be read counts.
func readEXIF(s *segments) tags {
	var blocks [][]byte
	for len(blocks) < maxExif && s.next() {
		if s.code != 0xe1 || !s.begins(exifHead) {
			continue
		}
		b := s.content()
		if len(b) < 1 {
			continue
		}
		b = b[1:]
		if _, ok := orderOf(b); !ok && len(blocks) > 0 {
			// What did not fit into the segment before.
			blocks[len(blocks)-1] = append(blocks[len(blocks)-1], b...)
			continue
		}
		blocks = append(blocks, b)
	}
	t := tags{}
	for _, b := range blocks {
		t.tiff(b)
	}
	return t
}

// tags are the texts and numbers that were found, by their tag.
type tags struct {
	texts       map[uint16]string
	orientation int // 0 = none
}

// tiff reads the two tables of an Exif segment: the main picture's, and the one
// with what the camera did. That of the thumbnail, with an orientation of its own,
// is left alone.
func (t *tags) tiff(b []byte) {
	order, ok := orderOf(b)
	if !ok {
		return
	}
	var tables []uint32
	t.table(b, order, order.Uint32(b[4:]), func(tag uint16, v value) {
		switch tag {
		case tagOrientation:
			if n, ok := v.number(order); ok && n >= 1 && n <= 8 && t.orientation == 0 {
				t.orientation = int(n)
			}
		case tagExif:
			if at, ok := v.number(order); ok && len(tables) < maxExif {
				tables = append(tables, at)
			}
		default: // scanners put dates here, too
			t.text(tag, v)
		}
	})
	for _, at := range tables {
		t.table(b, order, at, t.text)
	}
}

func (t *tags) text(tag uint16, v value) {
	switch tag {
	case tagMake, tagModel, tagSerial, tagSerialDNG, tagOriginal, tagOriginalZone, tagOriginalSubSec, tagDigitized, tagDigitizedZone, tagDigitizedSubSec:
		if s := v.text(); t.texts[tag] == "" && s != "" {
			if t.texts == nil {
				t.texts = map[uint16]string{}
			}
			t.texts[tag] = s
		}
	}
}

// orderOf is the byte order that the head of a TIFF states.
func orderOf(b []byte) (binary.ByteOrder, bool) {
	if len(b) < 8 {
		return nil, false
	}
	switch string(b[:4]) {
	case "II\x2a\x00":
		return binary.LittleEndian, true
	case "MM\x00\x2a":
		return binary.BigEndian, true
	}
	return nil, false
}

// table calls each for every entry of the table at an offset whose value is there.
// No table is looked for in an entry of a table that is, so no cycle is possible.
func (t *tags) table(b []byte, order binary.ByteOrder, at uint32, each func(uint16, value)) {
	count := part(b, int64(at), 2)
	if count == nil {
		return
	}
	for i := range int64(order.Uint16(count)) {
		e := part(b, int64(at)+2+12*i, 12)
		if e == nil {
			return // the table is cut off
		}
		v := value{kind: order.Uint16(e[2:])}
		n := int64(order.Uint32(e[4:])) * v.width()
		if v.data = part(e, 8, n); n > 4 { // too long for its place, which says where it is
			v.data = part(b, int64(order.Uint32(e[8:])), n)
		}
		if n > 0 && v.data != nil {
			each(order.Uint16(e), v)
		}
	}
}

// value is what an entry holds, in one of the types that picday reads.
type value struct {
	kind uint16
	data []byte
}

// width is the size of one element in bytes, 0 for types that are not read.
func (v value) width() int64 {
	switch v.kind {
	case typeByte, typeASCII, typeUndefined, typeUTF8:
		return 1
	case typeShort, typeSShort:
		return 2
	case typeLong, typeSLong, typeIFD:
		return 4
	}
	return 0
}

// number is the first element.
func (v value) number(order binary.ByteOrder) (uint32, bool) {
	switch v.kind {
	case typeByte:
		return uint32(v.data[0]), true
	case typeASCII:
		n, err := strconv.ParseUint(strings.TrimSpace(v.text()), 10, 32)
		return uint32(n), err == nil
	case typeShort, typeSShort:
		return uint32(order.Uint16(v.data)), true
	case typeLong, typeSLong, typeIFD:
		return order.Uint32(v.data), true
	}
	return 0, false
}

// text is a text up to its terminator, no longer than picday keeps any.
func (v value) text() string {
	if v.width() != 1 {
		return ""
	}
	s, _, _ := strings.Cut(string(v.data[:min(len(v.data), maxValue)]), "\x00")
	return s
}

// part is b[at:at+n], nil if that is not all inside.
func part(b []byte, at, n int64) []byte {
	if at+n > int64(len(b)) {
		return nil
	}
	return b[at : at+n]
}
