package photo

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// The EXIF is written by hand, big-endian, from EXIF 2.32 and TIFF 6.0, so that what
// reads it is tested against the standard and not against itself.

const (
	ascii    = 2
	short    = 3
	long     = 4
	rational = 5
	undef    = 7
)

type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

func str(tag uint16, s string) entry {
	return entry{tag, ascii, uint32(len(s) + 1), append([]byte(s), 0)}
}

func num(tag, v uint16) entry {
	return entry{tag, short, 1, binary.BigEndian.AppendUint16(nil, v)}
}

func offset(tag uint16, v int) entry {
	return entry{tag, long, 1, binary.BigEndian.AppendUint32(nil, uint32(v))}
}

func ratios(tag uint16, v ...uint32) entry {
	e := entry{tag, rational, uint32(len(v) / 2), nil}
	for _, n := range v {
		e.value = binary.BigEndian.AppendUint32(e.value, n)
	}
	return e
}

// exif is the content of the APP1 segment, nil if the spec asks for nothing in it.
func (s Spec) exif() []byte {
	var ifd0, sub, gps, ifd1 []entry
	if s.Make != "" {
		ifd0 = append(ifd0, str(0x010f, s.Make))
	}
	if s.Model != "" {
		ifd0 = append(ifd0, str(0x0110, s.Model))
	}
	if s.Orientation != 0 {
		ifd0 = append(ifd0, num(0x0112, uint16(s.Orientation)))
	}
	if !s.TakenAt.IsZero() {
		date := s.TakenAt.Format("2006:01:02 15:04:05")
		sub = append(
			sub, str(0x9003, date), str(0x9004, date), str(0x9011, s.TakenAt.Format("-07:00")),
			str(0x9291, fmt.Sprintf("%03d", s.TakenAt.Nanosecond()/1_000_000)),
		)
	}
	if s.Serial != "" {
		sub = append(sub, str(0xa431, s.Serial))
	}
	if s.GPS { // a school yard in Springfield
		gps = []entry{
			{0, 1, 4, []byte{2, 3, 0, 0}},
			str(1, "N"), ratios(2, 39, 1, 46, 1, 5400, 100), str(3, "W"), ratios(4, 89, 1, 38, 1, 4100, 100),
		}
	}
	var thumb []byte
	if s.Thumbnail {
		t := s
		longest := max(s.Width, s.Height)
		t.Width, t.Height = max(1, 160*s.Width/longest), max(1, 160*s.Height/longest)
		t.Quality, t.Noise = 75, 30
		thumb = encode(t)
		ifd1 = []entry{num(0x0103, 6), offset(0x0201, 0), offset(0x0202, len(thumb))}
	}
	if ifd0 == nil && sub == nil && gps == nil && ifd1 == nil {
		return nil
	}
	sub = append([]entry{{0x9000, undef, 4, []byte("0232")}}, sub...)
	return layOut(ifd0, sub, gps, ifd1, thumb)
}

// layOut places the tables one behind the other, each with its long values, and
// points them at each other.
func layOut(ifd0, sub, gps, ifd1 []entry, thumb []byte) []byte {
	ifd0 = append(ifd0, offset(0x8769, 0))
	if gps != nil {
		ifd0 = append(ifd0, offset(0x8825, 0))
	}
	atSub := 8 + size(ifd0)
	atGPS := atSub + size(sub)
	at1 := atGPS
	if gps != nil {
		at1 += size(gps)
	}
	point(ifd0, 0x8769, atSub)
	point(ifd0, 0x8825, atGPS)
	next := 0
	if ifd1 != nil {
		next = at1
		point(ifd1, 0x0201, at1+size(ifd1))
	}

	b := []byte("MM\x00\x2a\x00\x00\x00\x08")
	b = table(b, ifd0, next)
	b = table(b, sub, 0)
	if gps != nil {
		b = table(b, gps, 0)
	}
	if ifd1 != nil {
		b = table(b, ifd1, 0)
	}
	return append(append([]byte("Exif\x00\x00"), b...), thumb...)
}

func point(ifd []entry, tag uint16, at int) {
	for i := range ifd {
		if ifd[i].tag == tag {
			ifd[i] = offset(tag, at)
		}
	}
}

// size is the length of a table with its long values, each on an even offset.
func size(ifd []entry) int {
	n := 2 + 12*len(ifd) + 4
	for _, e := range ifd {
		if len(e.value) > 4 {
			n += len(e.value) + len(e.value)&1
		}
	}
	return n
}

func table(b []byte, ifd []entry, next int) []byte {
	data := len(b) + 2 + 12*len(ifd) + 4
	var long strings.Builder
	b = binary.BigEndian.AppendUint16(b, uint16(len(ifd)))
	for _, e := range ifd {
		b = binary.BigEndian.AppendUint16(b, e.tag)
		b = binary.BigEndian.AppendUint16(b, e.kind)
		b = binary.BigEndian.AppendUint32(b, e.count)
		if len(e.value) <= 4 {
			b = append(b, append(e.value, 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(data+long.Len()))
		long.Write(e.value)
		if len(e.value)&1 != 0 {
			long.WriteByte(0)
		}
	}
	b = binary.BigEndian.AppendUint32(b, uint32(next))
	return append(b, long.String()...)
}
