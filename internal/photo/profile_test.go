package photo

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"picday/internal/rendition"
)

type iccTagOf struct {
	name string
	data []byte
}

// profileOf writes a profile, however wrong: the tags one behind the other.
func profileOf(version byte, class, space, pcs string, tags ...iccTagOf) []byte {
	p := make([]byte, 128)
	p[8] = version
	copy(p[12:], class+space+pcs)
	copy(p[36:], "acsp")
	p = binary.BigEndian.AppendUint32(p, uint32(len(tags)))
	at := 132 + 12*len(tags)
	var data []byte
	for _, t := range tags {
		p = binary.BigEndian.AppendUint32(append(p, t.name...), uint32(at+len(data)))
		p = binary.BigEndian.AppendUint32(p, uint32(len(t.data)))
		data = append(data, t.data...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	p = append(p, data...)
	binary.BigEndian.PutUint32(p, uint32(len(p)))
	return p
}

func tagged(name, kind string, data ...byte) iccTagOf {
	return iccTagOf{name, append([]byte(kind+"\x00\x00\x00\x00"), data...)}
}

// rgbTags are Display P3's, with room for what a test adds.
func rgbTags(add ...iccTagOf) []iccTagOf {
	curve := []byte{0, 3, 0, 0, 0, 2, 0x66, 0x66, 0, 0, 0xf2, 0xa7, 0, 0, 0x0d, 0x59, 0, 0, 0x13, 0xd0, 0, 0, 0x0a, 0x5b}
	return append([]iccTagOf{
		tagged("desc", "mluc", append([]byte{0, 0, 0, 1, 0, 0, 0, 12, 'e', 'n', 'U', 'S', 0, 0, 0, 20, 0, 0, 0, 28}, []byte("\x00D\x00i\x00s\x00p\x00l\x00a\x00y\x00 \x00P\x003")...)...),
		tagged("rXYZ", "XYZ ", 0, 0, 0x83, 0xdf, 0, 0, 0x3d, 0xbf, 0xff, 0xff, 0xff, 0xbb),
		tagged("gXYZ", "XYZ ", 0, 0, 0x4a, 0xbf, 0, 0, 0xb1, 0x37, 0, 0, 0x0a, 0xb9),
		tagged("bXYZ", "XYZ ", 0, 0, 0x28, 0x38, 0, 0, 0x11, 0x0b, 0, 0, 0xc8, 0xb9),
		tagged("rTRC", "para", curve...), tagged("gTRC", "para", curve...), tagged("bTRC", "para", curve...),
	}, add...)
}

func displayP3(add ...iccTagOf) []byte {
	return profileOf(4, "mntr", "RGB ", "XYZ ", rgbTags(add...)...)
}

func TestProfileKeepsItsColours(t *testing.T) {
	grey := profileOf(2, "mntr", "GRAY", "XYZ ", tagged("kTRC", "curv", 0, 0, 0, 1, 2, 0x33))
	for name, p := range map[string][]byte{"P3": displayP3(), "grey": grey, "sample": embeddedICC(bytes.NewReader(samples(t)["icc"]))} {
		out := tidyICC(p)
		if out == nil {
			t.Fatalf("%s: dropped", name)
		}
		before, after := iccTags(p), iccTags(out)
		for _, tag := range []string{"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC", "chad"} {
			if !bytes.Equal(before[tag], after[tag]) {
				t.Errorf("%s: %s is %x, was %x", name, tag, after[tag], before[tag])
			}
		}
		if !bytes.Equal(tidyICC(out), out) || string(out[12:24]) != string(p[12:24]) || len(out) > 1000 {
			t.Errorf("%s: %q", name, out)
		}
	}
	if out := tidyICC(displayP3()); iccText(iccTags(out)["desc"]) != "Display P3" || iccText(iccTags(out)["cprt"]) != "none" {
		t.Errorf("%q", out)
	}
	v2 := tidyICC(profileOf(2, "mntr", "RGB ", "XYZ ", append(rgbTags()[1:], tagged("desc", "desc", append([]byte{0, 0, 0, 18}, "Adobe RGB (1998)\x00\x00"...)...), tagged("cprt", "text", []byte("by\n\x1bA")...))...))
	if tags := iccTags(v2); iccText(tags["desc"]) != "Adobe RGB (1998)" || iccText(tags["cprt"]) != "byA" || string(tags["desc"][:4]) != "desc" {
		t.Errorf("%q", v2)
	}
}

// What colours do not need does not pass, wherever in a profile it stands.
func TestNothingPassesInAProfile(t *testing.T) {
	secret := bytes.Repeat([]byte("A stranger's picture. "), 3000) // 66 kB
	plain := tidyICC(displayP3())
	for name, p := range map[string][]byte{
		"a private tag":       displayP3(tagged("DATA", "data", secret...)),
		"a LUT as well":       displayP3(tagged("A2B0", "mft2", secret...)),
		"behind a number":     profileOf(4, "mntr", "RGB ", "XYZ ", slices.Insert(rgbTags()[1:], 0, rgbTags()[0], tagged("wtpt", "XYZ ", append(slices.Clone(iccD50), secret...)...))...),
		"in two same tags":    displayP3(tagged("meta", "dict", secret...), tagged("meta", "dict", secret...)),
		"in the model's name": displayP3(tagged("dmdd", "desc", secret...), tagged("dmnd", "mluc", secret...)),
	} {
		out := tidyICC(p)
		if !bytes.Equal(out, plain) {
			t.Errorf("%s: %d bytes, plain %d", name, len(out), len(plain))
		}
	}
	out := tidyICC(displayP3(tagged("cprt", "text", secret...)))
	if n := bytes.Count(out, []byte("\x00s\x00t\x00r\x00a\x00n\x00g\x00e\x00r")); n > 3 || len(out) > len(plain)+2*maxICCText {
		t.Errorf("the copyright: %d bytes, plain %d", len(out), len(plain))
	}
	head := displayP3()
	copy(head[40:], secret[:24])
	copy(head[48:], secret[:16])
	copy(head[80:], secret[:48])
	if out := tidyICC(head); !bytes.Equal(out, plain) {
		t.Errorf("in the header: %q", out[:128])
	}
	gap := append(displayP3(), secret...) // behind the last tag
	binary.BigEndian.PutUint32(gap, uint32(len(gap)))
	if out := tidyICC(gap); !bytes.Equal(out, plain) {
		t.Errorf("behind the tags: %d bytes", len(out))
	}
}

func TestProfilesThatAreNone(t *testing.T) {
	falls := tagged("rTRC", "curv", 0, 0, 0, 3, 0, 1, 0, 3, 0, 2)
	rgb := rgbTags()
	for name, p := range map[string][]byte{
		"none": nil, "a header": displayP3()[:128], "text": []byte(strings.Repeat("profile ", 100)), "version 5": profileOf(5, "mntr", "RGB ", "XYZ ", rgb...),
		"a link": profileOf(4, "link", "RGB ", "XYZ ", rgb...), "named colours": profileOf(4, "nmcl", "RGB ", "XYZ ", rgb...), "CMYK": profileOf(4, "prtr", "CMYK", "Lab ", rgb...),
		"Lab as PCS": profileOf(4, "mntr", "RGB ", "Lab ", rgb...), "no blue": profileOf(4, "mntr", "RGB ", "XYZ ", rgb[:6]...), "only a LUT": profileOf(4, "scnr", "RGB ", "XYZ ", tagged("A2B0", "mft2", make([]byte, 5000)...)),
		"a curve that falls": profileOf(4, "mntr", "RGB ", "XYZ ", slices.Concat(rgb[:4], []iccTagOf{falls}, rgb[5:])...),
		"a long curve":       profileOf(4, "mntr", "RGB ", "XYZ ", slices.Concat(rgb[:4], []iccTagOf{tagged("rTRC", "curv", append([]byte{0, 0, 0x10, 1}, make([]byte, 2*4097)...)...)}, rgb[5:])...),
		"a short curve":      profileOf(4, "mntr", "RGB ", "XYZ ", slices.Concat(rgb[:4], []iccTagOf{tagged("rTRC", "curv", 0, 0, 0, 9, 0, 1)}, rgb[5:])...),
		"formula 5":          profileOf(4, "mntr", "RGB ", "XYZ ", slices.Concat(rgb[:4], []iccTagOf{tagged("rTRC", "para", append([]byte{0, 5, 0, 0}, make([]byte, 40)...)...)}, rgb[5:])...),
	} {
		if out := tidyICC(p); out != nil {
			t.Errorf("%s: %q", name, out)
		}
	}
	many := displayP3()
	binary.BigEndian.PutUint32(many[128:], 0xffffffff)
	if tidyICC(many) != nil {
		t.Error("a table without an end is taken")
	}
}

// From the file to the rendition.
func TestICC(t *testing.T) {
	want := tidyICC(displayP3())
	large := displayP3(tagged("DATA", "data", make([]byte, 140_000)...)) // three segments
	b := withICC(withThumbnail(), large)
	if got := embeddedICC(bytes.NewReader(b)); !bytes.Equal(got, large) {
		t.Fatalf("read back %d bytes", len(got))
	}
	for name, p := range map[string][]byte{
		"plain": displayP3(), "large": large, "padded by 1": append(displayP3(), 0), "padded by 2": append(displayP3(), 0, 0), "padded by 3": append(displayP3(), 0, 0, 0), "padded by text": append(displayP3(), secretText...),
	} {
		out := render(t, withICC(withThumbnail(), p), rendition.Spec{Name: "x", Longest: 50, Quality: 80})[0].JPEG
		if got := embeddedICC(bytes.NewReader(out)); !bytes.Equal(got, want) || bytes.Count(out, []byte(iccTag)) != 1 || bytes.Contains(out, []byte(secretText)) {
			t.Errorf("%s: rendition has %d bytes of profile, want %d", name, len(got), len(want))
		}
		n := int(binary.BigEndian.Uint16(out[4:]))
		if !OurProfile(out[6:4+n], 3) || OurProfile(out[6:4+n], 1) || OurProfile(append(out[6:4+n:4+n], 0), 3) {
			t.Errorf("%s: our own profile is not known, or another one is", name)
		}
	}
	behind := append(append(slices.Clone(soi), bytes.Repeat(seg(0xed, make([]byte, 65533)...), 80)...), b[2:]...)
	if got := tidyICC(embeddedICC(bytes.NewReader(behind))); !bytes.Equal(got, want) {
		t.Errorf("behind 5 MB: %d bytes", len(got))
	}
	if bytes.Contains(render(t, withICC(samples(t)["grey"], displayP3()), sizes[0])[0].JPEG, []byte(iccTag)) {
		t.Error("a grey photo keeps the profile of colours")
	}
	at := bytes.Index(b, []byte(iccTag)) + len(iccTag)
	for name, edit := range map[string]func([]byte){
		"part missing":   func(b []byte) { b[at] = 4 },
		"part 0":         func(b []byte) { b[at] = 0 },
		"part twice":     func(b []byte) { b[at] = 2 },
		"count differs":  func(b []byte) { b[at+1] = 9 },
		"longer":         func(b []byte) { b[at+2]++ },
		"no profile":     func(b []byte) { b[at+2+36]++ },
		"other segments": func(b []byte) { b[at-4] = 'x' },
	} {
		c := slices.Clone(b)
		edit(c)
		if got := tidyICC(embeddedICC(bytes.NewReader(c))); got != nil {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
}

const secretText = "A stranger's picture."

// Another program understands what is written, where it is installed.
func TestExiftoolReadsProfile(t *testing.T) {
	if _, err := exec.LookPath("exiftool"); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("exiftool", "-validate", "-warning", "-a", "-s3", "-ICC_Profile:ProfileDescription", "-ICC_Profile:RedMatrixColumn", "-")
	cmd.Stdin = bytes.NewReader(render(t, withICC(withThumbnail(), displayP3()), rendition.Spec{Name: "x", Longest: 50, Quality: 80})[0].JPEG)
	out, err := cmd.CombinedOutput()
	if text := string(out); err != nil || !strings.Contains(text, "Display P3") || !strings.Contains(text, "0.5151") || strings.Contains(strings.ToLower(text), "icc_profile") {
		t.Errorf("%v: %s", err, text)
	}
}

func FuzzICC(f *testing.F) {
	f.Add(displayP3())
	f.Add(profileOf(2, "mntr", "GRAY", "Lab ", tagged("kTRC", "curv", 0, 0, 0, 2, 0, 1, 0, 2)))
	f.Add(embeddedICC(bytes.NewReader(samples(f)["icc"])))
	f.Fuzz(func(t *testing.T, p []byte) {
		if out := tidyICC(p); out != nil && (!bytes.Equal(tidyICC(out), out) || len(out) > iccPart || len(out)&3 != 0) {
			t.Errorf("%q", out)
		}
	})
}
