package photo

import (
	"bytes"
	"errors"
	"testing"

	testphoto "picday/internal/test/photo"
)

// A file without end is known to be none before it has become large; a whole one
// is never given up on the way.
func TestHopeless(t *testing.T) {
	whole := testphoto.Tiny(0)
	s := &Scan{}
	for i := range whole {
		if err := CheckBeginning(s.Facts(), Limits{}); err != nil {
			t.Fatalf("after %d of %d bytes: %v", i, len(whole), err)
		}
		s.Write(whole[i : i+1])
	}
	if err := CheckBeginning(s.Facts(), Limits{}); err != nil {
		t.Error(err)
	}
	segment := append([]byte{0xff, 0xe1, 0xff, 0xff}, make([]byte, 65533)...)
	header := whole[:s.Facts().HeaderEnd]
	for name, c := range map[string]struct {
		begin, again []byte
		want         error
	}{
		"segments without end": {whole[:2], segment, ErrTooComplex},
		"rubbish without end":  {whole[:3], make([]byte, 1<<16), ErrTooComplex},
		"data without end":     {header, bytes.Repeat([]byte{1}, 1<<16), ErrDamaged},
		"scans without end":    {header, header[bytes.LastIndex(header, []byte{0xff, 0xda}):], ErrTooComplex},
		"no JPEG":              {[]byte("\x89PNG"), make([]byte, 1<<16), ErrNotJPEG},
	} {
		s := &Scan{}
		s.Write(c.begin)
		var err error
		for err == nil && s.bytes < 200<<20 {
			s.Write(c.again)
			err = CheckBeginning(s.Facts(), Limits{})
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v after %d bytes", name, err, s.bytes)
		}
	}
}
