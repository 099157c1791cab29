// Package photo is JPEG in and JPEG out.
//
// It owns the judgement whether a file is a whole JPEG ([Scan]), what
// is read from its EXIF ([ReadMeta]), what is too much to decode ([Check]) and how
// renditions are made ([Render]). It is pure: it reads what it is handed, writes to
// memory, and knows nothing of accounts, paths or the store.
//
// Promises: hostile bytes are answered with an error, not with a panic or a hang;
// nothing is decoded that [Check] would refuse; the same bytes and sizes give the
// same renditions with one build of picday; and a rendition carries no EXIF, only
// the ICC profile of its original.
//
// An ordinary photo stays in its planes of brightness and colour from libjpeg-turbo
// to libjpeg-turbo: libjpeg.c decodes it, no larger than its renditions need, lanczos.c
// shrinks the planes, planar.go turns them. What is in other colours (CMYK, RGB) goes
// through image/jpeg and nfnt/resize, in render_rgb_cmyk.go.
//
// Memory, at most, in bytes per pixel: the file; decoded planes of up to 3 (1.5 in
// 4:2:0; a quarter and less where the renditions are small); 6 more if progressive (3
// in 4:2:0). For 1600 pixels from 200 megapixels of 20 MB a decoder had 50 MB, from
// 108 progressive in 4:4:4 of 69 MB 720. What would take more than
// decoderMemory in libjpeg, or in image/jpeg for other colours, is ErrTooComplex.
//
// What it cannot promise: the decoder is C, and a call of it cannot be interrupted.
// Run it where a crash or a limit costs one photo.
package photo
