package layout

import (
	"regexp"
	"strings"
)

// Kind is the folder layout of an account.
type Kind string

// The two layouts (design, introduction).
const (
	Jobs      Kind = "jobs"      // job/album[/individuals|/group]/x.jpg
	Portraits Kind = "portraits" // <account>/user-pictures/<ID>.jpg
)

// Valid reports whether k is one of the two layouts.
func (k Kind) Valid() bool { return k == Jobs || k == Portraits }

// The two areas of an album, in the spelling that the rest of picday uses,
// whatever the case of the folder on disk.
const (
	Individuals = "individuals"
	Group       = "group"
)

// UserPictures is the one folder of a portraits account that takes uploads. It
// belongs to picday, so its case is fixed.
const UserPictures = "user-pictures"

// The reasons a path alone can give (contract, JSON, problems). The other reasons
// need the content or the neighbours of the file.
const (
	NoAlbum       = "no-album"
	UnknownFolder = "unknown-folder"
	BadName       = "bad-name"
	NotJPEG       = "not-jpeg"
)

// What is the verdict on a path.
type What int

// The verdicts. Noise is the zero value: what is not understood is left alone.
const (
	Noise   What = iota // neither photo nor problem; not looked at, not listed
	Picture             // the right place and the right name for a photo
	Problem             // cannot become a photo where it is; see Reason
)

// Meaning is what a path says. All names are in shown form (see [Shown]); the
// bytes on disk stay with the caller, who needs them to open the file.
type Meaning struct {
	What   What
	Job    string // jobs: the job; empty for a file beside the jobs
	Album  string // jobs: the album, if the path has one
	Area   string // jobs: Individuals or Group, if the place is a valid one
	Person string // portraits: the ID, leading zeros kept; only for a Picture
	File   string // the last element; empty for Noise
	Reason string // Problem: NoAlbum, UnknownFolder, BadName or NotJPEG
	// Companion is set for a camera's RAW or side file in an album: what the JPEG
	// beside it is called without its ending, raw bytes. With that one there it is
	// no problem.
	Companion string
}

// Rules is what the meaning of an account's paths depends on.
type Rules struct {
	Kind    Kind
	Account string         // portraits: the directory the login lands in has this name
	ID      *regexp.Regexp // portraits: from CompileID, matched whole; nil is DefaultIDPattern
}

// MaxDepth is how many elements a path may have. The layouts know four; what is
// deeper is nobody's photo, and to open or record it would cost the others.
// The folder that has so many elements is a problem itself, once, instead of
// all that is in it.
const MaxDepth = 8

// Deepest tells whether a path has so many elements that nothing below counts.
func Deepest(path string) bool { return strings.Count(path, "/")+1 >= MaxDepth }

// Of says what path means. path is what the uploader sees from the root of the
// SFTP view: raw bytes, elements separated by '/', no leading slash.
//
// A path that no directory listing can yield (empty, absolute, an empty element,
// "." or "..", a NUL byte) is Noise, and so is everything of an unknown layout
// and what is deeper than MaxDepth.
func (r Rules) Of(path string) Meaning {
	// Only the first few elements carry meaning; one more tells "deeper" apart.
	var el [5]string
	n := 0
	for rest, more := path, true; more; n++ {
		if n == MaxDepth {
			return Meaning{}
		}
		var e string
		e, rest, more = strings.Cut(rest, "/")
		if e == "" || strings.IndexByte(e, 0) >= 0 || IsNoise(e) {
			return Meaning{}
		}
		if n < len(el) {
			el[n] = e
		}
		if !more {
			el[min(n, len(el)-1)] = e // the file name is always the last one kept
		}
	}
	els := el[:min(n, len(el))]
	switch r.Kind {
	case Jobs:
		return jobs(els)
	case Portraits:
		return r.portraits(els)
	}
	return Meaning{}
}

// jobs tells what a path of the jobs layout means. els has 1 to 5 elements, 5 meaning "5 or more".
func jobs(els []string) Meaning {
	last := len(els) - 1
	m := Meaning{What: Problem, File: Shown(els[last])}
	if last == 0 {
		// The root of the view is root's, so this takes an admin's hand. What helps
		// is the same as for a file in a job: move it into an album.
		m.Reason = NoAlbum
		return m
	}
	m.Job = Shown(els[0])
	if last == 1 {
		m.Reason = NoAlbum
		return m
	}
	m.Album = Shown(els[1])
	switch {
	case last == 2:
		m.Area = Individuals
	case last == 3 && equalFold(els[2], Individuals):
		m.Area = Individuals
	case last == 3 && equalFold(els[2], Group):
		m.Area = Group
	default:
		m.Reason = UnknownFolder
		return m
	}
	if _, ok := TrimJPEG(els[last]); !ok {
		m.Reason, m.Companion = NotJPEG, companionOf(els[last])
		return m
	}
	m.What = Picture
	return m
}

// portraits: the ID alone decides inside user-pictures. A file beside that folder
// is UnknownFolder and not BadName, because BadName files are deleted after a
// while and only "anything else in there" may be (design §2).
func (r Rules) portraits(els []string) Meaning {
	last := len(els) - 1
	m := Meaning{What: Problem, File: Shown(els[last])}
	if last < 2 || els[0] != r.Account || els[1] != UserPictures {
		m.Reason = UnknownFolder
		return m
	}
	if last == 2 {
		if name, ok := TrimJPEG(els[2]); ok {
			if id, ok := r.person(name); ok {
				m.What, m.Person = Picture, id
				return m
			}
		}
	}
	m.Reason = BadName
	return m
}
