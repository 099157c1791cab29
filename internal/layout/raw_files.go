package layout

import "strings"

// rawEndings are the endings of cameras' RAW files, in lower case; sideEndings those of
// files that cameras and photo programs write beside a picture: previews and settings.
var (
	rawEndings = [...]string{
		".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw",
		".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
	}
	sideEndings = [...]string{".xmp", ".thm"}
)

// IsRAW tells a camera's RAW file by its name.
func IsRAW(name string) bool { return trimAny(name, rawEndings[:]) != name }

// companionOf is the name, without its ending, of the JPEG that a RAW or side file belongs
// to: IMG_1 for IMG_1.CR2, IMG_1.xmp, IMG_1.CR2.xmp and IMG_1.jpg.xmp. It is "" for every
// other file. Case matters in the name, which cameras write alike in both, and not in the
// ending.
func companionOf(name string) string {
	stem := trimAny(trimAny(name, sideEndings[:]), rawEndings[:])
	if stem == name {
		return ""
	}
	stem, _ = TrimJPEG(stem)
	return stem
}

// trimAny takes off one of the endings, if there is something before it.
func trimAny(name string, endings []string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 {
		return name
	}
	for _, ending := range endings {
		if equalFold(name[dot:], ending) {
			return name[:dot]
		}
	}
	return name
}
