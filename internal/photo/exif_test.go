package photo

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
)

// entry is one row of a table, written as it stands, however wrong.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte // in place, or (more than 4 bytes) behind the table
	at        uint32 // not 0: the value is said to be there
}

func ascii(tag uint16, s string) entry {
	return entry{tag: tag, kind: typeASCII, count: uint32(len(s) + 1), value: []byte(s + "\x00")}
}

// tiffOf writes both tables, the second one behind the first.
func tiffOf(order binary.AppendByteOrder, ifd0, exif []entry) []byte {
	b := []byte("MM")
	if order.String() == "LittleEndian" {
		b = []byte("II")
	}
	b = order.AppendUint32(order.AppendUint16(b, 42), 8)
	if exif != nil {
		n := 2 + 12*(len(ifd0)+1) + 4
		for _, e := range ifd0 {
			if len(e.value) > 4 {
				n += len(e.value)
			}
		}
		ifd0 = append(slices.Clone(ifd0), entry{tag: tagExif, kind: typeLong, count: 1, value: order.AppendUint32(nil, uint32(8+n))})
	}
	for _, t := range [][]entry{ifd0, exif} {
		if t == nil {
			continue
		}
		var long []byte
		behind := len(b) + 2 + 12*len(t) + 4
		b = order.AppendUint16(b, uint16(len(t)))
		for _, e := range t {
			b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, e.tag), e.kind), e.count)
			switch {
			case e.at != 0:
				b = order.AppendUint32(b, e.at)
			case len(e.value) > 4:
				b = order.AppendUint32(b, uint32(behind+len(long)))
				long = append(long, e.value...)
			default:
				b = append(b, append(slices.Clone(e.value), 0, 0, 0, 0)[:4]...)
			}
		}
		b = append(order.AppendUint32(b, 0), long...)
	}
	return b
}

// app1 is an Exif segment.
func app1(tiff []byte) []byte { return seg(0xe1, append([]byte(exifHead+"\x00"), tiff...)...) }

var picture []byte // a JPEG without SOI

// jpegWith is a JPEG of some pixels with these segments first.
func jpegWith(t testing.TB, segments ...[]byte) []byte {
	if picture == nil {
		picture = samples(t)["grey"][2:]
	}
	return append(append(slices.Clone(soi), bytes.Join(segments, nil)...), picture...)
}

