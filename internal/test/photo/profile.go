package photo

import (
	"encoding/binary"
	"slices"
)

// TableProfile is a scanner's, made of a table only, whose colours are far from sRGB's.
// The table stands there under each of the names.
func TableProfile(components int, names ...string) []byte {
	const grid = 9
	lut := binary.BigEndian.AppendUint32([]byte{'m', 'f', 't', '2', 0, 0, 0, 0, byte(components), 3, grid, 0}, 0x10000)
	for i := 1; i < 9; i++ { // the matrix of one
		lut = binary.BigEndian.AppendUint32(lut, map[bool]uint32{true: 0x10000}[i%4 == 0])
	}
	add := func(v ...float64) {
		for _, v := range v {
			lut = binary.BigEndian.AppendUint16(lut, uint16(v))
		}
	}
	line := func() { add(0, 65535) }
	add(2, 2) // entries of the curves, before and behind
	for range components {
		line()
	}
	lab := func(l, a, b float64) { add(l/100*0xff00, (a+128)*256, (b+128)*256) }
	for i := range grid {
		if components == 1 { // sepia
			lab(100*float64(i)/(grid-1), 8, 24)
			continue
		}
		for j := range grid {
			for k := range grid {
				r, g, b := float64(i)/(grid-1), float64(j)/(grid-1), float64(k)/(grid-1)
				lab(100*(0.3*r+0.5*g+0.2*b), 40*(r-g), 30*(r+g-2*b))
			}
		}
	}
	for range 3 {
		line()
	}
	p := make([]byte, 128)
	p[8] = 2
	copy(p[12:], "scnr"+map[int]string{1: "GRAY", 3: "RGB "}[components]+"Lab ")
	copy(p[36:], "acsp")
	p = binary.BigEndian.AppendUint32(p, uint32(3+len(names)))
	var data []byte
	tag := func(name string, content []byte) {
		p = binary.BigEndian.AppendUint32(append(p, name...), uint32(132+12*(3+len(names))+len(data)))
		p = binary.BigEndian.AppendUint32(p, uint32(len(content)))
		data = append(data, append(content, make([]byte, -len(content)&3)...)...)
	}
	tag("desc", append([]byte("desc\x00\x00\x00\x00\x00\x00\x00\x05scan\x00"), make([]byte, 78)...))
	tag("cprt", []byte("text\x00\x00\x00\x00none\x00"))
	tag("wtpt", []byte("XYZ \x00\x00\x00\x00\x00\x00\xf6\xd6\x00\x01\x00\x00\x00\x00\xd3\x2d"))
	for _, name := range names {
		tag(name, slices.Clone(lut))
	}
	p = append(p, data...)
	binary.BigEndian.PutUint32(p, uint32(len(p)))
	return p
}

// WithProfile puts an ICC profile into a JPEG, behind its first marker.
func WithProfile(jpeg, icc []byte) []byte {
	var segments []byte
	parts := slices.Collect(slices.Chunk(icc, 60_000))
	for i, part := range parts {
		segments = binary.BigEndian.AppendUint16(append(segments, 0xff, 0xe2), uint16(16+len(part)))
		segments = append(append(segments, "ICC_PROFILE\x00"...), byte(i+1), byte(len(parts)))
		segments = append(segments, part...)
	}
	return slices.Insert(slices.Clone(jpeg), 2, segments...)
}
