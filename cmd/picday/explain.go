package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/contract"
	"picday/internal/control"
	"picday/layout"
	"picday/store"
)

// The states that explain tells apart.
const (
	stateFolder    = "folder"
	stateIgnored   = "ignored"   // a temporary or system name, or a RAW file beside its JPEG
	stateOpen      = "open"      // somebody is writing it
	stateWaiting   = "waiting"   // picdayd has not dealt with it as it is now
	statePublished = "published" // it is a photo
	stateProblem   = "problem"
	stateMissing   = "missing"   // published, but the file is gone
	stateWithdrawn = "withdrawn" // in the trash
	stateMoved     = "moved"     // the photo is elsewhere
)

// An explanation is everything known about one path of one account.
type explanation struct {
	Account string            `json:"account"`
	Path    string            `json:"path"`
	State   string            `json:"state"`
	Why     []string          `json:"why"` // sentences, the most important first
	File    *fileView         `json:"file,omitempty"`
	Photo   *contract.Photo   `json:"photo,omitempty"` // published at this path, whatever the file is now
	Problem *contract.Problem `json:"problem,omitempty"`
	Trash   []trashView       `json:"trash"` // withdrawn photos that had this path
	History []eventView       `json:"history"`
}

// A fileView is what lies on the upload volume.
type fileView struct {
	On        string    `json:"on"` // on this machine
	Bytes     int64     `json:"bytes"`
	ChangedAt time.Time `json:"changed_at"`
	Open      bool      `json:"open"` // for writing
}

type eventView struct {
	At       time.Time   `json:"at"`
	Event    store.Event `json:"event"`
	Path     string      `json:"path"`
	Detail   string      `json:"detail,omitempty"`
	Operator string      `json:"operator,omitempty"`
}

func (a *app) explainCommand() *cobra.Command {
	var only string
	var showLink bool
	cmd := a.list("explain PATH", "Tell everything about one file, and why it is in its state", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		cfg, err := a.config()
		if err != nil {
			return err
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		path := args[0]
		if rest, ok := strings.CutPrefix(path, cfg.UploadDir+"/"); ok { // as root sees it
			only, path, _ = strings.Cut(strings.TrimPrefix(rest, ".active/"), "/")
		}
		if path = strings.Trim(path, "/"); path == "" {
			return usagef("which file? Give its path as the uploader sees it, from the root of his view")
		}
		e := &explainer{app: a, s: s, sys: account.New(cfg), showLink: showLink}
		found, err := e.search(ctx, only, path)
		if err != nil {
			return err
		}
		if len(found) == 0 && e.denied != nil {
			return fmt.Errorf("nothing is known of %s, and only root can look whether there is such a file: run this with sudo (%w)", layout.Shown(path), e.denied)
		}
		if len(found) == 0 {
			return fmt.Errorf("nothing is known of %s, and no account has such a file now: %w.\nGive the path as the uploader sees it, from the root of his view (job00001/Class 1/IMG_1.jpg)", layout.Shown(path), store.ErrNotFound)
		}
		return a.print(found, func(w io.Writer) {
			for i, x := range found {
				if i > 0 {
					fmt.Fprintln(w)
				}
				x.text(w)
			}
		})
	})
	cmd.Flags().StringVar(&only, "account", "", "only in this `ACCOUNT`; without it, in all that have such a path")
	cmd.Flags().BoolVar(&showLink, "show-link", false, "print the whole link; whoever has it can see the picture")
	cmd.Long = `Tell everything known about one file, and why it is in the state it is in. PATH
is what the uploader sees, from the root of his SFTP view:
"job00001/Class 1/IMG_1.jpg", "lincoln/user-pictures/2012.jpg". What is said can be
passed on: of the link only the beginning is in it.`
	return cmd
}

// An explainer is one run of explain.
type explainer struct {
	*app
	s   *store.Store
	sys *account.System

	showLink bool

	daemon    control.Status
	daemonErr error
	volumeErr error
	denied    error // somewhere the file itself could not be looked at
}