// exifCases are files as cameras, editors and attackers write them. What exiftool
// makes of each is compared in TestExiftoolAgrees; more is what we read and it
// does not.
func exifCases(t testing.TB) map[string]struct {
	jpeg []byte
	want Meta
	more bool
} {
	type of = struct {
		jpeg []byte
		want Meta
		more bool
	}
	big, little := binary.BigEndian, binary.LittleEndian
	orders := map[string]binary.AppendByteOrder{"big": big, "little": little}
	day := time.Date(2026, 5, 4, 9, 8, 7, 0, time.UTC)
	date := func(s string) []entry { return []entry{ascii(tagOriginal, s)} }
	all := map[string]of{}
	for end, o := range orders {
		short := func(n int) entry {
			return entry{tag: tagOrientation, kind: typeShort, count: 1, value: o.AppendUint16(nil, uint16(n))}
		}
		long := func(n int) entry {
			return entry{tag: tagOrientation, kind: typeLong, count: 1, value: o.AppendUint32(nil, uint32(n))}
		}
		camera := []entry{ascii(tagMake, "Canon"), ascii(tagModel, "EOS R6"), short(6)}
		taken := append(date("2026:05:04 09:08:07"), ascii(tagOriginalZone, "+02:00"), ascii(tagOriginalSubSec, "05"), ascii(tagSerial, "0123456789"))
		good := Meta{6, day.Add(50*time.Millisecond - 2*time.Hour), true, "Canon", "EOS R6", "0123456789"}
		whole := tiffOf(o, camera, taken)
		put := func(name string, more bool, want Meta, segments ...[]byte) {
			all[end+", "+name] = of{jpegWith(t, segments...), want, more}
		}
		only := func(orientation int) Meta { return Meta{Orientation: orientation} }
		put("good", false, good, app1(whole))
		for n := range 10 {
			want := n
			if n < 1 || n > 8 {
				want = 1
			}
			put("short "+string(rune('0'+n)), false, only(want), app1(tiffOf(o, []entry{short(n)}, nil)))
			put("long "+string(rune('0'+n)), false, only(want), app1(tiffOf(o, []entry{long(n)}, nil)))
		}
		put("byte", false, only(8), app1(tiffOf(o, []entry{{tag: tagOrientation, kind: typeByte, count: 1, value: []byte{8}}}, nil)))
		put("long 65542", false, only(1), app1(tiffOf(o, []entry{long(65542)}, nil)))
		put("an empty segment first", false, good, app1(nil), app1(whole))
		put("a cut header first", false, good, app1(whole[:7]), app1(whole))
		put("a head without tables first", false, good, app1(whole[:8]), app1(whole))
		put("a table of none first", false, good, app1(tiffOf(o, nil, nil)), app1(whole))
		put("behind 5 MB", false, good, bytes.Repeat(seg(0xed, make([]byte, 65533)...), 80), app1(whole))
		put("behind XMP", false, good, seg(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00<x/>")...), seg(0xe0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")...), app1(whole))
		put("odd sixth byte", false, good, seg(0xe1, append([]byte(exifHead+"\xff"), whole...)...))
		put("in two segments", true, good, app1(whole[:100]), app1(whole[100:]))
		// One entry that cannot be read, before, between and behind the others.
		for name, bad := range map[string]entry{
			"far outside": {tag: 0x010e, kind: typeASCII, count: 100, at: 0x7fffff00}, "at the end": {tag: 0x010e, kind: typeASCII, count: 100, at: uint32(len(whole) + 12 - 3)},
			"huge count": {tag: 0x010e, kind: typeASCII, count: 0xffffffff, at: 8}, "no type": {tag: 0x010e, kind: 0, count: 1}, "unknown type": {tag: 0x010e, kind: 99, count: 1},
			"many longs": {tag: 0x0111, kind: typeLong, count: 0x40000001, at: 8}, "itself": {tag: 0x014a, kind: typeLong, count: 1, value: o.AppendUint32(nil, 8)},
			"second table outside":      {tag: tagExif, kind: typeLong, count: 1, value: o.AppendUint32(nil, 0xfffffff0)},
			"second table is the first": {tag: tagExif, kind: typeLong, count: 1, value: o.AppendUint32(nil, 8)},
			"GPS outside":               {tag: 0x8825, kind: typeLong, count: 1, value: o.AppendUint32(nil, 0xfffffff0)},
		} {
			for _, i := range []int{0, 1, 3} {
				put("an entry wrong, "+name+", "+string(rune('0'+i)), true, good, app1(tiffOf(o, slices.Insert(slices.Clone(camera), i, bad), taken)))
			}
		}
		lost := good
		lost.Make = ""
		put("make outside", false, lost, app1(tiffOf(o, []entry{{tag: tagMake, kind: typeASCII, count: 6, at: 60000}, camera[1], camera[2]}, taken)))
		put("orientation of text", false, good, app1(tiffOf(o, []entry{camera[0], camera[1], ascii(tagOrientation, "6")}, taken)))
		lost = good
		lost.TakenAt, lost.TakenZone = time.Time{}, false
		put("date outside", false, lost, app1(tiffOf(o, camera, append([]entry{{tag: tagOriginal, kind: typeASCII, count: 20, at: 60000}}, taken[1:]...))))
		put("clock never set", false, lost, app1(tiffOf(o, camera, append(date("0000:00:00 00:00:00"), taken[1:]...))))
		put("blank clock", false, lost, app1(tiffOf(o, camera, append(date("    :  :     :  :  "), taken[1:]...))))
		// Cut off in the first table: what stands before the cut is there.
		put("cut in the first table", true, Meta{Orientation: 6}, app1(tiffOf(o, []entry{short(6), ascii(tagMake, "A camera"), ascii(tagModel, "B")}, nil)[:8+2+12+3]))
		put("cut in the second table", true, Meta{6, time.Time{}, false, "Canon", "EOS R6", ""}, app1(whole[:8+2+4*12+4+6+7+2+12+5]))
		put("no zone", false, Meta{1, day, false, "", "", ""}, app1(tiffOf(o, nil, date("2026:05:04 09:08:07"))))
		put("blank zone", false, Meta{1, day, false, "", "", ""}, app1(tiffOf(o, nil, append(date("2026:05:04 09:08:07"), ascii(tagOriginalZone, "   :  ")))))
		put("digitized only", false, Meta{1, day.Add(700 * time.Millisecond), false, "", "", ""},
			app1(tiffOf(o, nil, []entry{ascii(tagDigitized, "2026:05:04 09:08:07"), ascii(tagDigitizedSubSec, "7")})))
		put("date in the first table", false, Meta{3, day, false, "", "", ""}, app1(tiffOf(o, append(date("2026:05:04 09:08:07"), short(3)), nil)))
		put("thumbnail turned", false, only(1), app1(append(tiffOf(o, []entry{ascii(tagMake, "")}, nil)[:8+2+12], append(o.AppendUint32(nil, 26), tiffOf(o, []entry{short(6)}, nil)[8:]...)...)))
		put("two cameras", false, good, app1(whole), app1(tiffOf(o, []entry{short(3)}, nil)))
		put("DNG serial", false, Meta{1, time.Time{}, false, "", "", "77"}, app1(tiffOf(o, []entry{ascii(tagSerialDNG, "77")}, nil)))
	}
	return all
}

