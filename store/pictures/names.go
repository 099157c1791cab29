package pictures

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"

	"picday/internal/rendition"
)

// A SHA is the SHA-256 of an original's bytes and its only name.
type SHA [32]byte

// String is the usual hexadecimal form.
func (h SHA) String() string { return hex.EncodeToString(h[:]) }

// A Name is the path of a file below the directory that holds pictures. It is
// the same in the data directory and in a backup.
type Name string

// The directories of pictures, and that of files which have no name yet.
// Pictures are spread over 256 directories by the first byte of their hash, so
// that none grows beyond what tools can list.
const (
	originalsDir  = "originals"
	renditionsDir = "renditions"
	tempDir       = "tmp"
)

// Dirs are the top directories that MakeDirs makes.
var Dirs = []string{originalsDir, renditionsDir, tempDir}

// Original names the original with that hash.
func Original(h SHA) Name {
	x := h.String()
	return Name(filepath.Join(originalsDir, x[:2], x+".jpg"))
}

// Rendition names a rendition of an original. The settings are part of the name,
// so that a new quality in the configuration never finds the old file.
func Rendition(h SHA, r rendition.Spec) Name {
	x := h.String()
	return Name(filepath.Join(renditionsDir, x[:2], fmt.Sprintf("%s-%s-%dq%d.jpg", x, r.Name, r.Longest, r.Quality)))
}

var nameRE = regexp.MustCompile(`^[0-9a-f]{64}(-[^/]+-[0-9]+q[0-9]+)?\.jpg$`)

// Ours tells whether the last element is one that Original or Rendition makes. A
// file with another name was put there by somebody else.
func (n Name) Ours() bool { return nameRE.MatchString(filepath.Base(string(n))) }
