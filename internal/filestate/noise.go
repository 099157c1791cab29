package filestate

import (
	"strings"

	"picday/internal/layout"
)

// A Noise is why nothing at a path is ever looked at.
type Noise int

// The kinds of noise.
const (
	NoNoise      Noise = iota
	TooDeep            // more than layout.MaxDepth elements
	SystemFolder       // below a folder of an operating system or a storage box
	Temporary          // a name that upload programs use until a file is complete
	SystemFile         // a hidden file, or one that an operating system leaves behind
)

// NoiseOf tells why nothing at path is ever looked at, NoNoise if it is.
func NoiseOf(path string) Noise {
	n, _ := NoiseAt(path)
	return n
}

// NoiseAt is NoiseOf that also returns the element of the path that is to blame,
// "" for TooDeep.
func NoiseAt(path string) (n Noise, element string) {
	if strings.Count(path, "/")+1 > layout.MaxDepth {
		return TooDeep, ""
	}
	for rest, more := path, true; more; {
		element, rest, more = strings.Cut(rest, "/")
		if !layout.IsNoise(element) {
			continue
		}
		switch lower := strings.ToLower(element); {
		case more:
			return SystemFolder, element
		case strings.HasPrefix(lower, ".in."), strings.HasSuffix(lower, ".tmp"), strings.Contains(lower, "part"):
			return Temporary, element
		}
		return SystemFile, element
	}
	return NoNoise, ""
}
