package web

import (
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longestInZip is how many bytes a name in a ZIP has at most. Windows takes 255 characters
// of a name and often 260 of a whole path.
const longestInZip = 100

// zipNames gives the files of a ZIP names that every operating system can unpack, and
// none overwrites another one.
type zipNames struct {
	folders map[string]string          // by what they are called in the catalogue
	used    map[string]map[string]bool // by folder, in small letters
}

func newZipNames() *zipNames {
	return &zipNames{map[string]string{}, map[string]map[string]bool{}}
}

// in is the name of a file in folders: each of them, and the file, is one name of the
// catalogue.
func (z *zipNames) in(file string, folders ...string) string {
	at, key := "", ""
	for _, folder := range folders {
		key += "/" + folder
		name, ok := z.folders[key]
		if !ok {
			name = z.unused(at, folder)
			z.folders[key] = name
		}
		at = path.Join(at, name)
	}
	return path.Join(at, z.unused(at, file))
}

// unused makes a name harmless, and different from all others in the folder also where
// capitals do not count.
func (z *zipNames) unused(folder, name string) string {
	used := z.used[folder]
	if used == nil {
		used = map[string]bool{}
		z.used[folder] = used
	}
	name = harmless(name)
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	for n := 2; used[folded(name)]; n++ {
		name = stem + " (" + strconv.Itoa(n) + ")" + ext
	}
	used[folded(name)] = true
	return name
}

func folded(name string) string { return strings.ToLower(norm.NFKC.String(name)) }

// harmless makes one name of a path of a name in the catalogue.
func harmless(name string) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, "_"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	if ext := path.Ext(name); len(name) > longestInZip && len(ext) < 10 {
		name = shortened(strings.TrimSuffix(name, ext), longestInZip-len(ext)) + ext
	} else {
		name = shortened(name, longestInZip)
	}
	name = strings.TrimRight(strings.TrimLeft(name, " "), ". ")
	device, _, _ := strings.Cut(name, ".")
	if name == "" || deviceNames[strings.ToUpper(strings.TrimRight(device, " "))] {
		return "_" + name
	}
	return name
}

func shortened(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// deviceNames are no names of files in Windows, whatever comes behind their dot.
var deviceNames = func() map[string]bool {
	all := map[string]bool{"CON": true, "PRN": true, "AUX": true, "NUL": true, "CONIN$": true, "CONOUT$": true, "CLOCK$": true}
	for _, n := range "0123456789¹²³" {
		all["COM"+string(n)], all["LPT"+string(n)] = true, true
	}
	return all
}()
