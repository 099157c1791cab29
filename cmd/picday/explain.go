package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"picday/internal/contract"
	"picday/internal/explain"
	"picday/store"
)

func (a *app) explainCommand() *cobra.Command {
	var only string
	var showLink bool
	cmd := a.list("explain PATH", "Tell everything about one file, and why it is in its state", cobra.ExactArgs(1), a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		e, err := explain.New(ctx, *a.cfg, s, a.uploadVolumes())
		if err != nil {
			return err
		}
		found, err := e.ExplainTyped(ctx, only, args[0])
		if err != nil {
			return err
		}
		views := each(found, func(x explain.Explanation) contract.Explanation {
			if x.Photo != nil && !showLink {
				x.Photo.Link = contract.Masked(x.Photo.Link)
			}
			return x.JSON(a.cfg.Web.PublicURL, a.cfg.Upload.TrashKeep.Std())
		})
		return a.print(views, func(w io.Writer) { contract.ExplanationsText(w, views) })
	}))
	cmd.Flags().StringVar(&only, "account", "", "only in this `ACCOUNT`; without it, in all that have such a path")
	cmd.Flags().BoolVar(&showLink, "show-link", false, "print the whole link; whoever has it can see the picture")
	return cmd
}
