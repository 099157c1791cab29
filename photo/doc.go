// Package photo is JPEG in and JPEG out.
//
// It owns the judgement whether a file is a whole JPEG ([Scan], design §3.4), what
// is read from its EXIF ([ReadMeta]), what is too much to decode ([Check]) and how
// renditions are made ([Render]). It is pure: it reads what it is handed, writes to
// memory, and knows nothing of accounts, paths or the store.
//
// Promises: hostile bytes are answered with an error, not with a panic or a hang;
// nothing is decoded that [Check] would refuse; the same bytes and sizes give the
// same renditions with one build of picday; and a rendition carries no EXIF, only
// the ICC profile of its original (contract, Published pictures).
//
// What it cannot promise: the resampler works in goroutines of its own, where a
// panic could not be caught. Run it where a crash costs one photo (design §6, the
// image decoder).
package photo
