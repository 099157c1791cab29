package localtime

import (
	"testing"
	"time"
)

func TestDay(t *testing.T) {
	for text, number := range map[string]int{"1970-01-01": 0, "2026-07-31": 20665, "2028-02-29": 21243, "9998-12-31": 2932531} {
		d, err := ParseDay(text)
		if err != nil || d.String() != text || d.Number() != number || d.IsZero() {
			t.Errorf("%s: %v, number %d, %v", text, d, d.Number(), err)
		}
	}
	for _, bad := range []string{"", "31.07.2026", "2026-7-31", "2026-02-29", "1969-12-31", "2026-07-31T10:00:00Z", "9999-01-01", "10000-01-01", "2026-07-31\n"} {
		if d, err := ParseDay(bad); err == nil || !d.IsZero() {
			t.Errorf("%q: %v", bad, d)
		}
	}
	if none := (Day{}); none.String() != "" || !none.IsZero() {
		t.Errorf("%q", none)
	}
}

// A day ends at midnight of the machine's zone, also on the day of 23 hours.
func TestADayEndsAtMidnight(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	old := time.Local
	time.Local = berlin
	defer func() { time.Local = old }()
	for text, want := range map[string]string{"2026-07-31": "2026-07-31T22:00:00Z", "2026-12-31": "2026-12-31T23:00:00Z", "2026-03-29": "2026-03-29T22:00:00Z"} {
		d, err := ParseDay(text)
		if got := d.End().UTC().Format(time.RFC3339); err != nil || got != want || DayOf(d.End().Add(-time.Second)) != d {
			t.Errorf("%s ends %s, want %s; %v", text, got, want, err)
		}
	}
}
