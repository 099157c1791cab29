package localtime

import (
	"fmt"
	"time"
)

// ParseSince reads a moment in the past: a time in the machine's zone, such as
// 2026-07-31 or "2026-07-31 14:00", one with its zone as in RFC 3339, or how long ago it
// was, such as 90m.
func ParseSince(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime, time.RFC3339} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil && !t.After(now) {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time in the past: write it as 2026-07-31, '2026-07-31 14:00', or 90m for 90 minutes ago", text)
}
