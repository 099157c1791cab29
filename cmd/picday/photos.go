package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"picday/internal/contract"
	"picday/internal/layout"
	"picday/internal/names"
	"picday/internal/tables"
	"picday/internal/trash"
	"picday/store"
)

func (a *app) photosCommand() *cobra.Command {
	const none = "No photos. What is uploaded and does not show here may be among 'picday problems'."
	var q store.PhotoQuery
	cmd := listCommand(a, "photos [ACCOUNT]", "List the published photos", none, tables.Photos, func(ctx context.Context, s *store.Store, account string) ([]contract.Photo, error) {
		q.Account = account
		if err := s.All().CheckJob(ctx, account, q.Job); err != nil {
			return nil, fmt.Errorf("%w: see 'picday job list'", err)
		}
		all, err := readAll(s.All().StreamPhotos(ctx, q), func(p store.Photo) contract.Photo { return contract.NewPhoto(p, a.cfg.Web.PublicURL) })
		return names.SortPaths(all, contract.Photo.Place), err
	})
	cmd.Flags().StringVar(&q.Job, "job", "", "only this `JOB`")
	cmd.Flags().StringVar(&q.Album, "album", "", "only this `ALBUM`")
	a.choice(cmd, &q.Area, "area", "", "only this `AREA`: individuals or group", layout.Individuals, layout.Group)
	cmd.Flags().StringVar(&q.Person, "person", "", "only the portrait of this `ID`")
	return cmd
}

func (a *app) problemsCommand() *cobra.Command {
	q := store.ProblemQuery{Order: store.ProblemsByPath}
	cmd := listCommand(a, "problems [ACCOUNT]", "List the files that cannot become photos, and why", "No problems.", tables.Problems, func(ctx context.Context, s *store.Store, account string) ([]contract.Problem, error) {
		q.Account = account
		problems, err := s.All().Problems(ctx, q)
		if err != nil || q.Ignored {
			return each(problems, contract.NewProblem), err
		}
		replaced, err := s.All().Replaced(ctx, account, 0, 0)
		return names.SortPaths(append(each(problems, contract.NewProblem), each(replaced, contract.NewReplaced)...), contract.Problem.Place), err
	})
	cmd.Flags().BoolVar(&q.Ignored, "ignored", false, "those of which an operator has said that they are no photos, instead of the others")
	return cmd
}

func (a *app) photoCommand() *cobra.Command {
	return a.group("photo", "See what a photo was before, and put that back",
		a.list("history ACCOUNT PATH|ID", "List the pictures that a photo was before", cobra.ExactArgs(2), a.withPhoto(a.photoHistory)),
		a.photoRevert(),
		a.command("accept ACCOUNT PATH|ID", "Say that a photo is rightly another shot than before", cobra.ExactArgs(2), a.withPhoto(func(ctx context.Context, s *store.Store, p store.Photo) error {
			return a.report(trash.Accept(ctx, s, p))
		})))
}

func (a *app) linkCommand() *cobra.Command {
	return a.group("link", "Show or rotate the link of one photo",
		a.list("show ACCOUNT PATH|ID", "Show the link of a photo, or of a person's portrait", cobra.ExactArgs(2), a.withPhoto(a.linkShow)),
		a.list("rotate ACCOUNT PATH|ID", "Give a photo a new link; the old one is dead at once", cobra.ExactArgs(2), a.withPhoto(a.linkRotate)))
}

// withPhoto finds the photo that the arguments name, for a command about one photo.
func (a *app) withPhoto(do func(ctx context.Context, s *store.Store, p store.Photo) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		s, acct, err := a.account(ctx, args[0])
		if err != nil {
			return err
		}
		p, err := s.View(acct.ID).Named(ctx, layout.FromRoot(acct.Layout, acct.Name, args[1]), args[1])
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("account %q has no photo %q: %w: see 'picday photos %s'", args[0], args[1], store.ErrNotFound, args[0])
		}
		if err != nil {
			return err
		}
		return do(ctx, s, p)
	}
}

func (a *app) photoHistory(ctx context.Context, s *store.Store, p store.Photo) error {
	pictures, err := contract.History(ctx, s, p, a.cfg.Upload.TrashKeep.Std())
	if err != nil {
		return err
	}
	return printList(a, pictures, "", tables.Pictures)
}

func (a *app) photoRevert() *cobra.Command {
	var sha string
	revert := func(ctx context.Context, s *store.Store, p store.Photo) error {
		done, err := trash.Revert(ctx, s, p, sha)
		return a.did(err, done)
	}
	cmd := a.command("revert ACCOUNT PATH|ID", "Show an earlier picture again under the photo's link", cobra.ExactArgs(2), a.withPhoto(revert))
	cmd.Flags().StringVar(&sha, "sha256", "", "the earlier picture whose SHA-256 begins with `HEX`\n(default: the one whose place another shot took, or else the latest)")
	return cmd
}

func (a *app) linkShow(_ context.Context, _ *store.Store, p store.Photo) error {
	v := contract.NewLink(p, a.cfg.Web.PublicURL)
	if v.WithdrawnAt != nil {
		a.say(p.Path + " was withdrawn: its link answers 404 until it is restored")
	}
	return a.print(v, func(w io.Writer) { fmt.Fprintln(w, v.URL) })
}

func (a *app) linkRotate(ctx context.Context, s *store.Store, p store.Photo) error {
	if err := a.did(trash.Rotate(ctx, s, &p), "the old link of "+p.Path+" is dead, this is the new one:"); err != nil {
		return err
	}
	return a.linkShow(ctx, s, p)
}