// search explains a path in every account that has, or had, something there.
func (e *explainer) search(ctx context.Context, only, path string) ([]*explanation, error) {
	accounts, err := e.s.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := e.s.Kept(ctx)
	if err != nil {
		return nil, err
	}
	accounts = append(accounts, kept...)
	if only != "" {
		acct, err := e.s.Account(ctx, only)
		if err != nil {
			return nil, fmt.Errorf("%w: see 'picday account list'", err)
		}
		accounts = []store.Account{acct}
	}
	ask, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	e.daemon, e.daemonErr = control.Ask(ask, e.cfg.RunDir)
	if e.volumeErr = e.s.CheckVolume(ctx, e.cfg.UploadDir); e.volumeErr != nil && !errors.Is(e.volumeErr, store.ErrVolume) {
		return nil, e.volumeErr
	}
	found := []*explanation{}
	for _, acct := range accounts {
		raws, err := e.raw(ctx, acct, fromRoot(acct, path))
		if err != nil {
			return nil, err
		}
		for _, raw := range raws {
			x, err := e.explain(ctx, acct, raw)
			if err != nil {
				return nil, err
			}
			if x.State != "" {
				found = append(found, x)
			}
		}
	}
	return found, nil
}

// raw finds the paths, as they are on disk or were, that are shown as path.
// What somebody types or pastes is in another Unicode form than what a Mac
// has uploaded.
func (e *explainer) raw(ctx context.Context, acct store.Account, path string) ([]string, error) {
	raws := []string{path}
	if tree, err := e.sys.Tree(acct, path); err == nil {
		defer tree.Close()
		raws = append(raws, shownAs(tree, "", path)...)
	}
	for _, withdrawn := range []bool{false, true} {
		if err := e.s.Photos(ctx, store.PhotoFilter{Account: acct.Name, Path: path, Withdrawn: withdrawn}, func(p store.Photo) error {
			raws = append(raws, p.RawPath)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	slices.Sort(raws)
	return slices.Compact(raws), nil
}

// masked is a link as it can be passed on with a question: enough to see that two
// are the same one.
func masked(link string) string {
	const enough = 6
	return link[:min(enough, len(link))] + "…"
}

func (x *explanation) text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\t%s\n", x.Account, plain(x.Path), x.State)
	for _, why := range x.Why {
		fmt.Fprintf(w, "  %s\n", plain(why))
	}
	if f := x.File; f != nil {
		fmt.Fprintf(w, "  file\t%s, %s, changed %s\n", plain(f.On), size(f.Bytes), when(f.ChangedAt))
	}
	if p := x.Photo; p != nil {
		fmt.Fprintf(w, "  link\t%s\n", p.URL)
		fmt.Fprintf(w, "  original\t%s, %d×%d, %s\n", p.SHA256, p.Width, p.Height, size(p.Bytes))
		if p.TakenAt != nil {
			fmt.Fprintf(w, "  taken\t%s\n", strings.Replace(p.TakenLocal, "T", " ", 1)+" "+p.TakenZone)
		}
		fmt.Fprintf(w, "  published\t%s\n", when(p.IngestedAt))
		for _, r := range p.Renditions {
			fmt.Fprintf(w, "  rendition\t%s, %d×%d, %s\n", r.Name, r.Width, r.Height, size(r.Bytes))
		}
		if len(p.Flags) > 0 {
			fmt.Fprintf(w, "  flags\t%s\n", strings.Join(p.Flags, " "))
		}
	}
	for _, t := range x.Trash {
		fmt.Fprintf(w, "  in the trash\t%s, withdrawn %s, ends %s\n", t.SHA256, when(t.WithdrawnAt), when(t.ExpiresAt))
	}
	for _, ev := range x.History {
		line := fmt.Sprintf("%s %s", ev.Event, ev.Path)
		switch {
		case ev.Event == store.EventMoved:
			line += " from " + ev.Detail
		case ev.Detail != "":
			line += " (" + ev.Detail + ")"
		}
		if ev.Operator != "" {
			line += " by " + ev.Operator
		}
		fmt.Fprintf(w, "  %s\t%s\n", when(ev.At), plain(line))
	}
}
