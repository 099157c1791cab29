package layout

import (
	"regexp"
	"strings"

	"picday/internal/areas"
)

// Kind is the folder layout of an account.
type Kind string

// The two layouts.
const (
	Jobs      Kind = "jobs"      // job/album[/individuals|/group]/x.jpg
	Portraits Kind = "portraits" // <account>/user-pictures/<ID>.jpg
)

// The two areas of an album, in the spelling that the rest of picday uses,
// whatever the case of the folder on disk.
const (
	Individuals = areas.Individuals
	Group       = areas.Group
)

// UserPictures is the one folder of a portraits account that takes uploads. It
// belongs to picday, so its case is fixed.
const UserPictures = "user-pictures"

// Receipts is the folder in which picday tells uploaders what became of their files: at the
// root of the view of a jobs account, beside UserPictures of a school. No job has its name.
const Receipts = "_picday"

// FromRoot is a path from the root of an account's SFTP view, if it was given from
// where a login starts. That of a portraits account starts in the directory with its
// own name, which people seldom write.
func FromRoot(kind Kind, account, path string) string {
	if kind == Portraits && account != UserPictures && strings.HasPrefix(path, UserPictures+"/") {
		return account + "/" + path
	}
	return path
}

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
	Reason Reason // Problem: NoAlbum, UnknownFolder, BadName or NotJPEG
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
	Areas   areas.Meanings // jobs: of folders beside individuals and group
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
		return r.jobs(els)
	case Portraits:
		return r.portraits(els)
	}
	return Meaning{}
}

// jobs tells what a path of the jobs layout means. els has 1 to 5 elements, 5 meaning "5 or more".
func (r Rules) jobs(els []string) Meaning {
	last := len(els) - 1
	m := Meaning{What: Problem, File: Shown(els[last])}
	if els[0] == Receipts {
		return Meaning{}
	}
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
	case last == 3 && r.Areas.Area(els[2]) != "":
		m.Area = r.Areas.Area(els[2])
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

// portraits: inside user-pictures the ID alone decides. A file outside that folder is
// UnknownFolder and not BadName, because files with a bad name are deleted after a while,
// and only those inside the folder may be.
func (r Rules) portraits(els []string) Meaning {
	last := len(els) - 1
	m := Meaning{What: Problem, File: Shown(els[last])}
	if last > 0 && els[0] == r.Account && els[1] == Receipts {
		return Meaning{}
	}
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
