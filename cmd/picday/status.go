package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/control"
)

func (a *app) statusCommand() *cobra.Command {
	return a.list("status", "Show whether picdayd is alive and what it is doing", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		cfg, err := a.config()
		if err != nil {
			return err
		}
		ask, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		st, notRunning := control.Ask(ask, cfg.RunDir)
		if notRunning != nil {
			// What the catalogue knows is worth showing all the same.
			if st, err = a.askCatalogue(ctx); err != nil {
				return err
			}
		}
		if err := a.print(st, func(w io.Writer) { a.statusText(w, st) }); err != nil {
			return err
		}
		if errors.Is(notRunning, control.ErrNotRunning) {
			return fmt.Errorf("%w: start it with 'systemctl start picdayd'", notRunning)
		}
		return notRunning
	})
}

func (a *app) statusText(w io.Writer, st control.Status) {
	if st.Running {
		fmt.Fprintf(w, "picdayd\trunning since %s, version %s\n", when(*st.Since), st.Version)
		if st.LastProvenAlive != nil {
			fmt.Fprintf(w, "last proven alive\t%s ago\n", time.Since(*st.LastProvenAlive).Round(time.Second))
		}
		fmt.Fprintf(w, "waiting to settle\t%d", st.Waiting)
		if st.Waiting > 0 {
			fmt.Fprintf(w, ", the oldest for %.0f s", st.OldestWaitingSeconds)
		}
		fmt.Fprintf(w, "\nqueued\t%d\n", st.Queued)
		for _, p := range st.InProgress {
			fmt.Fprintf(w, "in progress\t%s  %s (%s)\n", p.Account, plain(p.Path), size(p.Bytes))
		}
		for _, u := range st.Unsure {
			fmt.Fprintf(w, "unsure\t%s  %s (missing since %s: %s)\n", u.Account, plain(u.Path), when(u.Since), plain(u.Why))
		}
		fmt.Fprintf(w, "watched folders\t%d\n", st.WatchedDirs)
		if st.LastScan != nil {
			fmt.Fprintf(w, "last full look\t%s, %d files in %.1f s\n", when(st.LastScan.At), st.LastScan.Files, st.LastScan.Seconds)
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
		fmt.Fprintf(w, "polled folder\t%s\n", plain(d))
	}
	for _, warning := range st.Warnings {
		fmt.Fprintf(w, "warning\t%s\n", plain(warning))
	}
}

func (a *app) rescanCommand() *cobra.Command {
	var wait bool
	cmd := a.command("rescan [ACCOUNT]", "Have picdayd look at all uploads again", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		_, name, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		err = control.Rescan(ctx, cfg.RunDir, name, wait)
		if errors.Is(err, control.ErrNotRunning) {
			return fmt.Errorf("%w: it looks at everything when it starts ('systemctl start picdayd')", err)
		}
		return err
	})
	cmd.Flags().BoolVar(&wait, "wait", false, "return once everything that is there is taken or known to wait")
	return cmd
}
