// Package filestate answers what state a file is in, from what is at its path on
// the upload volume ([Look]) and what the catalogue has for that path ([Record]).
// explain, verify and job activation all ask [Of].
package filestate

import (
	"picday/internal/layout"
	"picday/internal/upload"
)

// A State is what picday makes of one path. The values are what explain --json
// prints, but for Taken, which is never printed.
type State string

// The states.
const (
	Unknown   State = ""          // there is no file, and the catalogue has nothing
	Folder    State = "folder"    //
	Ignored   State = "ignored"   // never taken: a temporary or system name, or a RAW file beside its JPEG
	Open      State = "open"      // somebody is writing it
	Waiting   State = "waiting"   // new or changed, and picdayd has not dealt with it as it is now
	Taken     State = "taken"     // picdayd has dealt with it as it is now; the Record does not say what it became
	Published State = "published" // it is a photo
	Problem   State = "problem"   // it cannot become a photo
	Missing   State = "missing"   // the catalogue has a file or a published photo here, and the file is gone
	Withdrawn State = "withdrawn" // in the trash, or withdrawn by an operator with the file still there
	Moved     State = "moved"     // the file was renamed, and its photo is at the new path: Of calls this Unknown
)

// A Record is what the catalogue has for a path. Known and Identity are enough to
// tell whether picdayd has dealt with a file; the rest says what it became.
type Record struct {
	Known    bool            // there is an upload row: picdayd has dealt with a file here
	Identity upload.Identity // of that file

	Reason              layout.Reason // why that file cannot become a photo, "" if it can
	Companion           bool          // that file is a RAW or side file beside its JPEG
	WithdrawnByOperator bool          // an operator has withdrawn the photo of that file

	Published   bool // a photo is published at this path
	WithoutFile bool // that photo has no file: it is an earlier picture that was put back
	InTrash     bool // a withdrawn photo had this path
}

// Of tells the state of the file at path, the raw path from the root of the
// account's SFTP view.
//
// A file that cannot be looked at is in the state that the catalogue has for it.
// A file whose writers cannot be asked for counts as not open: the callers that
// must not take that for a no look at File.Writing.
func Of(path string, f File, r Record) State {
	current := r.Known && (f.Err != nil || f.Exists && f.Identity == r.Identity)
	switch {
	case f.Dir:
		return Folder
	case f.Exists && NoiseOf(path) != NoNoise:
		return Ignored
	case f.Exists && !current && f.Writing == Yes:
		return Open
	case f.Exists && !current:
		return Waiting
	case current && r.Reason != "":
		return Problem
	case current && r.Companion:
		return Ignored
	case current && r.WithdrawnByOperator:
		return Withdrawn
	case current && r.Published:
		return Published
	case r.Published && (f.Err != nil || r.WithoutFile):
		return Published
	case r.Published:
		return Missing
	case r.InTrash && f.Err == nil:
		return Withdrawn
	case current:
		return Taken
	case r.Known:
		return Missing
	}
	return Unknown
}
