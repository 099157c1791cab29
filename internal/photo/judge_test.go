package photo

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/rendition"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// judge is a page that says how large a browser shows a picture, and the mean colours
// of 8 x 8 parts of it; or that it shows none.
const judge = `<!doctype html><title>judge</title><script>
async function look(src) {
	const i = new Image();
	i.src = src;
	try { await i.decode(); } catch (e) { return [0, 0]; }
	const c = document.createElement("canvas");
	c.width = c.height = 64;
	const x = c.getContext("2d");
	x.imageSmoothingQuality = "high";
	x.drawImage(i, 0, 0, 64, 64);
	const d = x.getImageData(0, 0, 64, 64).data, out = [i.naturalWidth, i.naturalHeight];
	for (let v = 0; v < 8; v++) for (let u = 0; u < 8; u++) for (let k = 0; k < 3; k++) {
		let sum = 0;
		for (let b = 0; b < 8; b++) for (let a = 0; a < 8; a++) sum += d[4 * ((8 * v + b) * 64 + 8 * u + a) + k];
		out.push(sum / 64);
	}
	return out;
}</script>`

// A browser and libvips judge: what both show, picday does not refuse, and what picday
// shows looks the same to both. With PICDAY_PHOTOS, also for the files in that folder.
func TestJudgedByOthers(t *testing.T) {
	if os.Getenv("PICDAY_TORTURE") == "" {
		t.Skip("starts a browser: only with PICDAY_TORTURE=1")
	}
	for _, program := range []string{"chromium", "vips", "vipsthumbnail"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: make torture installs it", err)
		}
	}
	pics := map[string][]byte{}
	for name, b := range oddFiles(t) {
		pics["made: "+name] = b
	}
	if dir := os.Getenv("PICDAY_PHOTOS"); dir != "" {
		if err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && (strings.EqualFold(filepath.Ext(p), ".jpg") || strings.EqualFold(filepath.Ext(p), ".jpeg")) {
				pics[p], err = os.ReadFile(p)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	served := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, ok := served[strings.TrimPrefix(r.URL.Path, "/")]; ok {
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write(b)
			return
		}
		_, _ = w.Write([]byte(judge))
	}))
	defer server.Close()
	ctx, end := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("disable-background-networking", true))...)
	defer end()
	ctx, end = chromedp.NewContext(ctx)
	defer end()
	ctx, end = context.WithTimeout(ctx, 20*time.Minute)
	defer end()
	if err := chromedp.Run(ctx, chromedp.Navigate(server.URL+"/")); err != nil {
		t.Fatal(err)
	}
	look := func(name string) (out []float64) {
		err := chromedp.Run(ctx, chromedp.Evaluate(fmt.Sprintf("look('/%s')", name), &out, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
			return p.WithAwaitPromise(true)
		}))
		if err != nil {
			t.Fatal(name, err)
		}
		return out
	}

	counts := map[string]int{}
	for n, name := range slices.Sorted(maps.Keys(pics)) {
		b := pics[name]
		served[fmt.Sprint("a", n)] = b
		browser := look(fmt.Sprint("a", n))
		vips, vipsErr := thumbnail(t, b, "[fail-on=truncated]")
		f := factsOf(b)
		if assumed, ok := f.AssumeEOI(); ok {
			f = assumed
		}
		m := ReadMeta(bytes.NewReader(b))
		out, err := Render(bytes.NewReader(b), m, f, Limits{}, []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}})
		delete(served, fmt.Sprint("a", n))
		switch {
		case err != nil && browser[0] > 0 && vipsErr == nil:
			counts["refused, and both show it"]++
			t.Errorf("%s: %v, but a browser and libvips show it", name, err)
			continue
		case err != nil:
			counts["refused, and not both show it"]++
			t.Logf("%s: %v; browser %v, libvips %v", name, err, browser[0] > 0, vipsErr)
			continue
		case browser[0] == 0 || vipsErr != nil:
			counts["taken, and not both show it"]++
			t.Logf("%s: taken; browser %v, libvips %v", name, browser[0] > 0, vipsErr)
		default:
			counts["taken, and both show it"]++
		}
		if out.Unusual {
			counts["of those taken, unusual"]++
		}
		ours := out.Renditions[0].JPEG
		// Chromium paints the last rows only once EOI has come.
		if browser[0] > 0 && !f.NoEOI {
			served["b"+fmt.Sprint(n)] = ours
			if d := mean(browser[2:], look("b" + fmt.Sprint(n))[2:]); d > 4 {
				t.Errorf("%s: to a browser %.1f of 255 apart", name, d)
			}
			delete(served, "b"+fmt.Sprint(n))
		}
		if again, err := thumbnail(t, ours, ""); err != nil {
			t.Errorf("%s: libvips does not show our rendition: %v", name, err)
		} else if d := mean(vips, again); vipsErr == nil && d > 6 && (f.Components != 4 || embeddedICC(bytes.NewReader(b)) != nil) {
			// For inks without a profile libvips takes one of its own, browsers none.
			t.Errorf("%s: to libvips %.1f of 255 apart", name, d)
		}
	}
	t.Logf("%d files: %v", len(pics), counts)
}

