package photo

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// withSubSec is the header of a JPEG taken at 9:08:07 and a fraction: a date and its
// sub-second string, of DateTimeOriginal or DateTimeDigitized.
func withSubSec(order binary.AppendByteOrder, digitized bool, fraction string) []byte {
	date, tag := uint16(0x9003), uint16(subSecOriginal)
	if digitized {
		date, tag = 0x9004, subSecDigitized
	}
	b := []byte("MM")
	if order.String() == "LittleEndian" {
		b = []byte("II")
	}
	b = order.AppendUint32(order.AppendUint16(b, 42), 8)
	entry := func(tag, kind uint16, count, value uint32) {
		b = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), count), value)
	}
	b = order.AppendUint16(b, 1)
	entry(tagExif, 4, 1, 26)
	b = order.AppendUint16(order.AppendUint32(b, 0), 2) // no next table; 2 entries at 26
	entry(date, 2, 20, 56)
	entry(tag, 2, uint32(len(fraction)), 76)
	if len(fraction) <= 4 {
		copy(b[len(b)-4:], fraction+"\x00\x00\x00\x00")
	}
	b = order.AppendUint32(b, 0)
	b = append(b, "2026:05:04 09:08:07\x00"+fraction...)
	return append(append(slices.Clone(soi), seg(0xe1, append([]byte(exifHead), b...)...)...), 0xff, 0xda)
}

func TestSubSeconds(t *testing.T) {
	for digits, want := range map[string]time.Duration{
		"5": 500 * time.Millisecond, "05": 50 * time.Millisecond, "050": 50 * time.Millisecond, "123456": 123456 * time.Microsecond,
		"000000001": 1, "9999999999999": 999_999_999, "": 0, "0": 0, "    ": 0, "12  ": 120 * time.Millisecond, " 1      ": 100 * time.Millisecond,
		"-1": 0, "+5": 0, "1.5": 0, "1e2": 0, "5 5": 0, "x": 0, "\xff\xff": 0, "5\x006": 500 * time.Millisecond,
	} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			for _, digitized := range []bool{false, true} {
				for _, end := range []string{"\x00", ""} {
					m := ReadMeta(bytes.NewReader(withSubSec(order, digitized, digits+end)))
					if whole := time.Date(2026, 5, 4, 9, 8, 7, 0, time.UTC); m.TakenAt.Sub(whole) != want {
						t.Errorf("%q, %v, digitized %v: %v", digits+end, order, digitized, m.TakenAt)
					}
				}
			}
		}
	}
}

// Whatever an offset or a count says, the answer is a time within that second.
func TestSubSecondsOfHostileTables(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		good := withSubSec(order, false, "123456\x00")
		at := bytes.Index(good, []byte(exifHead)) + len(exifHead)
		for i := at; i < len(good)-2; i++ {
			for _, v := range []uint32{0, 1, 8, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, uint32(len(good) - at - 1)} {
				b := slices.Clone(good)
				copy(b[i:], order.AppendUint32(nil, v))
				if d := readSubSec(bytes.NewReader(b), subSecOriginal); d < 0 || d >= time.Second {
					t.Fatalf("%v, %#x at %d: %v", order, v, i-at, d)
				}
			}
			ReadMeta(bytes.NewReader(good[:i]))
		}
	}
	if d := readSubSec(broken{}, subSecOriginal); d != 0 {
		t.Errorf("broken reader: %v", d)
	}
	// A date with a fraction of its own, at the end of time.
	last := tags{original: "9998:12:31 23:59:59.9"}
	if m := last.meta(bytes.NewReader(withSubSec(binary.BigEndian, false, "9\x00"))); m.TakenAt.Year() != 9998 {
		t.Errorf("%v", m.TakenAt)
	}
}
