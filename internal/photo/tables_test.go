package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// patches is a picture of even squares, large enough that a size next to it shows them.
func patches() image.Image {
	out := image.NewRGBA(image.Rect(0, 0, 256, 192))
	for y := range 192 {
		for x := range 256 {
			out.Set(x, y, color.RGBA{uint8(x / 32 * 36), uint8(y / 32 * 51), uint8((x/32 + y/32) % 4 * 80), 255})
		}
	}
	return out
}

// rgbJPEG has R, G, B in its file, as it comes from some scanners.
func rgbJPEG(t *testing.T, in image.Image) []byte {
	t.Helper()
	w, h := in.Bounds().Dx(), in.Bounds().Dy()
	p := planes{newPlane(w, h), newPlane(w, h), newPlane(w, h)}
	for y := range h {
		for x := range w {
			c := color.RGBAModel.Convert(in.At(x, y)).(color.RGBA)
			at := y*p[0].stride + x
			p[0].pix[at], p[1].pix[at], p[2].pix[at] = c.R, c.G, c.B
		}
	}
	b, err := encodePlanes(p, style{1, 1, standardTables}, 98)
	if err != nil {
		t.Fatal(err)
	}
	b = b[2+2+int(binary.BigEndian.Uint16(b[4:])):] // without JFIF, which says Y, Cb, Cr
	return append(append(slices.Clone(soi), app14(0)...), b...)
}

// The colours of a photo whose profile cannot go into a rendition are those of libvips,
// in sRGB, and the rendition has no profile.
func TestTablesAgainstLibvips(t *testing.T) {
	vips, err := exec.LookPath("vips")
	if err != nil {
		t.Skip("needs libvips-tools")
	}
	var ycc, grey bytes.Buffer
	img := image.NewGray(patches().Bounds())
	for i := range img.Pix {
		img.Pix[i] = uint8(i % 256 / 32 * 36)
	}
	if err := jpeg.Encode(&ycc, patches(), &jpeg.Options{Quality: 98}); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&grey, img, &jpeg.Options{Quality: 98}); err != nil {
		t.Fatal(err)
	}
	falls := tagged("rTRC", "curv", 0, 0, 0, 5, 0, 0, 0x40, 0, 0x30, 0, 0xc0, 0, 0xff, 0xff)
	for name, pic := range map[string][]byte{
		"Y, Cb, Cr":          withICC(ycc.Bytes(), testphoto.TableProfile(3, "A2B0", "A2B1")),
		"perceptual":         withICC(ycc.Bytes(), testphoto.TableProfile(3, "A2B0")),
		"R, G, B":            withICC(rgbJPEG(t, patches()), testphoto.TableProfile(3, "A2B0", "A2B1")),
		"grey":               withICC(grey.Bytes(), testphoto.TableProfile(1, "A2B0", "A2B1")),
		"a curve that falls": withICC(ycc.Bytes(), profileOf(4, "mntr", "RGB ", "XYZ ", slices.Concat(rgbTags()[:4], []iccTagOf{falls}, rgbTags()[5:])...)),
	} {
		in, back := filepath.Join(t.TempDir(), "in.jpg"), filepath.Join(t.TempDir(), "back.jpg")
		if err := os.WriteFile(in, pic, 0o600); err != nil {
			t.Fatal(err)
		}
		intent := "relative"
		if name == "perceptual" {
			intent = name // the profile knows no other, and libvips insists on it
		}
		out, err := exec.Command(vips, "icc_transform", in, back+"[Q=99,subsample-mode=off]", "srgb", "--embedded", "--intent", intent).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		want, before := decodeFile(t, back), decodeFile(t, in)
		for _, o := range []int{1, 6} {
			p, err := Render(bytes.NewReader(pic), Meta{Orientation: o}, factsOf(pic), Limits{}, []rendition.Spec{{Name: "full", Longest: 256, Quality: 98}, {Name: "large", Longest: 200, Quality: 98}, {Name: "small", Longest: 64, Quality: 98}})
			if err != nil {
				t.Fatal(name, err)
			}
			for _, r := range p.Renditions {
				if embeddedICC(bytes.NewReader(r.JPEG)) != nil {
					t.Errorf("%s: %s has a profile", name, r.Name)
				}
				got, err := jpeg.Decode(bytes.NewReader(r.JPEG))
				if err != nil {
					t.Fatal(err)
				}
				long := max(got.Bounds().Dx(), got.Bounds().Dy())
				worst, moved := 0, 0
				for y := 16; y < 192; y += 32 {
					for x := 16; x < 256; x += 32 {
						gx, gy := x*long/256, y*long/256
						if o == 6 { // the top of the file is the right side
							gx, gy = got.Bounds().Dx()-1-gy, gx
						}
						worst = max(worst, apart(want.At(x, y), got.At(gx, gy)))
						moved = max(moved, apart(want.At(x, y), before.At(x, y)))
					}
				}
				t.Logf("%s, %s, orientation %d: at most %d of 255 from libvips; the profile makes %d", name, r.Name, o, worst, moved)
				if worst > 5 && !(r.Name == "small" && worst <= 12) { // there an edge is 4 pixels away
					t.Errorf("%s, %s: %d of 255 from libvips", name, r.Name, worst)
				}
				if moved < 30 {
					t.Errorf("%s: the profile changes nothing, so nothing is tested", name)
				}
			}
		}
	}
}

// A profile that nothing can be made of costs no photo.
func TestUselessProfiles(t *testing.T) {
	plain, err := try(withThumbnail())
	if err != nil {
		t.Fatal(err)
	}
	link := testphoto.TableProfile(3, "A2B0")
	copy(link[12:], "link")
	for name, p := range map[string][]byte{
		"cut off": testphoto.TableProfile(3, "A2B0")[:1000], "no table": profileOf(4, "scnr", "RGB ", "Lab "), "a link": link, "text": bytes.Repeat([]byte("profile "), 100),
		"for grey": testphoto.TableProfile(1, "A2B0"), "a table of a table": profileOf(2, "scnr", "RGB ", "Lab ", tagged("A2B0", "mft2", bytes.Repeat([]byte{3, 3, 255, 0}, 100)...)),
	} {
		binary.BigEndian.PutUint32(p, uint32(len(p)))
		if got, err := try(withICC(withThumbnail(), p)); err != nil || !sameRenditions(got, plain) {
			t.Errorf("%s: %v, or other pictures", name, err)
		}
	}
}
