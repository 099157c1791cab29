package photo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// The ICC profile is the one piece of metadata a rendition keeps: without it, the
// colours of an AdobeRGB or Display P3 photo come out wrong.
// Source: ICC.1:2022, annex B.4 (embedding in JFIF), §7.2 (profile header).

const (
	iccTag = "ICC_PROFILE\x00"
	// maxICC is far above the few kB of a camera's or monitor's profile. Larger ones
	// are print profiles, and no thumbnail should be a hundred times its profile.
	maxICC = 1 << 20
	// iccPart is what fits into one segment: 65,533 less the tag and two counters.
	iccPart = 65533 - len(iccTag) - 2
)

// readICC returns the profile in the header of the JPEG in r, or nil if there is
// none, or none that is sound. The header is the first headerEnd bytes.
func readICC(r io.Reader, headerEnd int64) []byte {
	b := bufio.NewReader(io.LimitReader(r, min(headerEnd, 2*maxICC)))
	if _, err := b.Discard(2); err != nil { // SOI
		return nil
	}
	var parts [256][]byte
	count, size := 0, 0
	for {
		code, n, ok := nextSegment(b)
		if !ok {
			break
		}
		if code != 0xe2 || n < len(iccTag)+2 {
			if _, err := b.Discard(n); err != nil {
				break
			}
			continue
		}
		seg := make([]byte, n)
		if _, err := io.ReadFull(b, seg); err != nil {
			break
		}
		body, ok := bytes.CutPrefix(seg, []byte(iccTag))
		if !ok {
			continue // multi-picture index, FlashPix
		}
		seq := body[0]
		if count == 0 {
			count = int(body[1])
		}
		if seq == 0 || int(seq) > count || int(body[1]) != count || parts[seq] != nil {
			return nil
		}
		parts[seq] = body[2:]
		if size += len(body) - 2; size > maxICC {
			return nil
		}
	}
	var p []byte
	for i := 1; i <= count; i++ {
		if parts[i] == nil {
			return nil
		}
		p = append(p, parts[i]...)
	}
	if len(p) < 128 || int64(binary.BigEndian.Uint32(p)) != int64(len(p)) || string(p[36:40]) != "acsp" {
		return nil
	}
	return p
}

// nextSegment reads up to the content of the next segment of a header.
func nextSegment(b *bufio.Reader) (code byte, n int, ok bool) {
	for prev := byte(0); ; prev = code {
		c, err := b.ReadByte()
		if err != nil {
			return 0, 0, false
		}
		if code = c; prev == 0xff && code >= 0xc0 && code != 0xff && (code < 0xd0 || code > 0xd8) {
			break
		}
	}
	var l [2]byte
	if _, err := io.ReadFull(b, l[:]); err != nil {
		return 0, 0, false
	}
	n = int(binary.BigEndian.Uint16(l[:])) - 2
	return code, n, n >= 0 && code != 0xda && code != 0xd9
}

// iccFits reports whether a profile describes the colours of a JPEG of so many
// components, 1 or 3.
func iccFits(icc []byte, components int) bool {
	space := "RGB "
	if components == 1 {
		space = "GRAY"
	}
	return len(icc) >= 128 && string(icc[16:20]) == space
}

// withICC puts the profile behind the SOI of an encoded JPEG.
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
