package localtime

import (
	"fmt"
	"time"
)

// A Day is a date without a time, such as the last day of a log-in. The zero Day is
// none.
type Day struct {
	year  int
	month time.Month
	day   int
}

// DayOf is the date of t where t says that it is.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day{y, m, d}
}

// ParseDay reads a date as 2026-07-31, from 1970 to 9998.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9998 {
		return Day{}, fmt.Errorf("%.40q is not a date: write it as 2026-07-31", text)
	}
	return DayOf(t), nil
}

// IsZero tells whether there is no date.
func (d Day) IsZero() bool { return d == Day{} }

// String is what ParseDay reads; "" if there is none.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.in(time.UTC, 0).Format(time.DateOnly)
}

// End is the first moment after the day, in the machine's zone.
func (d Day) End() time.Time { return d.in(time.Local, 1) }

// Number counts the days since 1970-01-01, as /etc/shadow does.
func (d Day) Number() int { return int(d.in(time.UTC, 0).Unix() / (24 * 60 * 60)) }

func (d Day) in(zone *time.Location, later int) time.Time {
	return time.Date(d.year, d.month, d.day+later, 0, 0, 0, 0, zone)
}