func TestEXIF(t *testing.T) {
	for name, c := range exifCases(t) {
		if m := ReadMeta(bytes.NewReader(c.jpeg)); m.Orientation != c.want.Orientation || m.Make != c.want.Make || m.Model != c.want.Model || m.Serial != c.want.Serial ||
			!m.TakenAt.Equal(c.want.TakenAt) || m.TakenZone != c.want.TakenZone {
			t.Errorf("%s: got %+v, want %+v", name, m, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	day := time.Date(2026, 5, 4, 9, 8, 7, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026:05:04 09:08:07": day, "2026-05-04 09:08:07": day, "2026/05/04 09:08:07": day, "2026-05-04T09:08:07": day, " 2026:05:04 09:08:07  ": day, "2026:5:4 9:8:7": day,
		"2026:05:04 09:08:07.25": day.Add(250 * time.Millisecond), "2026:05:04 09:08:07.": day, "2024:02:29 00:00:00": time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
		"2026:05:04 09:08:07Z": day, "2026:05:04 09:08:07+02:00": day.Add(-2 * time.Hour), "1970:01:01 00:00:00": time.Unix(0, 0),
		"": {}, "0000:00:00 00:00:00": {}, "2026:02:29 00:00:00": {}, "2026:13:01 00:00:00": {}, "2026:00:01 00:00:00": {}, "2026:05:04 24:00:00": {}, "2026:05:04 09:60:00": {},
		"2026:05:04": {}, "09:08:07": {}, "2026:05:04 09:08:07 PM": {}, "20260504 090807": {}, "1799:12:31 00:00:00": {}, "9999:01:01 00:00:00": {}, "２０２６:05:04 09:08:07": {},
	} {
		if got, _ := when(text, "", ""); !got.Equal(want) {
			t.Errorf("%q: %v", text, got)
		}
	}
	for text, want := range map[string]int{
		"+02:00": 120, "-11:30": -690, "+05:45": 345, "Z": 0, "+00:00": 0, "+0200": 120, "+2:00": 120, " +02:00 ": 120, "+23:59": 1439,
	} {
		if got, zoned := when("2026:05:04 09:08:07", "", text); !zoned || !got.Equal(day.Add(-time.Duration(want)*time.Minute)) {
			t.Errorf("%q: %v %v", text, got, zoned)
		}
	}
	for _, text := range []string{"", "   :  ", "+24:00", "+02:60", "02:00", "UTC", "+", "+99:99", "+02:00:00"} {
		if got, zoned := when("2026:05:04 09:08:07", "", text); zoned || !got.Equal(day) {
			t.Errorf("%q: %v %v", text, got, zoned)
		}
	}
}

func TestSubSeconds(t *testing.T) {
	whole := time.Date(2026, 5, 4, 9, 8, 7, 0, time.UTC)
	for digits, want := range map[string]time.Duration{
		"5": 500 * time.Millisecond, "05": 50 * time.Millisecond, "050": 50 * time.Millisecond, "123456": 123456 * time.Microsecond,
		"000000001": 1, "9999999999999": 999_999_999, "": 0, "0": 0, "    ": 0, "12  ": 120 * time.Millisecond, " 1      ": 100 * time.Millisecond,
		"-1": 0, "+5": 0, "1.5": 0, "1e2": 0, "5 5": 0, "x": 0, "\xff\xff": 0, "5\x006": 500 * time.Millisecond,
	} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			for _, tags := range [][2]uint16{{tagOriginal, tagOriginalSubSec}, {tagDigitized, tagDigitizedSubSec}} {
				m := ReadMeta(bytes.NewReader(jpegWith(t, app1(tiffOf(order, nil, []entry{ascii(tags[0], "2026:05:04 09:08:07"), ascii(tags[1], digits)})))))
				if m.TakenAt.Sub(whole) != want {
					t.Errorf("%q, %v: %v", digits, order, m.TakenAt)
				}
			}
		}
	}
}

// Whatever an offset, a count or a type says, and wherever the file ends, the
// answer is one that can be.
func TestHostileTables(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		good := jpegWith(t, app1(tiffOf(order, []entry{ascii(tagMake, "A camera")}, []entry{ascii(tagOriginal, "2026:05:04 09:08:07"), ascii(tagOriginalSubSec, "123456")})))
		at := bytes.Index(good, []byte(exifHead)) + len(exifHead) + 1
		for i := at; i < at+130; i++ {
			for _, v := range []uint32{0, 1, 8, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, uint32(len(good) - at - 1)} {
				b := slices.Clone(good)
				copy(b[i:], order.AppendUint32(nil, v))
				plausible(t, ReadMeta(bytes.NewReader(b)))
			}
			plausible(t, ReadMeta(bytes.NewReader(good[:i])))
		}
	}
}

// plausible checks what must hold for every file.
func plausible(t *testing.T, m Meta) {
	t.Helper()
	if m.Orientation < 1 || m.Orientation > 8 || !m.TakenAt.IsZero() && !Possible(m.TakenAt) || m.TakenZone && m.TakenAt.IsZero() {
		t.Errorf("%+v", m)
	}
	for _, s := range []string{m.Make, m.Model, m.Serial} {
		if len(s) > maxText || strings.ContainsAny(s, "\x00\n\x1b") || s != strings.ToValidUTF8(s, "") {
			t.Errorf("%q", s)
		}
	}
}
