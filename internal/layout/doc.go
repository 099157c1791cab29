// Package layout says what an upload path means.
//
// It owns the grammar of the two folder layouts, the list of names that are
// noise, and the form in which a name from the disk may be shown. It is pure: it
// never touches a file, and two calls with the same arguments give the same
// answer. A name is enough to tell where a photo belongs; whether the file is a
// photo at all is decided by its content, elsewhere.
//
// Promises: no path, however strange, makes it panic; a [Picture] always has the
// name of a JPEG and every field its layout needs; and what is returned in shown
// form is valid UTF-8 without control characters.
package layout
