package catalogues

import (
	"bytes"
	"image"
	"image/jpeg"

	"github.com/nfnt/resize"

	testphoto "picday/internal/test/photo"
)

// Pictures makes n different ones: two portraits for each landscape.
func Pictures(n int) []Picture {
	all := make([]Picture, n)
	for i := range all {
		p := Picture{Width: 4000, Height: 6000, LargeW: 800, LargeH: 1200, ThumbW: 267, ThumbH: 400}
		if i%3 == 2 {
			p = Picture{Width: 6000, Height: 4000, LargeW: 1200, LargeH: 800, ThumbW: 400, ThumbH: 267}
		}
		p.Large = testphoto.Make(testphoto.Spec{Width: p.LargeW, Height: p.LargeH, Seed: uint64(i + 1), Quality: 80, Noise: 30})
		img, _, err := image.Decode(bytes.NewReader(p.Large))
		if err != nil {
			panic(err) // our own bytes
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, resize.Resize(uint(p.ThumbW), uint(p.ThumbH), img, resize.Bilinear), nil); err != nil {
			panic(err)
		}
		p.Thumb = b.Bytes()
		all[i] = p
	}
	return all
}

// Hostile are names that must appear as text.
var Hostile = []string{`script>.jpg`, `"><img src=x onerror=alert(1)>.jpg`, `'; alert(1) ;'.jpg`, `{{.Operator}} ${1}.jpg`, `Überraschung & Söhne 100%.jpg`}
