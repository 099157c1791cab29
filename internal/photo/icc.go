package photo

import (
	"bytes"
	"encoding/binary"
	"io"
)

// How a profile is stored in a JPEG. What is done with it is in profile.go.
// Source: ICC.1:2022, annex B.4.

const (
	iccTag = "ICC_PROFILE\x00"
	// iccPart is what fits into one segment: 65,533 less the tag and two counters.
	iccPart = 65533 - len(iccTag) - 2
	// maxICC is above the largest profiles of printers, 2 MB; a camera's has a few kB.
	maxICC = 4 << 20
)

// embeddedICC puts together the profile in the header of the JPEG in r, as it is
// there, without what is padding. It is nil if there is none, or if parts are missing,
// there twice, or do not belong together.
func embeddedICC(r io.ReadSeeker) []byte {
	s, err := headerOf(r)
	if err != nil {
		return nil
	}
	var parts [256][]byte
	count, size := 0, 0
	for s.next() {
		if s.code != 0xe2 || !s.begins(iccTag) {
			continue // among others a multi-picture index, FlashPix
		}
		part := s.content()
		if len(part) < 2 {
			return nil
		}
		seq, of := int(part[0]), int(part[1])
		if count == 0 {
			count = of
		}
		if seq == 0 || seq > count || of != count || parts[seq] != nil {
			return nil
		}
		parts[seq] = part[2:]
		if size += len(part) - 2; size > maxICC {
			return nil
		}
	}
	p := make([]byte, 0, size)
	for i := 1; i <= count; i++ {
		if parts[i] == nil {
			return nil
		}
		p = append(p, parts[i]...)
	}
	if len(p) < iccHeader {
		return nil
	}
	own := int64(binary.BigEndian.Uint32(p))
	if own < iccHeader || own > int64(len(p)) {
		return nil
	}
	return p[:own]
}

// keptICC is the profile for a rendition of a photo of so many components with this
// profile: nil if [tidyICC] refuses it.
func keptICC(icc []byte, components int) []byte {
	if !iccFits(icc, components) {
		return nil
	}
	return tidyICC(icc)
}

// withICC inserts the profile after the SOI of an encoded JPEG.
func withICC(jpeg, icc []byte) []byte {
	count := (len(icc) + iccPart - 1) / iccPart
	out := make([]byte, 0, len(jpeg)+len(icc)+count*(len(iccTag)+6))
	out = append(out, jpeg[:2]...)
	for i := range count {
		part := icc[i*iccPart : min(len(icc), (i+1)*iccPart)]
		out = append(out, 0xff, 0xe2)
		out = binary.BigEndian.AppendUint16(out, uint16(2+len(iccTag)+2+len(part)))
		out = append(out, iccTag...)
		out = append(out, byte(i+1), byte(count))
		out = append(out, part...)
	}
	return append(out, jpeg[2:]...)
}

// OurProfile tells whether the content of an APP2 segment is a profile as a rendition
// of so many colour components has it: in one piece, and with nothing in it that
// colours do not need.
func OurProfile(segment []byte, components int) bool {
	icc, ok := bytes.CutPrefix(segment, []byte(iccTag+"\x01\x01"))
	return ok && iccFits(icc, components) && bytes.Equal(icc, tidyICC(icc))
}
