package photo

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// try renders what may be refused; a file without EOI as one that is thought to lack
// nothing else.
func try(b []byte) (Picture, error) {
	f := factsOf(b)
	if assumed, ok := f.AssumeEOI(); ok {
		f = assumed
	}
	return Render(bytes.NewReader(b), Meta{}, f, Limits{}, []rendition.Spec{{Name: "full", Longest: 5000, Quality: 90}, {Name: "small", Longest: 40, Quality: 80}})
}

func sameRenditions(a, b Picture) bool {
	return slices.EqualFunc(a.Renditions, b.Renditions, func(x, y Rendition) bool { return bytes.Equal(x.JPEG, y.JPEG) })
}

// whole are pictures of every kind of coding.
func whole(t testing.TB) map[string][]byte {
	out := odd(t)
	for _, name := range []string{"restart", "progressive", "three-scans", "grey", "422"} {
		out["sample "+name] = samples(t)[name]
	}
	return out
}

func insert(b []byte, at int, what []byte) []byte { return slices.Insert(slices.Clone(b), at, what...) }

// What is wrong where the picture does not suffer from it costs nobody a photo: it is
// the same as without.
func TestUnusual(t *testing.T) {
	zeros := func(n int) []byte { return make([]byte, n) }
	for name, b := range whole(t) {
		f := factsOf(b)
		want, err := try(b)
		if err != nil || want.Unusual {
			t.Fatal(name, err, want.Unusual)
		}
		end, dqt := int(f.EOI)-2, bytes.Index(b, []byte{0xff, 0xdb})
		for what, c := range map[string]struct {
			pic     []byte
			unusual bool
		}{
			"rubbish between segments":   {insert(b, dqt, []byte("rubbish that Photoshop left\x00\x01")), true},
			"zeros between segments":     {insert(b, dqt, zeros(5000)), true},
			"rubbish before the picture": {insert(b, bytes.Index(b, []byte{0xff, 0xda}), []byte{1, 2, 3}), true},
			"some zeros behind":          {insert(b, end, zeros(12)), true},
			"zeros behind":               {insert(b, end, zeros(4096)), true},
			"bytes of one kind behind":   {insert(b, end, bytes.Repeat([]byte{0x20}, 500)), true},
			"zeros and RST behind":       {insert(b, end, append(zeros(100), 0xff, 0xd3)), true},
			"RST and zeros behind":       {insert(b, end, append([]byte{0xff, 0xd3}, zeros(100)...)), true},
			"RST behind":                 {insert(b, end, []byte{0xff, 0xd5}), false},
			"fill bytes behind":          {insert(b, end, bytes.Repeat([]byte{0xff}, 300)), false},
		} {
			got, err := try(c.pic)
			switch {
			case err != nil:
				t.Errorf("%s, %s: %v", name, what, err)
			case got.Unusual != c.unusual:
				t.Errorf("%s, %s: unusual %t", name, what, got.Unusual)
			case !sameRenditions(got, want):
				t.Errorf("%s, %s: another picture", name, what)
			}
		}
		if f.Progressive {
			continue
		}
		se := slices.Clone(b)
		for at := 0; ; at += 2 {
			n := bytes.Index(se[at:], []byte{0xff, 0xda})
			if n < 0 {
				break
			}
			at += n
			se[at+2+int(se[at+3])-2] = 0 // Se, of each scan
		}
		if got, err := try(se); err != nil || !got.Unusual || !sameRenditions(got, want) {
			t.Errorf("%s, Se is 0: %v, unusual %t", name, err, got.Unusual)
		}
	}
}

