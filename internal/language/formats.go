package language

import (
	"strings"
	"time"

	"picday/internal/bytesize"
)

// Number writes 1204331 as 1,204,331 or 1.204.331.
func (w *Words) Number(n int) string { return w.printer().Sprintf("%d", n) }

// Size writes bytes as 5.2 MB or 5,2 MB.
func (w *Words) Size(bytes int64) string {
	text := bytesize.Format(bytes)
	if w.Language == German {
		text = strings.Replace(strings.Replace(text, ".", ",", 1), "bytes", "Byte", 1)
	}
	return text
}

// Stamp, Clock and Day are in the server's zone; the browser turns them into its own.
func (w *Words) Stamp(t time.Time) string {
	if w.Language == German {
		return t.Local().Format("02.01.2006 15:04 MST")
	}
	return t.Local().Format("2 Jan 2006, 15:04 MST")
}

// Clock is the time of day.
func (w *Words) Clock(t time.Time) string { return t.Local().Format("15:04") }

var (
	germanDays   = [...]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}
	germanMonths = [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
)

// Day is a day with its name.
func (w *Words) Day(t time.Time) string {
	t = t.Local()
	if w.Language == German {
		return germanDays[t.Weekday()] + ", " + t.Format("2. ") + germanMonths[t.Month()-1] + t.Format(" 2006")
	}
	return t.Format("Monday, 2 January 2006")
}

// Date is a day as it is written in lists.
func (w *Words) Date(t time.Time) string {
	if w.Language == German {
		return t.Format("02.01.2006")
	}
	return t.Format("2 Jan 2006")
}

// Day8601 is a day that is written as 2006-01-02.
func (w *Words) Day8601(day string) string {
	if t, err := time.Parse(time.DateOnly, day); err == nil && w.Language == German {
		return w.Date(t)
	}
	return day
}

// CameraTime is a time on a camera's clock, to the second.
func (w *Words) CameraTime(t time.Time, zoned bool) string {
	format := "2 Jan 2006, 15:04:05"
	if w.Language == German {
		format = "02.01.2006 15:04:05"
	}
	if !zoned {
		return t.UTC().Format(format)
	}
	return t.Format(format + " -07:00")
}

// spans are the units in which people speak of durations.
var spans = []struct {
	unit      time.Duration
	span, ago string
}{
	{24 * time.Hour, "%d days", "%d days ago"},
	{time.Hour, "%d hours", "%d hours ago"},
	{time.Minute, "%d minutes", "%d minutes ago"},
	{time.Second, "%d seconds", "%d seconds ago"},
}

// Ago says how long ago a time was: at most one unit.
func (w *Words) Ago(t time.Time) string {
	d := time.Since(t)
	for _, s := range spans {
		if n := int(d / s.unit); n >= 1 && (s.unit != time.Second || n >= 2) {
			return w.T(s.ago, n)
		}
	}
	return w.T("just now") // clocks differ a little
}

// Within says in how much time something is.
func (w *Words) Within(d time.Duration) string {
	for _, s := range spans {
		if n := int(d / s.unit); n >= 1 && (s.unit != time.Second || n >= 2) {
			return w.T("in "+s.span, n)
		}
	}
	return w.T("at any moment")
}

// Span is a duration as people say it, none if it is nothing.
func (w *Words) Span(d time.Duration, none string) string {
	for _, s := range spans {
		if n := int(d / s.unit); n >= 1 && (s.unit != time.Second || n >= 2) {
			return w.T(s.span, n)
		}
	}
	return none
}
