package decoder

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// mutated is a profile with some faults, mostly where numbers and tables begin.
func mutated(rnd *rand.Rand, p []byte) []byte {
	p = slices.Clone(p)
	odd := []uint32{0, 1, 2, 255, 256, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, uint32(len(p)), uint32(len(p)) - 1}
	for range 1 + rnd.IntN(6) {
		reach := []int{len(p), min(len(p), 700), min(len(p), 300)}[rnd.IntN(3)] - 4
		at := 64 + rnd.IntN(max(1, reach-64))
		switch rnd.IntN(4) {
		case 0:
			binary.BigEndian.PutUint32(p[at&^3:], odd[rnd.IntN(len(odd))])
		case 1:
			p[at] = byte(rnd.Uint32())
		case 2:
			p[at] ^= 1 << rnd.IntN(8)
		case 3:
			copy(p[at:], p[rnd.IntN(len(p)):][:min(4, len(p)-at)])
		}
	}
	if rnd.IntN(8) == 0 {
		p = p[:max(128, rnd.IntN(len(p)))]
	}
	binary.BigEndian.PutUint32(p, uint32(len(p)))
	return p
}

// A confined child opens no library any more: what it needs for a profile of tables it
// must have.
func TestTablesInAChild(t *testing.T) {
	if !photo.Profiles() {
		t.Skip("needs liblcms2-2")
	}
	p := start(t, Options{})
	plain := testphoto.Tiny(3)
	pic := testphoto.WithProfile(plain, testphoto.TableProfile(3, "A2B0"))
	render := func(pic []byte) photo.Picture {
		t.Helper()
		f, facts := file(t, pic)
		_, out, err := p.Render(t.Context(), "acme", f, facts, sizes)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	got := render(pic)
	_, facts := file(t, pic)
	want, err := photo.Render(bytes.NewReader(pic), photo.ReadMeta(bytes.NewReader(pic)), facts, photo.DefaultLimits, sizes)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("not what photo makes of it: %v", err)
	}
	if reflect.DeepEqual(got, render(plain)) {
		t.Error("the profile changes nothing")
	}
}

// Whatever is in a profile costs one picture at most; the next one is there.
func TestHostileProfiles(t *testing.T) {
	if !photo.Profiles() {
		t.Skip("needs liblcms2-2")
	}
	many, until, seed := 40, time.Time{}, uint64(1)
	if os.Getenv("PICDAY_TORTURE") != "" {
		until, seed = time.Now().Add(time.Minute), uint64(time.Now().UnixNano())
	}
	colour := testphoto.Make(testphoto.Spec{Width: 32, Height: 24})
	var grey bytes.Buffer
	if err := jpeg.Encode(&grey, image.NewGray(image.Rect(0, 0, 32, 24)), nil); err != nil {
		t.Fatal(err)
	}
	seeds := []struct{ pic, profile []byte }{
		{colour, testphoto.TableProfile(3, "A2B0")}, {colour, testphoto.TableProfile(3, "A2B0", "A2B1")}, {grey.Bytes(), testphoto.TableProfile(1, "A2B0")},
	}
	if inks, profile := inksFile(t, colour); inks != nil {
		seeds = append(seeds, struct{ pic, profile []byte }{inks, profile})
	}
	rnd := rand.New(rand.NewPCG(seed, 9))
	p := start(t, Options{Time: 5 * time.Second})
	small := []rendition.Spec{{Name: "a", Longest: 16, Quality: 80}}
	verdicts, worst := map[string]int{}, time.Duration(0)
	n := 0
	for ; n < many || time.Now().Before(until); n++ {
		s := seeds[rnd.IntN(len(seeds))]
		f, facts := file(t, testphoto.WithProfile(s.pic, mutated(rnd, s.profile)))
		began := time.Now()
		_, _, err := p.Render(t.Context(), "acme", f, facts, small)
		worst = max(worst, time.Since(began))
		f.Close()
		os.Remove(f.Name())
		switch {
		case err == nil:
			verdicts["published"]++
		case errors.Is(err, photo.ErrDamaged), errors.Is(err, photo.ErrTooComplex):
			verdicts[err.Error()]++
		default:
			t.Fatalf("seed %d, profile %d: %v", seed, n, err)
		}
	}
	f, facts := file(t, colour)
	if _, _, err := p.Render(t.Context(), "acme", f, facts, small); err != nil {
		t.Errorf("the next picture: %v", err)
	}
	t.Logf("seed %d: %d profiles: %v, at most %s each", seed, n, verdicts, worst)
}

// inksFile is a picture in CMYK without a profile, and one for it; nil without libvips.
func inksFile(t *testing.T, pic []byte) (inks, profile []byte) {
	t.Helper()
	if _, err := exec.LookPath("vips"); err != nil {
		return nil, nil
	}
	dir := t.TempDir()
	in, with, without := filepath.Join(dir, "in.jpg"), filepath.Join(dir, "with.jpg"), filepath.Join(dir, "without.jpg")
	if err := os.WriteFile(in, pic, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) []byte {
		said, err := exec.Command(args[0], args[1:]...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return said
	}
	run("vips", "icc_transform", in, with, "cmyk", "--input-profile", "srgb")
	run("vips", "copy", with, without+"[strip]")
	profile, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(run("vipsheader", "-f", "icc-profile-data", with))))
	if err != nil {
		t.Fatal(err)
	}
	if inks, err = os.ReadFile(without); err != nil {
		t.Fatal(err)
	}
	return inks, profile
}
