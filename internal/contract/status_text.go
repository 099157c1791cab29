package contract

import (
	"fmt"
	"io"
	"time"

	"picday/internal/bytesize"
	"picday/internal/control"
	"picday/internal/localtime"
	"picday/internal/terminal"
)

// StatusText writes the status for people, with tabs between columns.
func StatusText(w io.Writer, st control.Status) {
	if st.Running {
		fmt.Fprintf(w, "picdayd\trunning since %s, version %s\n", localtime.Format(*st.Since), st.Version)
		if st.LastProvenAlive != nil {
			fmt.Fprintf(w, "last proven alive\t%s ago\n", time.Since(*st.LastProvenAlive).Round(time.Second))
		}
		fmt.Fprintf(w, "waiting to settle\t%d", st.Waiting)
		if st.Waiting > 0 {
			fmt.Fprintf(w, ", the oldest for %.0f s", st.OldestWaitingSeconds)
		}
		fmt.Fprintf(w, "\nqueued\t%d\n", st.Queued)
		for _, p := range st.InProgress {
			fmt.Fprintf(w, "in progress\t%s  %s (%s)\n", p.Account, terminal.Plain(p.Path), bytesize.Format(p.Bytes))
		}
		for _, u := range st.Unsure {
			fmt.Fprintf(w, "unsure\t%s  %s (missing since %s: %s)\n", u.Account, terminal.Plain(u.Path), localtime.Format(u.Since), terminal.Plain(u.Why))
		}
		fmt.Fprintf(w, "watched folders\t%d", st.WatchedDirs)
		if st.WatchesMissing > 0 {
			fmt.Fprintf(w, ", and the kernel has lost the watches of %d", st.WatchesMissing)
		}
		fmt.Fprintln(w)
		if st.EventsProvenAt != nil {
			fmt.Fprintf(w, "last proven event\t%s ago", time.Since(*st.EventsProvenAt).Round(time.Second))
			if st.EventStreamsRebuilt > 0 {
				fmt.Fprintf(w, "; since the start all was watched anew %d times, because events did not arrive", st.EventStreamsRebuilt)
			}
			fmt.Fprintln(w)
		}
		if st.LastScan != nil {
			fmt.Fprintf(w, "last full look\t%s, %d files in %.1f s\n", localtime.Format(st.LastScan.At), st.LastScan.Files, st.LastScan.Seconds)
		} else {
			fmt.Fprintf(w, "last full look\tnot yet\n")
		}
	} else {
		fmt.Fprintf(w, "picdayd\tnot running\n")
	}
	if r := st.Rederive; r != nil {
		fmt.Fprintf(w, "new renditions\t%d of %d pictures\n", r.Done, r.Total)
	}
	fmt.Fprintf(w, "photos\t%d\n", st.Photos)
	if st.Unusual > 0 {
		fmt.Fprintf(w, "unusual\t%d of them\n", st.Unusual)
	}
	fmt.Fprintf(w, "problems\t%d\n", st.Problems)
	for _, d := range st.PolledDirs {
		fmt.Fprintf(w, "polled folder\t%s\n", terminal.Plain(d))
	}
	for _, warning := range st.Warnings {
		fmt.Fprintf(w, "warning\t%s\n", terminal.Plain(warning.Text))
	}
}
