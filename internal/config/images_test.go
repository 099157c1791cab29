package config

import (
	"strings"
	"testing"
	"time"
)

func TestImageLimits(t *testing.T) {
	c, err := Parse([]byte("[images]\nmax_megapixels = 200\nmax_megapixels_progressive = 50\nmax_scans = 10\ndecode_time = \"5s\"\ndecode_megabytes = 512\n"))
	if err != nil {
		t.Fatal(err)
	}
	if i := c.Images; i.MaxMegapixels != 200 || i.MaxMegapixelsProgressive != 50 || i.MaxScans != 10 || i.DecodeTime.Std() != 5*time.Second || i.DecodeMegabytes != 512 {
		t.Errorf("%+v", i)
	}
	for _, bad := range []string{
		"max_megapixels = 0", "max_megapixels = -1", "max_megapixels = 5000", "max_megapixels_progressive = 0",
		"max_scans = 0", "max_scans = 100000", "decode_megabytes = 255", "decode_megabytes = 0",
		`decode_time = "0s"`, `decode_time = "2h"`, "decode_time = 30", "max_pixels = 1",
	} {
		key, _, _ := strings.Cut(bad, " ")
		if _, err := Parse([]byte("[images]\n" + bad)); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
