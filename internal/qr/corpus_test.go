package qr

import (
	"fmt"
	"image"
	"image/draw"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// luma makes the brightness of an image, as JPEG has it.
func luma(img image.Image) Luma {
	b := img.Bounds()
	if y, ok := img.(*image.YCbCr); ok {
		return Luma{y.Y[y.YOffset(b.Min.X, b.Min.Y):], y.YStride, b.Dx(), b.Dy()}
	}
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(g, g.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(g, g.Rect, img, b.Min, draw.Over)
	return Luma{g.Pix, g.Stride, b.Dx(), b.Dy()}
}

// BenchmarkCorpus reads the pictures below QR_CORPUS, which are not part of picday.
func BenchmarkCorpus(b *testing.B) {
	root := os.Getenv("QR_CORPUS")
	if root == "" {
		b.Skip("QR_CORPUS names no directory with qrcode-1 … and falsepositives-2")
	}
	all, err := filepath.Glob(filepath.Join(root, "*", "*.png"))
	if err != nil || len(all) == 0 {
		b.Fatal(err, "no pictures")
	}
	var n counts
	for b.Loop() {
		n = measure(b, all)
	}
	b.ReportMetric(float64(n.right), fmt.Sprintf("read-of-%d", n.codes))
	b.ReportMetric(float64(n.unread), "seen-only")
	b.ReportMetric(float64(n.wrong), "wrong")
	b.ReportMetric(float64(n.untrue), fmt.Sprintf("false-of-%d", n.clean))
}

// counts is what a corpus came to.
type counts struct{ codes, right, wrong, unread, clean, untrue int }

func measure(b *testing.B, all []string) (n counts) {
	b.Helper()
	for _, name := range all {
		file, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		img, _, err := image.Decode(file)
		file.Close()
		if err != nil {
			b.Fatal(name, err)
		}
		// Not Read, which bounds the texts.
		r := look(luma(img))
		got := r.found()
		switch kind := filepath.Base(filepath.Dir(name)); {
		case strings.HasPrefix(kind, "false"):
			n.clean++
			if got.Unread || len(got.Codes) > 0 {
				n.untrue++
				b.Log(name, got)
			}
		case strings.HasPrefix(kind, "qrcode"):
			n.codes++
			text, _ := os.ReadFile(strings.TrimSuffix(name, ".png") + ".txt")
			found := false
			for _, c := range r.read {
				if strings.TrimRight(c.text, "\r\n") == strings.TrimRight(string(text), "\r\n") {
					found = true
				} else {
					n.wrong++
					b.Logf("%s: %q, not %q", name, c.text, text)
				}
			}
			switch {
			case found:
				n.right++
			case got.Unread:
				n.unread++
				b.Log(name, "seen only")
			default:
				b.Log(name, "not seen")
			}
		default:
			b.Log(name, len(got.Codes), got.Unread)
		}
	}
	return n
}
