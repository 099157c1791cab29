package decoder

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"picday/internal/photo"
	testphoto "picday/internal/test/photo"
)

// The largest that are sold, with what it takes: 200 megapixels of a phone, and 108
// as progressive files with full colour, which take most memory. By default a decoder
// has a gigabyte and 30 s.
func TestLargestSold(t *testing.T) {
	if os.Getenv("PICDAY_TORTURE") == "" {
		t.Skip("takes a minute: only with PICDAY_TORTURE=1")
	}
	for name, c := range map[string]struct {
		w, h     int
		jpegtran []string
		quality  int
	}{
		"200 MP":             {16320, 12240, nil, 97},
		"108 MP progressive": {12000, 9000, []string{"-progressive"}, 95},
	} {
		pic := testphoto.Make(testphoto.Spec{Width: c.w, Height: c.h, Noise: 10, Quality: c.quality})
		if c.jpegtran != nil {
			cmd := exec.Command("jpegtran", c.jpegtran...)
			cmd.Stdin = bytes.NewReader(pic)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal("jpegtran (libjpeg-turbo-progs): ", err)
			}
			pic = out
		}
		large(t, name, pic)
	}
}

func large(t *testing.T, name string, pic []byte) {
	t.Helper()
	p := start(t, Options{Memory: 1 << 30, Time: 30 * time.Second})
	f, facts := file(t, pic)
	c := p.first(t)
	began := time.Now()
	_, out, err := p.Render(t.Context(), "acme", f, facts, sizes)
	if err != nil || len(out.Renditions) != 2 {
		t.Errorf("%s: %v", name, err)
	}
	used, _ := c.used()
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	peak := "?"
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			peak = strings.TrimSpace(rest)
		}
	}
	t.Logf("%s, %d x %d, %.0f MB: %s, %s of CPU, at most %s of memory, estimated %d MB", name, facts.Width, facts.Height,
		float64(len(pic))/1e6, time.Since(began).Round(time.Millisecond), used.Round(time.Millisecond), peak,
		need(request{Facts: facts, Limits: photo.DefaultLimits, Sizes: sizes})>>20)
}
