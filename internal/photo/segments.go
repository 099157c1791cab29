package photo

import (
	"bufio"
	"encoding/binary"
	"io"
)

// Bounds on the work of looking for a segment. Neither is near what a camera or
// an editor writes; each is some 20 ms. What is behind them counts as not there.
const (
	maxSegments = 16384   // one that is skipped costs a seek and a read
	maxRubbish  = 8 << 20 // bytes between segments, which decoders skip too
)

// segments walks through the header of a JPEG, from one marker segment to the
// next up to the picture data. It reads what is asked for and seeks over the rest,
// so that megabytes of previews before the EXIF cost nothing.
type segments struct {
	r       io.ReadSeeker
	b       *bufio.Reader
	n, skip int // segments met, bytes of rubbish skipped

	code byte // of the segment
	size int  // of its content, as far as it has not been read
}

func headerOf(r io.ReadSeeker) (*segments, error) {
	_, err := r.Seek(0, io.SeekStart)
	s := &segments{r: r, b: bufio.NewReaderSize(r, 1024)}
	if err == nil {
		_, err = s.b.Discard(2) // SOI
	}
	return s, err
}

// next goes to the next segment, and tells whether there is one before the picture.
func (s *segments) next() bool {
	if s.n++; s.n > maxSegments || s.pass() != nil {
		return false
	}
	for prev := byte(0); ; prev = s.code {
		c, err := s.b.ReadByte()
		if s.skip++; err != nil || s.skip > maxRubbish {
			return false
		}
		if s.code = c; prev == 0xff && c >= 0xc0 && c != 0xff && (c < 0xd0 || c > 0xd8) {
			break
		}
	}
	var l [2]byte
	if _, err := io.ReadFull(s.b, l[:]); err != nil {
		return false
	}
	s.size = int(binary.BigEndian.Uint16(l[:])) - 2
	return s.size >= 0 && s.code != 0xda && s.code != 0xd9
}

// pass goes to the end of the segment.
func (s *segments) pass() error {
	n := s.size
	s.size = 0
	if n > s.b.Buffered() {
		if _, err := s.r.Seek(int64(n-s.b.Buffered()), io.SeekCurrent); err != nil {
			return err
		}
		s.b.Reset(s.r)
		return nil
	}
	_, err := s.b.Discard(n)
	return err
}

// begins tells whether the content begins with a text, and reads that if so.
func (s *segments) begins(with string) bool {
	if s.size < len(with) {
		return false
	}
	if head, err := s.b.Peek(len(with)); err != nil || string(head) != with {
		return false
	}
	s.size -= len(with)
	_, _ = s.b.Discard(len(with)) // it was there just now
	return true
}

// content reads what is left of the segment; less, if the file ends before.
func (s *segments) content() []byte {
	b := make([]byte, s.size)
	n, _ := io.ReadFull(s.b, b)
	s.size = 0
	return b[:n]
}
