// Package decoder runs package photo where a hostile JPEG can do no harm: in child
// processes of picdayd that have no capabilities, no files, no network and bounded memory.
// They get one kind of request: make these renditions of the picture in this descriptor,
// and, if asked to, tell which QR codes it shows.
//
// It owns the children (a [Pool]), what confines them (confine.c), and the protocol
// between the two. A child is the daemon's own program, executed anew with hidden
// arguments, so there is nothing more to install and both sides are of one build.
//
// Promises:
//   - a child is confined before it reads a byte of a picture, and before the Go
//     runtime in it starts;
//   - the parent believes nothing that a child says: dimensions, names and metadata
//     must be those that can follow from what its own [photo.Scan] found, and every
//     rendition must be a whole JPEG of the right size without metadata;
//   - a crash, a limit or a hang costs one child and one picture, whose error is
//     [photo.ErrDamaged] or [photo.ErrTooComplex]; any other error is the machine's;
//   - a child serves one account, and ends before another's picture would be its next,
//     after 100 pictures, or when it had nothing to do for 30 s;
//   - nothing of a picture is left in a child's memory when the next one comes: no
//     sample, no byte of the file or of a rendition;
//   - all pictures decoded at once are estimated to fit in one budget of memory, of
//     which no account has all.
//
// What remains possible: a child taken over by its picture can return another
// picture of the same size (and does so for the same account's pictures after it,
// until it is replaced), can keep a core busy for the time that one picture may take, and can
// have its picture tried again and again by blaming the disk.
package decoder
