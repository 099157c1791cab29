package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"picday/store"
)

func (a *app) photoCommand() *cobra.Command {
	return a.group("photo", "See what a photo was before, and put that back", a.photoHistory(), a.photoRevert(), a.photoAccept())
}

// A pastView is one row of photo history.
type pastView struct {
	Account    string     `json:"account"`
	Path       string     `json:"path"`
	Current    bool       `json:"current"`
	SHA256     string     `json:"sha256"`
	Bytes      int64      `json:"bytes"`
	Width      int        `json:"width"`
	Height     int        `json:"height"`
	TakenLocal string     `json:"taken_local,omitempty"`
	Camera     string     `json:"camera,omitempty"`
	Serial     string     `json:"serial,omitempty"`
	IngestedAt time.Time  `json:"ingested_at"`
	ReplacedAt *time.Time `json:"replaced_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
}

func (a *app) photoHistory() *cobra.Command {
	return a.list("history ACCOUNT PATH|ID", "List the pictures that a photo was before", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		s, p, err := a.linked(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		past, err := s.View(0).History(ctx, p)
		if err != nil {
			return err
		}
		all := []pastView{}
		for _, h := range append([]store.Past{{SHA: p.SHA, Bytes: p.Bytes, Width: p.Width, Height: p.Height, IngestedAt: p.IngestedAt}}, past...) {
			o, _, err := s.Original(ctx, h.SHA)
			if err != nil {
				return err
			}
			v := pastView{
				Account: p.Account, Path: p.Path, SHA256: h.SHA.String(), Bytes: h.Bytes, Width: h.Width, Height: h.Height,
				Camera: o.Camera.Model, Serial: o.Camera.Serial, IngestedAt: h.IngestedAt, Current: h.ReplacedAt.IsZero(),
			}
			if !o.Camera.TakenAt.IsZero() {
				v.TakenLocal = o.Camera.TakenAt.Format("2006-01-02T15:04:05.999")
			}
			if !v.Current {
				ends := h.ReplacedAt.Add(cfg.Upload.TrashKeep.Std())
				v.ReplacedAt, v.ExpiresAt = &h.ReplacedAt, &ends
				if ends.After(store.LatestTime) {
					v.ExpiresAt = &store.LatestTime // JSON has no later year
				}
			}
			all = append(all, v)
		}
		return a.print(all, func(w io.Writer) {
			rows := [][]string{}
			for _, v := range all {
				until, ends := "now", "-"
				if !v.Current {
					until, ends = when(*v.ReplacedAt), when(*v.ExpiresAt)
				}
				rows = append(rows, []string{
					v.SHA256[:12], fmt.Sprintf("%d×%d", v.Width, v.Height), size(v.Bytes), cmp.Or(strings.Replace(v.TakenLocal, "T", " ", 1), "-"), cmp.Or(v.Camera, "-"),
					when(v.IngestedAt), until, ends,
				})
			}
			a.table(w, "", "SHA256\tPIXELS\tSIZE\tTAKEN\tCAMERA\tSHOWN FROM\tUNTIL\tENDS", rows)
		})
	})
}

func (a *app) photoRevert() *cobra.Command {
	var sha string
	cmd := a.command("revert ACCOUNT PATH|ID", "Show an earlier picture again under the photo's link", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		s, p, err := a.linked(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		var now store.SHA
		err = s.Update(ctx, func(tx *store.Tx) (err error) {
			now, err = tx.Revert(p.ID, sha, "")
			return err
		})
		switch {
		case errors.Is(err, store.ErrNoEarlier):
			return fmt.Errorf("%s: %w: see 'picday photo history'", p.Path, err)
		case errors.Is(err, store.ErrNotShown):
			return refusef("%s: %w: restore it first", p.Path, err)
		case err != nil:
			return err
		}
		a.say(fmt.Sprintf("%s shows %s again, under its old link", p.Path, now.String()[:12]))
		return nil
	})
	cmd.Flags().StringVar(&sha, "sha256", "", "the earlier picture whose SHA-256 begins with `HEX`\n(default: the one whose place another shot took, or else the latest)")
	return cmd
}

func (a *app) photoAccept() *cobra.Command {
	return a.command("accept ACCOUNT PATH|ID", "Say that a photo is rightly another shot than before", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		s, p, err := a.linked(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		if p.Replaced == (store.SHA{}) {
			a.say("nothing to do, nobody is told of it")
			return nil
		}
		return s.Update(ctx, func(tx *store.Tx) error { return tx.Accept(p.ID, "") })
	})
}
