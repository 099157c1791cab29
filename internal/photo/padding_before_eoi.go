package photo

import "bytes"

const eoiMarker = "\xff\xd9"

// onlyPadding tells whether the bytes that the decoder left over before EOI are copies of
// one byte, possibly with restart markers before or behind them, and the picture is whole
// without them.
//
// Both conditions are needed. If the decoder lost its place, what is left over is picture
// data, whose bytes differ unless there are very few. If a part of the picture data was
// overwritten with one value, its bytes are alike, and the decoder may reach the last
// block within it and leave the rest over; but then the picture is not whole without it.
//
// A single byte is refused, although some program writes one behind whole pictures: if a
// picture ends in a flat area, 4 kB overwritten can leave only that.
func onlyPadding(data []byte, f Facts, l Limits) bool {
	body := trimRST(trimByte(bytes.TrimSuffix(data, []byte(eoiMarker)), 0xff))
	if len(body) == 0 {
		return false
	}
	last := body[len(body)-1]
	begin := len(trimByte(body, last))
	if n := len(body) - begin; n < 2 || n < 4 && last != 0 {
		return false
	}
	// The last byte of the picture data may be such a copy by accident.
	for _, n := range []int{len(trimRST(body[:begin])), begin + 1} {
		bare := append(bytes.Clone(body[:n]), eoiMarker...)
		if d, err := decodePlanes(bare, true, f.Width, f.Height, need{}, l.decoderMemory()); err == nil {
			d.free()
			return true
		}
	}
	return false
}

// trimByte removes all copies of c at the end. (bytes.TrimRight works on runes, and takes
// every invalid one for the same.)
func trimByte(b []byte, c byte) []byte {
	for len(b) > 0 && b[len(b)-1] == c {
		b = b[:len(b)-1]
	}
	return b
}

func trimRST(b []byte) []byte {
	for len(b) > 2 && b[len(b)-2] == 0xff && b[len(b)-1] >= 0xd0 && b[len(b)-1] <= 0xd7 {
		b = b[:len(b)-2]
	}
	return b
}
