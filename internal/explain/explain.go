// Package explain tells everything known about one path, and why the file there is
// in its state: from what is on the upload volume, what the catalogue has, and what
// the daemon says of itself.
package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"picday/internal/areas"
	"picday/internal/contract"
	"picday/internal/control"
	"picday/internal/filestate"
	"picday/internal/layout"
	"picday/internal/trees"
	"picday/internal/upload"
	"picday/store"
)

// An Explainer is what explanations are drawn from.
type Explainer struct {
	Store     *store.Store
	Trees     trees.Dir
	Volumes   *upload.Volumes
	VolumeErr error // why the upload volume is not the one that the catalogue knows, nil if it is
	Daemon    control.Status
	DaemonErr error // why the daemon cannot be asked, nil if Daemon is what it said
	// AskLooks asks the daemon how a file was looked at; nil: it cannot be asked.
	AskLooks func(ctx context.Context, account, path string) (control.Looks, error)

	Settle       time.Duration // [upload] settle
	SettleUnsure time.Duration // [upload] settle_unsure
	DeleteGrace  time.Duration // [upload] delete_grace
	Areas        areas.Names   // [upload] individuals, group
}

// An Explanation is everything known about one path of one account.
type Explanation struct {
	Account store.Account
	Path    string // in shown form
	State   filestate.State
	Why     []string       // sentences, the most important first
	File    *contract.File // nil if there is none, or a folder
	Photo   *store.Photo   // published at this path, whatever the file is now
	Problem *store.Problem // what the file was found to be
	Trash   []store.Photo  // withdrawn photos that had this path
	History []store.Activity
	Looks   control.Looks
}

// JSON is the explanation for programs. trashKeep is how long the trash keeps a photo.
func (x Explanation) JSON(publicURL string, trashKeep time.Duration) contract.Explanation {
	v := contract.Explanation{
		Account: x.Account.Name, Path: x.Path, State: string(x.State), File: x.File,
		Why: append([]string{}, x.Why...), Trash: []contract.TrashedPhoto{}, History: []contract.Event{},
	}
	if x.Photo != nil {
		photo := contract.NewPhoto(*x.Photo, publicURL)
		v.Photo = &photo
	}
	if x.Problem != nil {
		problem := contract.NewProblem(*x.Problem)
		v.Problem = &problem
	}
	for _, p := range x.Trash {
		v.Trash = append(v.Trash, contract.NewTrashedPhoto(p, trashKeep))
	}
	for _, e := range x.History {
		v.History = append(v.History, contract.Event{At: e.At, Event: e.Event, Path: e.Path, Detail: e.Detail, Operator: e.Operator})
	}
	v.Looks, v.NextAt = []contract.Look{}, x.Looks.Next
	for _, k := range x.Looks.Looks {
		v.Looks = append(v.Looks, contract.Look(k))
	}
	return v
}

// ExplainIn explains a path in every one of the accounts that has, or had, something
// there. The error is store.ErrNotFound if none has.
func (e *Explainer) ExplainIn(ctx context.Context, accounts []store.Account, path string) (found []Explanation, err error) {
	var denied error
	for _, acct := range accounts {
		of, not, err := e.Explain(ctx, acct, layout.FromRoot(acct.Layout, acct.Name, path))
		if err != nil {
			return nil, err
		}
		found, denied = append(found, of...), cmp.Or(not, denied)
	}
	shown := layout.Shown(path)
	switch {
	case len(found) > 0:
		return found, nil
	case os.IsPermission(denied):
		return nil, fmt.Errorf("nothing is known of %s, and only root can look whether there is such a file: run this with sudo (%w)", shown, denied)
	case denied != nil:
		return nil, fmt.Errorf("nothing is known of %s, and whether there is such a file cannot be looked at: %w", shown, denied)
	}
	return nil, fmt.Errorf("nothing is known of %s, and no account has such a file now: %w.\nGive the path as the uploader sees it, from the root of his view (job00001/Class 1/IMG_1.jpg)", shown, store.ErrNotFound)
}

// Explain explains a path of an account, which is given as somebody types it: with or
// without the bytes that are on disk. Several files may be shown under one path.
// Paths of which nothing is known are left out. denied is why one of those could
// not be looked at on disk, if it could not.
func (e *Explainer) Explain(ctx context.Context, acct store.Account, path string) (all []Explanation, denied error, err error) {
	raws, err := e.raws(ctx, acct, path)
	if err != nil {
		return nil, nil, err
	}
	for _, raw := range raws {
		f, err := e.gather(ctx, acct, raw)
		if err != nil {
			return all, denied, err
		}
		if f.file.Err != nil {
			denied = f.file.Err
		}
		if f.State != filestate.Unknown {
			all = append(all, f.Explanation)
		}
	}
	return all, denied, nil
}

// raws finds the paths, as they are on disk or were, that are shown as path.
// What somebody types is in another Unicode form than what a Mac has uploaded.
func (e *Explainer) raws(ctx context.Context, acct store.Account, path string) ([]string, error) {
	raws := append([]string{path}, shownAs(e.Trees.Of(acct, path), "", path)...)
	photos, err := e.Store.View(acct.ID).Photos(ctx, store.PhotoQuery{Path: path, Show: store.ShowBoth})
	if err != nil {
		return nil, err
	}
	for _, p := range photos {
		raws = append(raws, p.RawPath)
	}
	slices.Sort(raws)
	return slices.Compact(raws), nil
}

