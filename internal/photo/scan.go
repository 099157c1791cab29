package photo

import "bytes"

// Scan reads a file as it streams past, while it is copied and hashed, and decides
// whether it is a whole JPEG. It is an io.Writer; the zero value is
// ready. However the bytes are cut into writes, the [Facts] are the same.
//
// It walks the marker structure (ITU-T T.81, annex B) and never decodes. A segment
// is skipped by its length, so the FF D9 of an embedded thumbnail is not taken for
// the end. Where the bytes leave the structure it follows image/jpeg, which is as
// liberal as libjpeg; so both see the same frame, and the dimensions that [Check]
// judges are those the decoder will allocate.
//
// One goroutine at a time. It holds no buffer and allocates nothing.
type Scan struct {
	state state
	bytes int64 // all bytes of the writes before this one
	code  byte  // marker of the segment being read
	left  int   // bytes of it still to come
	take  int   // bytes of it in head
	head  [6]byte
	facts Facts // what is final as soon as it is seen
}

type state uint8

const (
	atStart     state = iota // FF of SOI
	atSOI                    // D8 of SOI
	atFirst                  // FF of the first marker: the third byte of every JPEG
	atMarker                 // FF of a marker; anything else is extraneous
	atCode                   // the marker's code, or one more FF as fill
	atLength                 // first byte of a segment's length
	atLength2                // second byte
	inSegment                // the segment's content
	inPicture                // entropy-coded data
	inPictureFF              // after an FF in it
	atEnd                    // behind EOI
	lost                     // not a JPEG, or damaged beyond following
)

// Write takes the next bytes of the file. It never fails.
func (s *Scan) Write(p []byte) (int, error) {
	for i := 0; i < len(p); {
		switch s.state {
		case inPicture:
			i = s.picture(p, i)
		case inSegment:
			i = s.segment(p, i)
		case atMarker:
			n := bytes.IndexByte(p[i:], 0xff)
			if n < 0 {
				n = len(p) - i
			} else {
				s.state = atCode
				i++
			}
			s.facts.Extraneous += int64(n)
			i += n
		case atEnd, lost:
			i = len(p)
		default:
			s.step(p[i], s.bytes+int64(i)+1)
			i++
		}
	}
	s.bytes += int64(len(p))
	return len(p), nil
}

// Facts says what is known after the bytes so far. It can be asked at any time.
func (s *Scan) Facts() Facts {
	f := s.facts
	f.Bytes = s.bytes
	f.JPEG = s.state != lost || f.Damaged
	f.Whole = s.state == atEnd
	f.Open = s.state == inPicture || s.state == inPictureFF
	if f.Whole {
		f.Trailing = f.Bytes - f.EOI
	}
	f.Progressive = f.SOF == 0xc2
	return f
}

// picture skips entropy-coded data from p[i] on. Nearly all of a file passes here;
// an FF comes once in some 200 bytes, mostly stuffed (FF 00).
func (s *Scan) picture(p []byte, i int) int {
	for {
		n := bytes.IndexByte(p[i:], 0xff)
		if n < 0 {
			return len(p)
		}
		i += n + 1
		if i < len(p) && p[i] == 0 {
			i++
			continue
		}
		s.state = inPictureFF
		return i
	}
}

// segment takes content from p[i] on, keeping the first bytes.
func (s *Scan) segment(p []byte, i int) int {
	n := min(s.left, len(p)-i)
	s.take += copy(s.head[s.take:], p[i:i+n])
	s.left -= n
	if s.left == 0 {
		s.ended(s.bytes + int64(i+n))
	}
	return i + n
}

// step takes one byte of structure; end is the offset behind it.
func (s *Scan) step(b byte, end int64) {
	switch s.state {
	case atStart:
		s.expect(b == 0xff, atSOI)
	case atSOI:
		s.expect(b == 0xd8, atFirst)
	case atFirst:
		s.expect(b == 0xff, atCode)
	case atCode:
		switch b {
		case 0xff: // fill
		case 0x00:
			s.facts.Extraneous += 2
			s.state = atMarker
		default:
			s.marker(b, end)
		}
	case inPictureFF:
		switch {
		case b == 0xff: // fill
		case b == 0x00, b >= 0xd0 && b <= 0xd7: // a stuffed FF; RST0 to RST7
			s.state = inPicture
		default:
			s.marker(b, end)
		}
	case atLength:
		s.left = int(b) << 8
		s.state = atLength2
	case atLength2:
		s.left |= int(b)
		s.left -= 2 // the length counts itself
		s.take = 0
		s.state = inSegment
		if s.left < 0 {
			s.damaged()
		} else if s.left == 0 {
			s.ended(end)
		}
	}
}

func (s *Scan) expect(ok bool, next state) {
	s.state = next
	if !ok {
		s.state = lost
	}
}

func (s *Scan) damaged() {
	s.facts.Damaged = true
	s.state = lost
}

// marker is called at a marker that is not RSTn inside the picture; end is the
// offset behind it.
func (s *Scan) marker(code byte, end int64) {
	switch {
	case code == 0xd9: // EOI
		if s.facts.Scans == 0 {
			s.damaged() // an end without a picture
			return
		}
		s.facts.EOI = end
		s.state = atEnd
	case code == 0xd8: // an image inside the image, outside any segment
		s.damaged()
	case code >= 0xd0 && code <= 0xd7, code == 0x01: // RST out of place, TEM: stand alone, harmless
		s.state = atMarker
	case code < 0xc0: // reserved: no encoder writes them, no decoder takes them
		s.damaged()
	default:
		s.code = code
		s.state = atLength
	}
}

// ended is called when a segment is complete; end is the offset behind it.
func (s *Scan) ended(end int64) {
	s.state = atMarker
	f := &s.facts
	switch c := s.code; {
	case c == 0xda: // SOS: number of components, two bytes for each, three more
		if f.SOF == 0 || s.take < 1 || s.head[0] < 1 || s.head[0] > 4 {
			s.damaged()
			return
		}
		if f.Scans++; f.Scans == 1 {
			f.HeaderEnd = end
		}
		s.state = inPicture
	case c == 0xdc: // DNL: the height, for encoders that did not know it beforehand
		if f.Scans > 0 && f.Height == 0 && s.take >= 2 {
			f.Height = int(s.head[0])<<8 | int(s.head[1])
			f.DNL = true
		}
	case c == 0xde: // DHP: several frames follow, the hierarchical mode
		if f.SOF == 0 {
			f.SOF = c
		}
	case c >= 0xc0 && c <= 0xcf && c != 0xc4 && c != 0xcc: // SOF; C4 is DHT, CC is DAC
		s.frame()
	}
}

// frame reads the start of a frame: precision, height, width, components.
func (s *Scan) frame() {
	f := &s.facts
	if f.SOF == 0xde {
		return
	}
	if f.SOF != 0 || s.take < 6 {
		s.damaged()
		return
	}
	f.SOF = s.code
	f.Precision = int(s.head[0])
	f.Height = int(s.head[1])<<8 | int(s.head[2])
	f.Width = int(s.head[3])<<8 | int(s.head[4])
	f.Components = int(s.head[5])
}
