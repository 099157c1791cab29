package decoder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"picday/internal/photo"
	"picday/internal/qr"
)

// errBadReply: no child that does what it was asked for answers like this.
var errBadReply = errors.New("nonsense from the decoder")

// maxText bounds the texts of a reply, in bytes: a camera's name, an error.
const maxText = 256

// readReply reads the reply to q and refuses what cannot be true.
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
	if err := checkCodes(a.Codes, q.Codes); err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	if len(a.Renditions) != len(q.Sizes) {
		return photo.Meta{}, photo.Picture{}, fmt.Errorf("%w: %d renditions for %d sizes", errBadReply, len(a.Renditions), len(q.Sizes))
	}
	uw, uh := photo.UprightSize(q.Facts, a.Meta.Orientation)
	out := make([]photo.Rendition, len(q.Sizes))
	for i, p := range a.Renditions {
		w, h := photo.Fit(uw, uh, q.Sizes[i].Longest)
		if p.Name != q.Sizes[i].Name || p.Width != w || p.Height != h {
			return photo.Meta{}, photo.Picture{}, fmt.Errorf("%w: %q of %d x %d", errBadReply, clean(p.Name), p.Width, p.Height)
		}
		if p.Bytes < 4 || int64(p.Bytes) > maxRendition(w, h) {
			return photo.Meta{}, photo.Picture{}, fmt.Errorf("%w: %d bytes for %d x %d", errBadReply, p.Bytes, w, h)
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
	return a.Meta, photo.Picture{Renditions: out, Unusual: a.Unusual, Codes: a.Codes}, nil
}

// A refusalError has the text of the child, and wraps the error that it stands for.
type refusalError struct {
	kind error
	text string
}

func (e refusalError) Error() string { return e.text }
func (e refusalError) Unwrap() error { return e.kind }

// errFailed: the child says that the machine is at fault, such as a failing disk.
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
	return fmt.Errorf("%w: refused as %q", errBadReply, clean(string(a.Refused)))
}

// clean makes a child's text safe for a log.
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
		return fmt.Errorf("%w: orientation %d", errBadReply, m.Orientation)
	}
	for _, s := range []string{m.Make, m.Model, m.Serial} {
		if len(s) > maxText || strings.ContainsFunc(s, unicode.IsControl) {
			return fmt.Errorf("%w: camera %q", errBadReply, clean(s))
		}
	}
	if !m.TakenAt.IsZero() && !photo.Possible(m.TakenAt) || m.TakenAt.IsZero() && m.TakenZone {
		return fmt.Errorf("%w: taken at %v", errBadReply, m.TakenAt)
	}
	return nil
}

// checkCodes: those that are asked for, and no others, bounded as package qr does.
func checkCodes(f *qr.Found, asked bool) error {
	if (f != nil) != asked {
		return fmt.Errorf("%w: QR codes: %t, asked for: %t", errBadReply, f != nil, asked)
	}
	if f == nil {
		return nil
	}
	if len(f.Codes) > qr.MaxCodes {
		return fmt.Errorf("%w: %d QR codes", errBadReply, len(f.Codes))
	}
	for _, c := range f.Codes {
		if c.Text == "" || len(c.Text) > qr.MaxText || !utf8.ValidString(c.Text) {
			return fmt.Errorf("%w: a QR code that says %q", errBadReply, clean(c.Text))
		}
		for _, at := range c.Corners {
			if !(at.X >= 0 && at.X <= 1 && at.Y >= 0 && at.Y <= 1) {
				return fmt.Errorf("%w: a QR code at %v", errBadReply, at)
			}
		}
	}
	return nil
}

// maxRendition is more bytes than any encoder makes of w x h pixels, with a large profile.
func maxRendition(w, h int) int64 { return 8*int64(w)*int64(h) + 4<<20 }

// checkRendition proves that data is one whole JPEG of w x h pixels that browsers show,
// and holds nothing but the picture and a colour profile.
func checkRendition(data []byte, w, h int) error {
	var s photo.Scan
	if _, err := s.Write(data); err != nil {
		return err
	}
	f := s.Facts()
	whatever := int64(f.Width) * int64(f.Height)
	if err := photo.Check(f, photo.Limits{MaxPixels: whatever, MaxProgressive: whatever}); err != nil {
		return fmt.Errorf("%w: rendition: %w", errBadReply, err)
	}
	if f.Width != w || f.Height != h || f.Trailing != 0 || f.Extraneous != 0 || f.Components == 4 {
		return fmt.Errorf("%w: rendition of %d x %d, %d bytes too many", errBadReply, f.Width, f.Height, f.Trailing+f.Extraneous)
	}
	// Progressive pictures have tables between scans, so only what is before the first is
	// checked.
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
			return fmt.Errorf("%w: rendition with a segment FF%X", errBadReply, code)
		}
		at += 2 + n
	}
	return nil
}
