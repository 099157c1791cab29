package decoder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"picday/photo"
)

// errNonsense is an answer that no child gives which does what it was asked for.
var errNonsense = errors.New("nonsense from the decoder")

// maxText bounds what a child may say about a camera, or about an error.
const maxText = 256

// readReply reads the answer to q and believes only what can be true.
func readReply(r io.Reader, q request) (photo.Meta, photo.Picture, error) {
	var a reply
	if err := unpack(r, &a); err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	if a.Refused != "" || a.Why != "" {
		return photo.Meta{}, photo.Picture{}, a.error()
	}
	if err := checkMeta(a.Meta); err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	if len(a.Renditions) != len(q.Sizes) {
		return photo.Meta{}, photo.Picture{}, fmt.Errorf("%w: %d renditions for %d sizes", errNonsense, len(a.Renditions), len(q.Sizes))
	}
	uw, uh := photo.UprightSize(q.Facts, a.Meta.Orientation)
	out := make([]photo.Rendition, len(q.Sizes))
	for i, p := range a.Renditions {
		w, h := photo.Fit(uw, uh, q.Sizes[i].Longest)
		if p.Name != q.Sizes[i].Name || p.Width != w || p.Height != h {
			return photo.Meta{}, photo.Picture{}, fmt.Errorf("%w: %q of %d x %d", errNonsense, clean(p.Name), p.Width, p.Height)
		}
		if p.Bytes < 4 || int64(p.Bytes) > maxRendition(w, h) {
			return photo.Meta{}, photo.Picture{}, fmt.Errorf("%w: %d bytes for %d x %d", errNonsense, p.Bytes, w, h)
		}
		data, err := take(r, int64(p.Bytes))
		if err != nil {
			return photo.Meta{}, photo.Picture{}, err
		}
		if err := checkRendition(data, w, h); err != nil {
			return photo.Meta{}, photo.Picture{}, err
		}
		out[i] = photo.Rendition{Name: p.Name, Width: w, Height: h, JPEG: data}
	}
	return a.Meta, photo.Picture{Renditions: out, Unusual: a.Unusual}, nil
}

// A refusalError says what the child said, and is what it means.
type refusalError struct {
	kind error
	text string
}

func (e refusalError) Error() string { return e.text }
func (e refusalError) Unwrap() error { return e.kind }

// errFailed is the machine's fault as the child sees it, such as a disk that fails.
var errFailed = errors.New("decoder failed")

func (a reply) error() error {
	text := clean(a.Why)
	if a.Refused == asFailed {
		return fmt.Errorf("%w: %s", errFailed, text)
	}
	for _, k := range kinds {
		if a.Refused == k.refused {
			return refusalError{k.error, text}
		}
	}
	return fmt.Errorf("%w: refused as %q", errNonsense, clean(string(a.Refused)))
}

// clean makes a child's words fit for a log.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, s[:min(len(s), maxText)])
	return strings.TrimSpace(s)
}

func checkMeta(m photo.Meta) error {
	if m.Orientation < 1 || m.Orientation > 8 {
		return fmt.Errorf("%w: orientation %d", errNonsense, m.Orientation)
	}
	for _, s := range []string{m.Make, m.Model, m.Serial} {
		if len(s) > maxText || strings.ContainsFunc(s, unicode.IsControl) {
			return fmt.Errorf("%w: camera %q", errNonsense, clean(s))
		}
	}
	if !m.TakenAt.IsZero() && !photo.Possible(m.TakenAt) || m.TakenAt.IsZero() && m.TakenZone {
		return fmt.Errorf("%w: taken at %v", errNonsense, m.TakenAt)
	}
	return nil
}

// maxRendition is more than any encoder makes of w x h pixels, with a large profile.
func maxRendition(w, h int) int64 { return 8*int64(w)*int64(h) + 4<<20 }

// checkRendition proves that data are one whole JPEG of w x h pixels, as browsers
// take it, with nothing in it but the picture and a colour profile.
func checkRendition(data []byte, w, h int) error {
	var s photo.Scan
	if _, err := s.Write(data); err != nil {
		return err
	}
	f := s.Facts()
	whatever := int64(f.Width) * int64(f.Height)
	if err := photo.Check(f, photo.Limits{MaxPixels: whatever, MaxProgressive: whatever}); err != nil {
		return fmt.Errorf("%w: rendition: %w", errNonsense, err)
	}
	if f.Width != w || f.Height != h || f.Trailing != 0 || f.Extraneous != 0 || f.Components == 4 {
		return fmt.Errorf("%w: rendition of %d x %d, %d bytes too many", errNonsense, f.Width, f.Height, f.Trailing+f.Extraneous)
	}
	// Progressive pictures have tables between scans: look at what is before them.
	for at := 2; at+4 <= int(f.HeaderEnd); {
		code, n := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if code == 0xff { // fill
			at++
			continue
		}
		switch {
		case code == 0xe0 || code == 0xee: // JFIF, Adobe
		case code == 0xe2 && at == 2 && n >= 2 && at+2+n <= len(data) && photo.OurProfile(data[at+4:at+2+n], f.Components):
		case code >= 0xe0 && code <= 0xef, code == 0xfe:
			return fmt.Errorf("%w: rendition with a segment FF%X", errNonsense, code)
		}
		at += 2 + n
	}
	return nil
}
