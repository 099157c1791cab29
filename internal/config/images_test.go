package config

import (
	"strings"
	"testing"
)

func TestImageLimits(t *testing.T) {
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
