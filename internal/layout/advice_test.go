package layout

import (
	"slices"
	"strings"
	"testing"
)

// Each reason and kind of file has advice that helps: nobody is told to rename a PNG, or
// to move a PDF into an album.
func TestAdviceFitsTheFile(t *testing.T) {
	for _, c := range []struct {
		reason   Reason
		path     string
		has, not string // parts, separated by |
	}{
		{NotJPEG, "job/A/1.png", "Export it as JPEG|another name does not", "RAW"},
		{NotJPEG, "job/A/1.HEIC", "Export it as JPEG", ""},
		{NotJPEG, "job/A/1.CR2", "camera RAW|upload its JPEG too", "Export"},
		{NotJPEG, "job/A/1.xmp", "settings|of the same name", ""},
		{NotJPEG, "job/A/list.pdf", "PDF", "another name"},
		{NotJPEG, "job/A/film.MOV", "video|Delete", "Export it"},
		{NotJPEG, "job/A/all.zip", "Unpack", "Export"},
		{NotJPEG, "job/A/names.xlsx", "document", "JPEG"},
		{NotJPEG, "job/A/1.jpg", "The name says JPEG", "Rename"},
		{NotJPEG, "job/A/README", "not a JPEG photo", "Rename"},
		{NoAlbum, "job/1.jpg", "Move it into a folder inside the job", ""},
		{NoAlbum, "job/1.png", "Export|into a folder inside the job", "Move it"},
		{NoAlbum, "job/list.pdf", "PDF|into a folder", "Move it"},
		{NoAlbum, "job/names.csv", "document", "Move it|folder"},
		{UnknownFolder, "job/A/x/1.jpg", "neither 'individuals' nor 'group'", ""},
		{UnknownFolder, "job/A/x/1.tif", "Export|straight into the album", "Move the file"},
		{UnknownFolder, "job/A/x/film.mp4", "video", "individuals"},
		{UnknownFolder, "job/a/b/c/d/e/f/g", "too deep", "individuals"},
		{BadName, "a/user-pictures/Ann.jpg", "Rename it", ""},
		{BadName, "a/user-pictures/12", "Rename it", ""},
		{BadName, "a/user-pictures/12.png", "Export|the person's ID|deleted", "Rename"},
		{BadName, "a/user-pictures/12.nef", "RAW|deleted", "Rename"},
		{BadName, "a/user-pictures/list.pdf", "PDF|deleted", "Rename"},
		{BadName, "a/user-pictures/new/12.jpg", "straight into user-pictures", "Rename"},
		{Incomplete, "job/A/1.jpg", "resume it", ""},
	} {
		text := strings.Join(Advice(c.reason, c.path), " ")
		for _, part := range strings.Split(c.has, "|") {
			if !strings.Contains(text, part) {
				t.Errorf("%s, %s: %q lacks %q", c.reason, c.path, text, part)
			}
		}
		for _, part := range strings.Split(c.not, "|") {
			if part != "" && strings.Contains(text, part) {
				t.Errorf("%s, %s: %q has %q", c.reason, c.path, text, part)
			}
		}
	}
	for _, r := range append(slices.Clone(Reasons), OtherShot) {
		if text := Advice(r, "job/A/1.jpg"); len(text) == 0 || text[0] == "" {
			t.Errorf("%s: no advice", r)
		}
	}
}
