package contract

import (
	"strings"
	"testing"
	"time"

	"picday/internal/control"
)

// The status says when the kernel's events were last proven to arrive, and what they missed.
func TestStatusSaysWhenEventsWereProven(t *testing.T) {
	since := time.Now().Add(-time.Hour)
	st := control.NewStatus()
	st.Running, st.Since, st.WatchedDirs = true, &since, 7
	text := func() string {
		var b strings.Builder
		StatusText(&b, st)
		return b.String()
	}
	if got := text(); !strings.Contains(got, "watched folders\t7\n") || strings.Contains(got, "proven event") {
		t.Error(got)
	}
	st.EventsProvenAt, st.EventStreamsRebuilt, st.WatchesMissing = &since, 2, 3
	if got := text(); !strings.Contains(got, "watched folders\t7, and the kernel has lost the watches of 3\n") ||
		!strings.Contains(got, "last proven event\t1h0m0s ago; since the start all was watched anew 2 times, because events did not arrive\n") {
		t.Error(got)
	}
}
