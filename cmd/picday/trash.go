package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/store"
)

func (a *app) trashCommand() *cobra.Command {
	return a.group("trash", "List photos whose files were deleted, bring them back, end them", a.trashList(), a.trashRestore(), a.trashEmpty())
}

func (a *app) trashList() *cobra.Command {
	return a.list("list [ACCOUNT]", "List withdrawn photos and when they end", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		s, name, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		trash := []trashView{}
		err = s.Photos(ctx, store.PhotoFilter{Account: name, Withdrawn: true}, func(p store.Photo) error {
			ends := p.WithdrawnAt.Add(cfg.Upload.TrashKeep.Std())
			if ends.After(store.LatestTime) {
				ends = store.LatestTime // JSON has no later year
			}
			trash = append(trash, trashView{p.Account, p.Path, p.SHA.String(), p.WithdrawnAt, p.WithdrawnBy, ends})
			return nil
		})
		if err != nil {
			return err
		}
		return a.print(trash, func(w io.Writer) {
			rows := [][]string{}
			for _, t := range trash {
				rows = append(rows, []string{t.Account, t.Path, t.SHA256[:12], when(t.WithdrawnAt), cmp.Or(t.WithdrawnBy, "uploader"), when(t.ExpiresAt)})
			}
			a.table(w, "The trash is empty.", "ACCOUNT\tPATH\tSHA256\tWITHDRAWN\tBY\tENDS", rows)
		})
	})
}

func (a *app) trashRestore() *cobra.Command {
	var sha string
	cmd := a.command("restore ACCOUNT PATH", "Put a deleted file back where it was, and publish it again", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		return a.alter(ctx, args[0], func(sys *account.System, s *store.Store, acct store.Account, _ []store.Account) ([]string, error) {
			p, err := s.Trashed(ctx, acct.Name, fromRoot(acct, args[1]), strings.ToLower(sha))
			if err != nil {
				return nil, err
			}
			if p.WithdrawnBy != "" {
				err := s.Update(ctx, func(tx *store.Tx) error { return tx.RestoreBy(p.ID, "") })
				if !errors.Is(err, store.ErrNoFile) {
					return []string{fmt.Sprintf("%s, withdrawn by %s, is published again", p.Path, p.WithdrawnBy)}, err
				}
			}
			fi, err := sys.PutBack(acct, p.RawPath, func(to io.Writer) error { return s.WriteOriginal(ctx, p, to) })
			if err != nil {
				return nil, notToBeHad(err)
			}
			err = s.Update(ctx, func(tx *store.Tx) error {
				return tx.Restore(acct, p, a.identity(fi, filepath.Join(a.cfg.UploadDir, acct.Name, p.RawPath)))
			})
			return []string{fmt.Sprintf("%s is back, under its old link", p.Path)}, err
		})
	})
	cmd.Flags().StringVar(&sha, "sha256", "", "where several pictures had this path: the one whose SHA-256 begins with `HEX`\n(default: the one withdrawn last)")
	return cmd
}

// notToBeHad says what is to be done about an original that cannot be put back.
func notToBeHad(err error) error {
	if errors.Is(err, store.ErrDamaged) {
		return fmt.Errorf("%w. Nothing was put back: copy it from the backup directory over the damaged one and try again, or have the photo uploaded again", err)
	}
	return err
}

func (a *app) trashEmpty() *cobra.Command {
	return a.command("empty [ACCOUNT]", "End the photos in the trash now", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		s, name, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		var id int64
		if name != "" {
			acct, err := s.Account(ctx, name)
			if err != nil {
				return err
			}
			id = acct.ID
		}
		var n int64
		// In steps: picdayd gets its turn between two.
		for from := (store.Cursor{More: true}); err == nil && from.More; {
			err = s.Update(ctx, func(tx *store.Tx) error {
				ended, to, err := tx.Empty(id, from, 500)
				if err == nil {
					n, from = n+ended, to
				}
				return err
			})
		}
		if err == nil {
			a.say(fmt.Sprintf("%d photos ended; picdayd deletes their files", n))
		}
		return err
	})
}
