package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"picday/contract"
	"picday/layout"
	"picday/store"
)

func (a *app) photosCommand() *cobra.Command {
	var f store.PhotoFilter
	cmd := a.list("photos [ACCOUNT]", "List the published photos", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		if f.Area != "" && f.Area != layout.Individuals && f.Area != layout.Group {
			return usagef("--area %s: use individuals or group", f.Area)
		}
		s, name, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		f.Account = name
		photos := []contract.Photo{}
		if err := s.Photos(ctx, f, func(p store.Photo) error {
			photos = append(photos, contract.NewPhoto(p, cfg.Web.PublicURL))
			return nil
		}); err != nil {
			return err
		}
		return a.print(photos, func(w io.Writer) {
			rows := [][]string{}
			for _, p := range photos {
				rows = append(rows, []string{
					p.Account, p.Path, fmt.Sprintf("%d×%d", p.Width, p.Height), size(p.Bytes),
					when(p.IngestedAt), strings.Join(p.Flags, " "), p.URL,
				})
			}
			a.table(w, "No photos. What is uploaded and does not show here may be among 'picday problems'.",
				"ACCOUNT\tPATH\tPIXELS\tSIZE\tPUBLISHED\tFLAGS\tURL", rows)
		})
	})
	cmd.Flags().StringVar(&f.Job, "job", "", "only this `JOB`")
	cmd.Flags().StringVar(&f.Album, "album", "", "only this `ALBUM`")
	cmd.Flags().StringVar(&f.Area, "area", "", "only this `AREA`: individuals or group")
	choose(cmd, "area", "individuals", "group")
	cmd.Flags().StringVar(&f.Person, "person", "", "only the portrait of this `ID`")
	return cmd
}

func (a *app) problemsCommand() *cobra.Command {
	return a.list("problems [ACCOUNT]", "List the files that cannot become photos, and why", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		s, name, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		all, err := s.Problems(ctx, name)
		if err != nil {
			return err
		}
		problems := []contract.Problem{}
		for _, p := range all {
			problems = append(problems, contract.NewProblem(p))
		}
		replaced, err := s.View(0).Replaced(ctx, name, 0, 0)
		if err != nil {
			return err
		}
		for _, p := range replaced {
			problems = append(problems, contract.NewReplaced(p))
		}
		return a.print(problems, func(w io.Writer) {
			rows := [][]string{}
			for _, p := range problems {
				note := p.Message
				if p.DeleteAfter != nil {
					note += " It is deleted after " + when(*p.DeleteAfter) + "."
				}
				rows = append(rows, []string{p.Account, p.Path, string(p.Reason), when(p.Since), note})
			}
			a.table(w, "No problems.", "ACCOUNT\tPATH\tREASON\tSINCE\tWHAT TO DO", rows)
		})
	})
}
