package localtime

import (
	"testing"
	"time"
)

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 7, 31, 14, 30, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"90m": now.Add(-90 * time.Minute), "0s": now, "2026-07-31": time.Date(2026, 7, 31, 0, 0, 0, 0, time.Local),
		"2026-07-31 14:00": now.Add(-30 * time.Minute), "2026-07-31 14:29:59": now.Add(-time.Second), now.UTC().Format(time.RFC3339): now,
	} {
		if got, err := ParseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "-1h", "yesterday", "31.07.2026", "2026-08-01", "90"} {
		if got, err := ParseSince(bad, now); err == nil || !got.IsZero() {
			t.Errorf("%q: %v", bad, got)
		}
	}
}
