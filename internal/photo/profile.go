package photo

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// A rendition keeps one piece of its original's metadata, the ICC profile: without
// it the colours of an AdobeRGB or Display P3 photo come out wrong. A profile can
// carry anything, though, in tags of its own, in its copyright, between its tags. So
// none is copied: from what was understood a new one is written, always in the same
// form, that has the primaries, the white, the curves and two short lines of text.
// The parent of a decoder does the same with what the child sends, and takes only
// what comes out as it went in.
//
// Profiles that are made of large tables instead (of printers, of some scanners) are
// not kept: such a table is 60 kB or more of whatever its writer liked. A picture with
// one is converted to sRGB, see [conversion].
//
// Source: ICC.1:2022 (version 4), ICC.1:2001-04 (version 2).

const (
	iccHeader  = 128
	maxICCTags = 100
	maxCurve   = 4096 // entries
	maxICCText = 63
)

// tidyICC writes a profile anew: nil for one that cannot be, or is none.
func tidyICC(p []byte) []byte {
	if len(p) < iccHeader+4 || int64(binary.BigEndian.Uint32(p)) != int64(len(p)) || string(p[36:40]) != "acsp" {
		return nil
	}
	version, class, space, pcs := p[8], string(p[12:16]), string(p[16:20]), string(p[20:24])
	if version != 2 && version != 4 || !iccOfDevice(p) {
		return nil
	}
	tags := iccTags(p)
	if tags == nil {
		return nil
	}
	w := iccWriter{version: version}
	w.text("desc", tags["desc"], strings.TrimSpace(space))
	w.text("cprt", tags["cprt"], "none")
	white := iccNumbers(tags["wtpt"], "XYZ ", 3)
	if white == nil {
		white = append([]byte("XYZ \x00\x00\x00\x00"), iccD50...)
	}
	w.add("wtpt", white)
	if adaptation := iccNumbers(tags["chad"], "sf32", 9); adaptation != nil {
		w.add("chad", adaptation)
	}
	switch {
	case space == "RGB " && pcs == "XYZ ":
		for _, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
			w.add(name, iccNumbers(tags[name], "XYZ ", 3))
		}
		for _, name := range []string{"rTRC", "gTRC", "bTRC"} {
			w.add(name, iccCurve(tags[name]))
		}
	case space == "GRAY" && (pcs == "XYZ " || pcs == "Lab "):
		w.add("kTRC", iccCurve(tags["kTRC"]))
	default:
		return nil
	}
	if w.lacks {
		return nil
	}
	intent := binary.BigEndian.Uint32(p[64:])
	if intent > 3 {
		intent = 0
	}
	return w.profile(class, space, pcs, intent)
}

// iccTags are the tags of a profile by their names, without those that lead outside;
// nil if the table itself does.
func iccTags(p []byte) map[string][]byte {
	n := int64(binary.BigEndian.Uint32(p[iccHeader:]))
	begin := iccHeader + 4 + 12*n
	if n > maxICCTags || begin > int64(len(p)) {
		return nil
	}
	tags := map[string][]byte{}
	for i := range n {
		e := p[iccHeader+4+12*i:]
		at, size := int64(binary.BigEndian.Uint32(e[4:])), int64(binary.BigEndian.Uint32(e[8:]))
		if at < begin || size < 8 || at+size > int64(len(p)) {
			continue
		}
		tags[string(e[:4])] = p[at : at+size]
	}
	return tags
}

// iccD50 is the white that all profiles are adapted to.
var iccD50 = []byte{0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d}

// iccNumbers is a tag of n numbers of 32 bits, nil if it is not one.
func iccNumbers(tag []byte, kind string, n int) []byte {
	if len(tag) < 8+4*n || string(tag[:4]) != kind {
		return nil
	}
	return append([]byte(kind+"\x00\x00\x00\x00"), tag[8:8+4*n]...)
}

// iccCurve is a tag that says how light a number is: by a formula, or by a table that
// does not fall. Nil if it is neither.
func iccCurve(tag []byte) []byte {
	if len(tag) < 12 {
		return nil
	}
	switch kind := string(tag[:4]); kind {
	case "para":
		f := int(binary.BigEndian.Uint16(tag[8:]))
		if f > 4 {
			return nil
		}
		numbers := 4 * []int{1, 3, 4, 5, 7}[f]
		if len(tag) < 12+numbers {
			return nil
		}
		return append([]byte{'p', 'a', 'r', 'a', 0, 0, 0, 0, 0, byte(f), 0, 0}, tag[12:12+numbers]...)
	case "curv":
		n := int64(binary.BigEndian.Uint32(tag[8:]))
		if n > maxCurve || int64(len(tag)) < 12+2*n {
			return nil
		}
		for i := int64(1); i < n; i++ {
			if binary.BigEndian.Uint16(tag[12+2*i:]) < binary.BigEndian.Uint16(tag[10+2*i:]) {
				return nil
			}
		}
		return append([]byte("curv\x00\x00\x00\x00"), tag[8:12+2*n]...)
	}
	return nil
}

