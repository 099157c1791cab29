package layout

import "testing"

func TestIsNoise(t *testing.T) {
	for _, name := range []string{
		".", "..", ".x", "._IMG_1.jpg", ".DS_Store", ".ds_store", "Thumbs.db", "THUMBS.DB", "thumbs.db", "desktop.ini",
		"Desktop.ini", "@eaDir", "@EADIR", "__MACOSX", "__macosx", "x.jpg.filepart", "X.JPG.FILEPART", "x.jpg.partial",
		"x.jpg.1a2b3c4d.partial", "x.part", "x.PART", "x.tmp", ".in.x.jpg", ".In.x.jpg",
	} {
		if !IsNoise(name) {
			t.Errorf("%q is not noise", name)
		}
	}
	for _, name := range []string{
		"", "x.jpg", "Thumbs.db.jpg", "mythumbs.db", "part", "tmp", "x.parts", "in.x.jpg", "eaDir", "MACOSX", "Class 1", "_x.jpg",
		"des\u212atop.ini", "\xff\xfe", "filepart",
	} {
		if IsNoise(name) {
			t.Errorf("%q is noise", name)
		}
	}
}

func TestShown(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"a/b c.jpg":              "a/b c.jpg",
		"Mu\u0308ller":           "M\u00fcller",
		"M\u00fcller":            "M\u00fcller",
		"a\nb\tc\x7f":            `a\x0ab\x09c\x7f`,
		"a\u0085b":               `a\xc2\x85b`,
		"M\xfcller/x":            `M\xfcller/x`,
		"\xed\xa0\x80":           `\xed\xa0\x80`,
		"gpj.\u202egpj.exe":      `gpj.\xe2\x80\xaegpj.exe`,
		"a\u2028b":               `a\xe2\x80\xa8b`,
		"\ufffd":                 "\ufffd",
		`a\x0ab`:                 `a\x5cx0ab`,
		`a\xyz\b`:                `a\xyz\b`,
		"\n\u0301":               "\\x0\u00e1",
		"\U0001f469\u200d\u2764": "\U0001f469\u200d\u2764",
	} {
		if got := Shown(in); got != want {
			t.Errorf("Shown(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTrimJPEG(t *testing.T) {
	for in, want := range map[string]string{"a.jpg": "a", "a.JPEG": "a", "a.b.Jpg": "a.b", "a.jfif": "a", "a.JFIF": "a", "\xff.jpg": "\xff"} {
		if got, ok := TrimJPEG(in); !ok || got != want {
			t.Errorf("TrimJPEG(%q) = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", ".jpg", ".jpeg", ".jfif", "jfif", "a.jfi", "jpg", "a.jpe", "a.jpg ", "ajpg"} {
		if got, ok := TrimJPEG(in); ok || got != in {
			t.Errorf("TrimJPEG(%q) = %q, %v", in, got, ok)
		}
	}
}