// thumbnail is 8 x 8 colours of a picture, in sRGB, as libvips shows it.
func thumbnail(t *testing.T, pic []byte, how string) ([]float64, error) {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "a.jpg"), filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(in, pic, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("vipsthumbnail", in+how, "--size", "8x8!", "--export-profile", "srgb", "-o", out).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	var all []float64
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			all = append(all, float64(r>>8), float64(g>>8), float64(b>>8))
		}
	}
	return all, nil
}

// mean is the mean difference of two lists of colours.
func mean(a, b []float64) (d float64) {
	for i := range min(len(a), len(b)) {
		d += max(a[i]-b[i], b[i]-a[i]) / float64(min(len(a), len(b)))
	}
	return d
}

// oddFiles are whole pictures that break a rule or stretch one, each in its own way.
func oddFiles(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for name, b := range whole(t) {
		out[name] = b
		end := len(b) - 2
		out[name+", rubbish between segments"] = insert(b, bytes.Index(b, []byte{0xff, 0xdb}), []byte("rubbish\x00\x01"))
		out[name+", padding"] = insert(b, end, make([]byte, 700))
		out[name+", stray RST"] = insert(b, end, []byte{0xff, 0xd3})
		out[name+", no EOI"] = b[:end]
		out[name+", garbage behind"] = append(slices.Clone(b), "garbage\xff\xd8\xff"...)
		if at := bytes.Index(b, []byte{0xff, 0xda}); !factsOf(b).Progressive {
			se := slices.Clone(b)
			se[at+2+int(se[at+3])-2] = 0
			out[name+", Se is 0"] = se
		}
	}
	grey := func(s ...sampling) []byte { return flat(96, 80, s, false) }
	for _, s := range [][]sampling{
		{{2, 1}, {1, 1}, {1, 2}}, {{2, 1}, {1, 2}, {2, 1}}, {{2, 2}, {2, 1}, {1, 2}}, {{1, 1}, {2, 2}, {1, 1}}, {{4, 1}, {1, 1}, {2, 1}}, {{2, 2}},
	} {
		out[fmt.Sprint("sampled ", s)] = grey(s...)
	}
	full, half := []sampling{{1, 1}, {1, 1}, {1, 1}, {1, 1}}, []sampling{{2, 2}, {1, 1}, {1, 1}, {2, 2}}
	out["CMYK"], out["YCCK"] = flat(96, 80, full, false, app14(0)), flat(96, 80, full, false, app14(2))
	out["CMYK 4:2:0"], out["YCCK 4:2:0"] = flat(96, 80, half, false, app14(0)), flat(96, 80, half, false, app14(2))
	out["CMYK, no APP14"], out["CMYK 4:2:0, no APP14"] = flat(96, 80, full, false), flat(96, 80, half, false)
	cmyk := samples(t)["cmyk"]
	out["sample CMYK"] = cmyk
	if at := bytes.Index(cmyk, []byte{0xff, 0xee}); at > 0 {
		out["sample CMYK, no APP14"] = slices.Delete(slices.Clone(cmyk), at, at+2+int(cmyk[at+3]))
	}
	// An interval of 65,535 blocks, of which the picture has fewer.
	b := samples(t)["420"]
	out["restart interval of 65,535"] = insert(b, bytes.Index(b, []byte{0xff, 0xdb}), seg(0xdd, 0xff, 0xff))
	return out
}
