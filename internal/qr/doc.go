// Package qr reads QR codes in photos, by gozxing.
//
// Most photos show no code, and gozxing looks at every pixel several times before it
// says so. So finder patterns, the three squares in the corners of a code, are looked for
// first, by code that is made for it; gozxing is asked only where three of them can belong
// together. They are known then also where gozxing reads nothing: a code that is seen and
// not read is a result of its own.
//
// It promises that what it returns is bounded: at most MaxCodes codes, each with at most
// MaxText bytes of UTF-8. It reads nothing but the picture it is given.
package qr

// Luma is the brightness of a picture, row by row.
type Luma struct {
	Pix           []byte
	Stride        int
	Width, Height int
}

const (
	// MaxCodes is the number of codes that are read in one picture.
	MaxCodes = 20
	// MaxText is the length of a text in bytes. A code with a longer one counts as not read.
	MaxText = 256
)

// A Point is a place in the picture, in parts of its width and height: 0 is the left or
// upper edge, 1 the right or lower one.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// A Code is one that was read. Corners are the centres of its corner modules, from the
// upper left one as the code is printed, clockwise.
type Code struct {
	Text    string   `json:"text"`
	Corners [4]Point `json:"corners"`
}

// Found is what a picture shows.
type Found struct {
	Codes []Code `json:"codes"`
	// Unread tells that there are finder patterns of a code whose text could not be read, in
	// addition to Codes.
	Unread bool `json:"unread"`
}
