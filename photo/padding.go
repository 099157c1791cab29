package photo

import "bytes"

const eoiMarker = "\xff\xd9"

// onlyPadding is whether the bytes left over before EOI are copies of one byte, with
// restart markers before or behind them, and the picture is whole without them.
//
// Both must be so. What is left over where the decoder lost its way is picture data,
// which are not all alike unless there are very few. A hole in the picture data is all
// alike, and where the code of "nothing here" is short a part of it can be decoded to
// the last block, which leaves the rest over; but without the hole the picture is not
// whole.
//
// One byte left over is refused, although some program writes it behind whole pictures:
// where a picture ends in a flat part, a hole of 4 kB can leave no more than that.
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

// trimByte takes away all copies of c at the end. (bytes.TrimRight takes runes, and an
// invalid one for any other.)
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
