package photo

import (
	"bytes"
	"crypto/sha256"
	"image/jpeg"
	"sync"
	"syscall"
	"testing"
	"time"

	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// The sizes most installations have.
var usual = []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}, {Name: "thumb", Longest: 400, Quality: 80}}

// cameraPhoto is 6000 x 4000 pixels in 7 MB, in 4:2:0 or, recoded, in 4:2:2.
var camera420 = sync.OnceValue(func() []byte {
	return testphoto.Make(testphoto.Spec{Width: 6000, Height: 4000, Orientation: 1, TakenAt: time.Unix(1e9, 0), Thumbnail: true})
})

var camera422 = sync.OnceValue(func() []byte { return recode(camera420(), style{2, 1, standardTables}, 92) })

var cameraProgressive = sync.OnceValue(func() []byte { return recode(camera420(), style{2, 2, progressive}, 92) })

// recode writes the photo in b at full size in another style.
func recode(b []byte, c style, quality int) []byte {
	f := factsOf(b)
	d, err := decodePlanes(b, false, f.Width, f.Height, needAll, Limits{}.decoderMemory())
	if err != nil {
		panic(err)
	}
	defer d.free()
	out, err := encodePlanes(source{d.planes, f.Width, f.Height, 1}.fit(f.Width, f.Height, c), c, quality)
	if err != nil {
		panic(err)
	}
	return out
}

// perPhoto runs f and reports the CPU time of the process for each run, collector
// and all; wall time is not ours alone.
func perPhoto(b *testing.B, f func()) {
	b.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	f() // tables, page faults
	start, n := used(), 0
	for b.Loop() {
		f()
		n++
	}
	b.ReportMetric(float64(used()-start)/1e6/float64(n), "cpu-ms/photo")
}

func BenchmarkRender24MP(b *testing.B) {
	for _, c := range []struct {
		name        string
		pic         func() []byte
		orientation int
	}{{"420", camera420, 1}, {"420-turned", camera420, 6}, {"422", camera422, 1}, {"progressive", cameraProgressive, 1}} {
		b.Run(c.name, func(b *testing.B) {
			pic := c.pic()
			f := factsOf(pic)
			perPhoto(b, func() {
				if _, err := Render(bytes.NewReader(pic), Meta{Orientation: c.orientation}, f, Limits{}, usual); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// What no pipeline can do without, and the whole to compare it with: decoding at 1/8,
// encoding, hashing (reading is left to the benchmark of the daemon).
func BenchmarkFloor24MP(b *testing.B) {
	parts := func(pic []byte) map[string]func() {
		f := factsOf(pic)
		out, _ := Render(bytes.NewReader(pic), Meta{}, f, Limits{}, usual)
		var small []planes
		for _, r := range out.Renditions {
			g := factsOf(r.JPEG)
			d, err := decodePlanes(r.JPEG, false, g.Width, g.Height, needAll, 1<<30)
			if err != nil {
				b.Fatal(err)
			}
			small = append(small, source{d.planes, g.Width, g.Height, 1}.fit(g.Width, g.Height, renditionStyle))
		}
		return map[string]func(){
			"decode": func() {
				d, err := decodePlanes(pic, false, f.Width, f.Height, need{}, 1<<30)
				if err != nil {
					b.Fatal(err)
				}
				d.free()
			},
			"encode": func() {
				for i, p := range small {
					if _, err := encodePlanes(p, style{2, 2, standardTables}, usual[i].Quality); err != nil {
						b.Fatal(err)
					}
				}
			},
			"sha256": func() { sha256.Sum256(pic) },
		}
	}
	for _, c := range []struct {
		name string
		pic  func() []byte
	}{{"420", camera420}, {"422", camera422}, {"progressive", cameraProgressive}} {
		for _, part := range []string{"decode", "encode", "sha256"} {
			b.Run(c.name+"/"+part, func(b *testing.B) { perPhoto(b, parts(c.pic())[part]) })
		}
	}
}

// BenchmarkGo24MP is the pipeline this package had, the usual one in Go.
func BenchmarkGo24MP(b *testing.B) {
	for _, c := range []struct {
		name string
		pic  func() []byte
	}{{"420", camera420}, {"422", camera422}} {
		b.Run(c.name, func(b *testing.B) {
			pic := c.pic()
			perPhoto(b, func() {
				img, err := jpeg.Decode(bytes.NewReader(pic))
				if err != nil {
					b.Fatal(err)
				}
				for i, small := range shrink(img, factsOf(pic), usual) {
					if err := jpeg.Encode(&bytes.Buffer{}, small, &jpeg.Options{Quality: usual[i].Quality}); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkSteps24MP says where the time goes.
func BenchmarkSteps24MP(b *testing.B) {
	pic := camera420()
	f := factsOf(pic)
	d, err := decodePlanes(pic, false, f.Width, f.Height, enough(f, usual), 1<<30)
	if err != nil {
		b.Fatal(err)
	}
	defer d.free()
	photo := source{d.planes, f.Width, f.Height, 1}
	turned := source{d.planes, f.Width, f.Height, 6}
	large := photo.fit(1600, 1067, renditionStyle)
	b.Run("decode", func(b *testing.B) {
		perPhoto(b, func() {
			d, _ := decodePlanes(pic, false, f.Width, f.Height, enough(f, usual), 1<<30)
			d.free()
		})
	})
	b.Run("shrink", func(b *testing.B) { perPhoto(b, func() { photo.fit(1600, 1067, renditionStyle) }) })
	b.Run("shrink-nfnt", func(b *testing.B) {
		img := decodedYCbCr(b, pic)
		perPhoto(b, func() { lanczos(img, 1600, 1067) })
	})
	b.Run("shrink-turned", func(b *testing.B) { perPhoto(b, func() { turned.fit(1600, 1067, renditionStyle) }) })
	b.Run("again", func(b *testing.B) {
		perPhoto(b, func() { source{large, 1600, 1067, 1}.fit(400, 267, renditionStyle) })
	})
	for name, c := range map[string]style{"encode-plain": {2, 2, standardTables}, "encode-optimal": {2, 2, optimalTables}, "encode-progressive": {2, 2, progressive}, "encode-444": {1, 1, optimalTables}} {
		p := source{large, 1600, 1067, 1}.fit(1600, 1067, c)
		b.Run(name, func(b *testing.B) { perPhoto(b, func() { _, _ = encodePlanes(p, c, 85) }) })
	}
}