// Damage within picture data is refused, wherever and of whatever it is, also where it
// looks like padding. Of some tens of bytes libjpeg may see nothing, when the code falls
// into step again and ends with the data; then nobody can, and it is not unusual either.
func TestDamageStaysDamage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 9))
	pics := whole(t)
	// The lower half is flat: short codes, so that a hole of zeros can be decoded to
	// the last block.
	for _, k := range []struct {
		name string
		style
	}{{"flat below", style{2, 2, optimalTables}}, {"flat below, standard", style{1, 1, standardTables}}, {"flat below, progressive", style{2, 2, progressive}}} {
		name, s := k.name, k.style
		img := planes{newPlane(256, 256), newPlane(256, 256), newPlane(256, 256)}
		for i := range img {
			for k := range img[i].pix {
				img[i].pix[k] = 128
				if k < len(img[i].pix)/2 {
					img[i].pix[k] = byte(rnd.IntN(256))
				}
			}
		}
		b, err := encodePlanes(source{img, 256, 256, 1}.fit(256, 256, s), s, 90)
		if err != nil {
			t.Fatal(err)
		}
		pics[name] = b
	}
	pics["photo"] = testphoto.Make(testphoto.Spec{Width: 1000, Height: 800, Noise: 8})
	tried, unseen := 0, 0
	for _, name := range slices.Sorted(maps.Keys(pics)) {
		b := pics[name]
		f := factsOf(b)
		want, err := try(b)
		if err != nil {
			t.Fatal(name, err)
		}
		from, end := int(f.HeaderEnd), int(f.EOI)-2
		refuse := func(what string, at, n int, pic []byte) {
			t.Helper()
			tried++
			got, err := try(pic)
			switch {
			case err != nil:
			case !sameRenditions(got, want) && (got.Unusual || n >= 4096 && name == "photo"):
				t.Errorf("%s, %s of %d at %d of %d: published, unusual %t", name, what, n, at-from, end-from, got.Unusual)
			case !sameRenditions(got, want):
				unseen++
			}
		}
		size := end - from
		for _, n := range []int{4096, 1000, 200, 32} {
			if n > size {
				continue
			}
			places := []int{end - n, end - n - 1, end - n - 20, from, from + (size-n)/2}
			for range 6 {
				places = append(places, from+rnd.IntN(size-n+1))
			}
			for _, at := range places {
				if at < from {
					continue
				}
				for _, v := range []byte{0, 0xff, 0x55, b[at]} {
					pic := slices.Clone(b)
					for i := range n {
						pic[at+i] = v
					}
					refuse("a hole", at, n, pic)
				}
				refuse("a cut", at, n, slices.Delete(slices.Clone(b), at, at+n))
			}
		}
		noise := make([]byte, 64)
		for i := range noise {
			noise[i] = byte(rnd.IntN(255))
		}
		if _, err := try(insert(b, end, noise)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s, noise behind the picture: %v", name, err)
		}
	}
	t.Logf("%d tried, in %d libjpeg saw nothing at all", tried, unseen)
}

// A picture that lacks only EOI is the same picture. One that lacks more is incomplete,
// wherever it was cut.
func TestNoEOI(t *testing.T) {
	step := 13
	if os.Getenv("PICDAY_TORTURE") != "" {
		step = 1
	}
	pics := whole(t)
	cut, taken := 0, 0
	for name, b := range pics {
		want, err := try(b)
		if err != nil {
			t.Fatal(err)
		}
		end := len(b) - 2
		got, err := try(b[:end])
		if err != nil || !got.Unusual || !sameRenditions(got, want) {
			t.Errorf("%s, no EOI: %v, unusual %t", name, err, got.Unusual)
		}
		if got, err = try(b[:end+1]); err != nil || !got.Unusual || !sameRenditions(got, want) {
			t.Errorf("%s, half an EOI: %v, unusual %t", name, err, got.Unusual)
		}
		if got, err = try(append(slices.Clone(b[:end]), make([]byte, 4096)...)); err != nil || !got.Unusual || !sameRenditions(got, want) {
			t.Errorf("%s, no EOI but room for it: %v", name, err)
		}
		from := int(factsOf(b).HeaderEnd)
		for at := from; at < end; at++ {
			if end-at > 40 && (at-from)%(step*max(1, (end-from)/4000)) != 0 {
				continue
			}
			f := factsOf(b[:at])
			if !f.Open {
				continue
			}
			cut++
			for what, pic := range map[string][]byte{"cut off": b[:at], "cut off, then zeros": append(slices.Clone(b[:at]), make([]byte, end-at)...)} {
				got, err := try(pic)
				switch {
				case err == nil && !sameRenditions(got, want):
					t.Errorf("%s, %s at %d of %d: published", name, what, at-from, end-from)
				case err == nil:
					taken++
				case !errors.Is(err, ErrIncomplete):
					t.Errorf("%s, %s at %d: %v", name, what, at-from, err)
				}
			}
		}
	}
	t.Logf("%d places, %d times nothing was missing", cut, taken)
}
