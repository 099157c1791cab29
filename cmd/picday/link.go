package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"picday/layout"
	"picday/store"
)

func (a *app) linkCommand() *cobra.Command {
	return a.group("link", "Show or rotate the link of one photo", a.linkShow(), a.linkRotate())
}

func (a *app) linkShow() *cobra.Command {
	return a.list("show ACCOUNT PATH|ID", "Show the link of a photo, or of a person's portrait", cobra.ExactArgs(2),
		func(ctx context.Context, args []string) error {
			_, p, err := a.linked(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			return a.printLink(p)
		})
}

func (a *app) linkRotate() *cobra.Command {
	return a.list("rotate ACCOUNT PATH|ID", "Give a photo a new link; the old one is dead at once", cobra.ExactArgs(2),
		func(ctx context.Context, args []string) error {
			s, p, err := a.linked(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			if err := s.Update(ctx, func(tx *store.Tx) (err error) {
				p.Link, err = tx.Rotate(p.ID, "")
				return err
			}); err != nil {
				return err
			}
			a.say("the old link of " + p.Path + " is dead, this is the new one:")
			return a.printLink(p)
		})
}

// linked finds the photo that somebody calls by its path or its person's ID:
// the published one, or else the one withdrawn last.
func (a *app) linked(ctx context.Context, account, name string) (s *store.Store, p store.Photo, err error) {
	s, acct, err := a.account(ctx, account)
	if err != nil {
		return s, p, err
	}
	for _, show := range []store.Show{store.ShowPublished, store.ShowWithdrawn} {
		for _, f := range []store.PhotoFilter{{Path: fromRoot(acct, name)}, {Person: name}} {
			f.Account = acct.Name
			found, err := s.View(acct.ID).Photos(ctx, store.PhotoQuery{PhotoFilter: f, Show: show, Order: store.ByChange})
			if err != nil {
				return s, p, err
			}
			if n := len(found); n > 0 {
				return s, found[n-1], found[n-1].Flawed()
			}
		}
	}
	return s, p, fmt.Errorf("account %q has no photo %q: %w: see 'picday photos %s'", account, name, store.ErrNotFound, account)
}

// fromRoot is a path from the root of the SFTP view. A school starts in its own
// folder there, and seldom names it.
func fromRoot(acct store.Account, path string) string {
	if acct.Layout == store.Portraits && acct.Name != layout.UserPictures && strings.HasPrefix(path, layout.UserPictures+"/") {
		return acct.Name + "/" + path
	}
	return path
}

func (a *app) printLink(p store.Photo) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	v := linkView{Account: p.Account, Path: p.Path, Person: p.Person, Link: p.Link, URL: cfg.Web.PublicURL + "/" + p.Link + ".jpg"}
	if !p.WithdrawnAt.IsZero() {
		v.WithdrawnAt = &p.WithdrawnAt
		a.say(p.Path + " was withdrawn: its link answers 404 until it is restored")
	}
	return a.print(v, func(w io.Writer) { fmt.Fprintln(w, v.URL) })
}