// An iccWriter collects the tags of a new profile.
type iccWriter struct {
	version byte
	names   []string
	tags    [][]byte
	lacks   bool // a tag that must be there
}

func (w *iccWriter) add(name string, tag []byte) {
	w.lacks = w.lacks || tag == nil
	w.names, w.tags = append(w.names, name), append(w.tags, tag)
}

// text adds a line that names the profile or its owner, as each version writes it.
func (w *iccWriter) text(name string, tag []byte, none string) {
	s := iccText(tag)
	if s == "" {
		s = none
	}
	switch {
	case w.version == 4:
		t := []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS")
		t = binary.BigEndian.AppendUint32(t, uint32(2*len(s)))
		t = binary.BigEndian.AppendUint32(t, 28)
		for _, c := range []byte(s) {
			t = append(t, 0, c)
		}
		w.add(name, t)
	case name == "desc": // in ASCII, and none in Unicode and in Macintosh's script
		t := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(s)+1))
		w.add(name, append(append(t, s...), make([]byte, 1+4+4+2+1+67)...))
	default:
		w.add(name, append([]byte("text\x00\x00\x00\x00"), s+"\x00"...))
	}
}

// iccText reads a text of any of the three types, as far as it is plain.
func iccText(tag []byte) string {
	if len(tag) < 12 {
		return ""
	}
	var s string
	switch string(tag[:4]) {
	case "text":
		s = string(tag[8:])
	case "desc":
		s = string(tag[12:])
	case "mluc":
		if len(tag) < 28 {
			return ""
		}
		n, at := int64(binary.BigEndian.Uint32(tag[20:])), int64(binary.BigEndian.Uint32(tag[24:]))
		var wide []uint16
		for b := part(tag, at, min(n, 4*maxICCText)); len(b) >= 2; b = b[2:] {
			wide = append(wide, binary.BigEndian.Uint16(b))
		}
		s = string(utf16.Decode(wide))
	}
	s, _, _ = strings.Cut(s, "\x00")
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, s[:min(len(s), 4*maxICCText)])
	return strings.TrimSpace(s[:min(len(s), maxICCText)])
}

// profile writes it. Equal tags, mostly the three curves, are there once.
func (w *iccWriter) profile(class, space, pcs string, intent uint32) []byte {
	p := make([]byte, iccHeader, 4096)
	p[8], p[9] = w.version, 0x40
	copy(p[12:], class+space+pcs)
	copy(p[24:], []byte{7, 208, 0, 1, 0, 1}) // made on 1 January 2000: there must be a date
	copy(p[36:], "acsp")
	binary.BigEndian.PutUint32(p[64:], intent)
	copy(p[68:], iccD50)
	p = binary.BigEndian.AppendUint32(p, uint32(len(w.names)))
	var data []byte
	begin := len(p) + 12*len(w.names)
	at := make([]int, len(w.tags))
	for i, tag := range w.tags {
		at[i] = -1
		for j := range i {
			if bytes.Equal(w.tags[j], tag) {
				at[i] = at[j]
				break
			}
		}
		if at[i] < 0 {
			at[i] = begin + len(data)
			data = append(data, tag...)
			data = append(data, make([]byte, -len(data)&3)...)
		}
		p = append(p, w.names[i]...)
		p = binary.BigEndian.AppendUint32(p, uint32(at[i]))
		p = binary.BigEndian.AppendUint32(p, uint32(len(tag)))
	}
	p = append(p, data...)
	binary.BigEndian.PutUint32(p, uint32(len(p)))
	return p
}

// iccFits reports whether a profile describes the colours of a JPEG of so many
// components: 1, 3, or 4.
func iccFits(icc []byte, components int) bool {
	space := map[int]string{1: "GRAY", 3: "RGB ", 4: "CMYK"}[components]
	return len(icc) >= iccHeader && string(icc[16:20]) == space
}

// iccOfDevice reports whether a profile, which has a header, says what colours are, and
// not how to change them or what their names are.
func iccOfDevice(icc []byte) bool {
	class := string(icc[12:16])
	return class == "mntr" || class == "scnr" || class == "spac" || class == "prtr"
}
