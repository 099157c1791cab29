// Package localtime writes a time for people, in the machine's zone.
package localtime

import "time"

// Format is t to the second, "-" if it is zero.
func Format(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
