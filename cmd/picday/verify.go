package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"picday/internal/control"
	"picday/internal/verify"
)

func (a *app) verifyCommand() *cobra.Command {
	var repair bool
	var rate float64
	cmd := a.list("verify", "Compare uploads, catalogue and files, and check all hashes", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		if rate < 0 {
			return usagef("--rate %g: give the megabytes per second to read, or 0 for all that the disk gives", rate)
		}
		if _, err := a.system(); err != nil {
			return err
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		meter := a.meter("pictures read")
		v := verify.New(verify.Options{
			Store: s, DataDir: a.cfg.DataDir, UploadDir: a.cfg.UploadDir, Volumes: a.uploadVolumes(), Settle: a.cfg.Upload.Settle.Std(),
			Rescan:   func(ctx context.Context) error { return control.Rescan(ctx, a.cfg.RunDir, "", true) },
			Rate:     rate,
			Progress: meter.Show,
			Found: func(f verify.Finding) {
				meter.End()
				if !a.json { // at once, to who waits at a terminal
					fmt.Fprintln(a.stdout, f.JSON().Text())
				}
			},
		})
		if repair { // before everything is read, which takes long
			if err := v.CheckStopped(); err != nil {
				return err
			}
		}
		report, err := v.Run(ctx)
		meter.End()
		if err == nil && repair {
			report, err = v.Repair(ctx)
		}
		if err != nil {
			return err
		}
		return a.printReport(report)
	})
	cmd.Flags().BoolVar(&repair, "repair", false, "afterwards delete files that nothing points to, and have damaged\nrenditions made anew; picdayd must be stopped for it")
	cmd.Flags().Float64Var(&rate, "rate", 0, "read at most `MB` megabytes in a second; 0 = as fast as it goes")
	return cmd
}

func (a *app) printReport(r verify.Report) error {
	if r.Repaired() > 0 {
		a.say(fmt.Sprintf("deleted %d files that nothing pointed to; picdayd will make %d renditions anew when it starts", r.Removed, r.Remade))
	}
	report := r.JSON()
	err := a.print(report, report.Text)
	if n := len(r.Findings) - r.Repaired(); err == nil && n > 0 {
		err = fmt.Errorf("%d differences", n)
	}
	return err
}
