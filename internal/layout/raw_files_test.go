package layout

import "testing"

func TestCompanions(t *testing.T) {
	for name, want := range map[string]string{
		"IMG_1.CR2": "IMG_1", "IMG_1.cr3": "IMG_1", "a.b.NeF": "a.b", "IMG_1.xmp": "IMG_1", "IMG_1.CR2.xmp": "IMG_1", "x.THM": "x", "\xff.dng": "\xff", "x.3fr": "x",
		"x.png": "", "x.jpg": "", "cr2": "", ".cr2": "", "x.cr2 ": "", "x.cr": "", "": "", "x.cr2.png": "", "x.jpg.xmp": "x",
	} {
		m := jobsRules.Of("job1/A/group/" + name)
		if name != "" && (m.Companion != want || want != "" && (m.What != Problem || m.Reason != NotJPEG)) {
			t.Errorf("%q: %+v, want %q", name, m, want)
		}
		if m := portraitsRules.Of("lincoln/user-pictures/" + name); m.Companion != "" {
			t.Errorf("among portraits %q has a companion: %+v", name, m)
		}
	}
	// Where no JPEG can be taken, none can be beside it.
	for _, path := range []string{"x.cr2", "job1/x.cr2", "job1/A/other/x.cr2"} {
		if m := jobsRules.Of(path); m.Companion != "" || m.Reason == NotJPEG {
			t.Errorf("%s: %+v", path, m)
		}
	}
	for name, want := range map[string]bool{"x.CR2": true, "x.xmp": false, "x.cr2.xmp": false, "x.jpg": false, ".dng": false} {
		if IsRAW(name) != want {
			t.Errorf("IsRAW(%q) = %v", name, !want)
		}
	}
}