// shownAs finds the paths below dir that are shown as path.
func shownAs(base, dir, path string) (raws []string) {
	name, rest, more := strings.Cut(path, "/")
	entries, _ := filestate.ReadDir(base, dir)
	for _, entry := range entries {
		n := entry.Name()
		if n != name && layout.Shown(n) != layout.Shown(name) && layout.Shown(n) != name {
			continue
		}
		raw := strings.TrimPrefix(dir+"/"+n, "/")
		if !more {
			raws = append(raws, raw)
		} else {
			raws = append(raws, shownAs(base, raw, rest)...)
		}
	}
	return raws
}

// facts are what is known of one path.
type facts struct {
	*Explainer
	Explanation
	raw    string
	file   filestate.File
	upload store.Upload
	record filestate.Record
	job    store.Job // without an ID: there is none
	whose  []string  // sentences: whose the published photo is

	companion   string // what the JPEG beside a RAW or side file is called without its ending
	withdrawnBy string // the operator who has withdrawn the photo of the file
}

// gather finds out what is known of a path, and what follows from it.
func (e *Explainer) gather(ctx context.Context, acct store.Account, raw string) (*facts, error) {
	f := &facts{Explainer: e, Explanation: Explanation{Account: acct, Path: layout.Shown(raw)}, raw: raw}
	f.look()
	for _, ask := range []func(context.Context) error{f.uploadRow, f.photos, f.problem, f.history} {
		if err := ask(ctx); err != nil {
			return nil, err
		}
	}
	f.State = f.explained(filestate.Of(raw, f.file, f.record))
	var moved moved
	if f.State == filestate.Unknown {
		var err error
		if moved.to, moved.at, err = e.Store.All().MovedTo(ctx, acct, f.Path); err != nil {
			return nil, err
		}
		if moved.to != "" {
			f.State = filestate.Moved
		}
	}
	f.conclude(moved)
	if f.State != filestate.Unknown && f.AskLooks != nil {
		f.Looks, _ = f.AskLooks(ctx, acct.Name, raw) // a daemon that ended meanwhile says nothing
	}
	return f, nil
}

// explained is the state that is explained to people. Without a photo, a problem, or a
// file that can be looked at, there is nothing to explain.
func (f *facts) explained(state filestate.State) filestate.State {
	known := f.Photo != nil || f.record.Reason != ""
	switch {
	case state == filestate.Taken: // the catalogue has changed between two questions
		return filestate.Unknown
	case f.file.Err != nil && f.Photo != nil:
		return filestate.Published
	case !known && (f.file.Err != nil || state == filestate.Missing):
		return filestate.Unknown
	}
	return state
}

type moved struct {
	to string
	at time.Time
}

func (f *facts) look() {
	base := f.Trees.Of(f.Account, f.raw)
	if f.file = filestate.Look(base, f.raw, f.Volumes); f.file.Exists && !f.file.Dir {
		f.File = &contract.File{
			On: layout.Shown(filepath.Join(base, f.raw)), Bytes: f.file.Identity.Size,
			ChangedAt: time.Unix(0, f.file.Identity.Ctime).UTC(), Open: f.file.Writing == filestate.Yes,
		}
	}
}

func (f *facts) uploadRow(ctx context.Context) (err error) {
	f.upload, f.record.Known, err = f.Store.UploadAt(ctx, f.Account.ID, f.raw)
	if err != nil {
		return err
	}
	f.record.Identity, f.record.Reason = f.upload.Identity, f.upload.Reason
	rules, err := f.Account.Rules(f.Areas)
	if err != nil {
		return err
	}
	f.companion = rules.Of(f.raw).Companion
	f.record.Companion = f.companion != ""
	if f.Account.Layout != layout.Jobs {
		return nil
	}
	name, _, _ := strings.Cut(f.raw, "/")
	f.job, err = f.Store.View(f.Account.ID).Job(ctx, f.Account.Name, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (f *facts) photos(ctx context.Context) error {
	all, err := f.Store.View(f.Account.ID).Photos(ctx, store.PhotoQuery{RawPath: f.raw, Show: store.ShowBoth})
	if err != nil {
		return err
	}
	for _, p := range all {
		of := f.record.Known && p.ID == f.upload.PhotoID // the photo of the file that is or was here
		switch {
		case !p.WithdrawnAt.IsZero():
			f.Trash, f.record.InTrash = append(f.Trash, p), true
			if of {
				f.record.WithdrawnByOperator, f.withdrawnBy = true, p.WithdrawnBy
			}
		// If two photos share a path, prefer the one that the upload row points to.
		case f.Photo == nil || of:
			f.Photo, f.record.Published = &p, true
		}
	}
	if f.Photo == nil {
		return nil
	}
	if f.record.WithoutFile, err = f.Store.WithoutFile(ctx, f.Photo.ID); err != nil || f.Photo.Person != "" {
		return err
	}
	return f.cards(ctx)
}

func (f *facts) problem(ctx context.Context) error {
	if f.record.Reason == "" {
		return nil
	}
	all, err := f.Store.View(f.Account.ID).Problems(ctx, store.ProblemQuery{Account: f.Account.Name, RawPath: f.raw})
	if len(all) > 0 {
		f.Problem = &all[0]
	}
	return err
}

// history lists the last things that happened to the photo.
func (f *facts) history(ctx context.Context) (err error) {
	const last = 10
	id := f.upload.PhotoID
	if f.Photo != nil {
		id = f.Photo.ID
	}
	if id != 0 {
		f.History, err = f.Store.View(f.Account.ID).Activity(ctx, store.ActivityQuery{PhotoID: id, Limit: last})
	}
	return err
}
