package rebuild

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"picday/internal/layout"
	"picday/internal/localtime"
	"picday/internal/trees"
	"picday/store"
	"picday/store/pictures"
)

// account makes the rows of an account fit what is on the upload volume.
func (r *run) account(ctx context.Context, a store.Account) error {
	if _, err := os.Lstat(r.trees.Base(a.Name)); errors.Is(err, fs.ErrNotExist) {
		before, err := r.staged.View(a.ID).Counts(ctx)
		if err != nil {
			return err
		}
		r.report.Withdrawn += before.Photos
		r.report.say("The account %s has no folder: was it removed since? Its photos are in the trash. End it with 'picday account remove %[1]s --files'.", a.Name)
		return r.staged.EmptyAccount(ctx, a, nil)
	}
	if a.Layout == layout.Jobs {
		if err := r.jobs(ctx, a); err != nil {
			return err
		}
	}
	return r.files(ctx, a)
}

// jobs sets the state of each job after the place where its folder is, and adds jobs for
// folders that the manifest does not know.
func (r *run) jobs(ctx context.Context, a store.Account) error {
	all, err := r.staged.View(a.ID).Jobs(ctx, store.JobQuery{Account: a.Name})
	if err != nil {
		return err
	}
	known := map[string]store.Job{}
	for _, j := range all {
		known[j.Name] = j
	}
	for _, place := range []struct {
		dir   string
		state store.JobState
	}{{r.trees.Base(a.Name), store.Planned}, {r.trees.ActiveBase(a.Name), store.Active}} {
		entries, err := os.ReadDir(place.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			name := e.Name()
			if !e.IsDir() || layout.IsNoise(name) || r.trees.CheckJob(a.Name, name) != nil {
				continue
			}
			if j, ok := known[name]; ok && j.State == place.state {
				continue
			}
			_, ok := known[name]
			if err := r.staged.Update(ctx, func(tx *store.Tx) error { return tx.AddJob(a, name) }); err != nil {
				return err
			}
			j, err := r.staged.View(a.ID).Job(ctx, a.Name, name)
			if err != nil {
				return err
			}
			if err := r.staged.Update(ctx, func(tx *store.Tx) error { return tx.SetJobState(j, place.state, "") }); err != nil {
				return err
			}
			if ok {
				r.report.JobsMoved++
			} else {
				r.report.JobsAdded++
			}
			if place.state == store.Active {
				r.report.say("The job %s of %s is active, and photos that came into it after the manifest are not known. To take them in: 'picday job plan %s %s', and activate it when they are there.", name, a.Name, a.Name, name)
			}
		}
	}
	return nil
}

// atOnce is the number of files whose rows are changed in one transaction.
const atOnce = 500

// files compares each file that the manifest knows with the one that is there.
func (r *run) files(ctx context.Context, a store.Account) error {
	dirs, err := r.staged.KnownDirs(ctx, a.ID)
	if err != nil {
		return err
	}
	var changed []string
	for _, dir := range dirs {
		known, err := r.staged.Known(ctx, a.ID, dir)
		if err != nil {
			return err
		}
		for name, id := range known {
			path := filepath.Join(dir, name)
			full := filepath.Join(r.trees.Of(a, path), path)
			fi, err := os.Lstat(full)
			switch {
			case err == nil && r.volumes.IdentityOf(fi, filepath.Dir(full)) == id:
			case err == nil, errors.Is(err, fs.ErrNotExist):
				changed = append(changed, path)
			default:
				return err
			}
		}
	}
	for some := range slices.Chunk(changed, atOnce) {
		err := r.staged.Update(ctx, func(tx *store.Tx) error {
			for _, path := range some {
				withdrawn, err := tx.ForgetFile(a, path)
				if err != nil {
					return err
				}
				if withdrawn {
					r.report.Withdrawn++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// originals counts those that only the disk or only the manifest has.
func (r *run) originals(ctx context.Context) error {
	files := pictures.In(r.cfg.DataDir)
	for o, err := range r.staged.Pictures(ctx) {
		if err != nil {
			return err
		}
		if !files.Has(pictures.Original(o.SHA), o.Bytes) {
			r.report.LostOriginals++
		}
	}
	err := r.staged.OrphansIn(ctx, files, func(name pictures.Name, _ fs.FileInfo) error {
		if strings.HasPrefix(string(name), "originals/") {
			r.report.NewOriginals++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.report.NewOriginals > 0 {
		r.report.say("%d originals belong to no photo of the manifest. Those whose upload is still there are taken in again. The others are photos of whose place nothing is known: look at them before 'picday verify --repair' deletes them.", r.report.NewOriginals)
	}
	if r.report.LostOriginals > 0 {
		r.report.say("%d originals are not on disk: they were collected after the manifest, or are lost. 'picday verify' names their photos.", r.report.LostOriginals)
	}
	return nil
}

// unknownAccounts names folders of accounts that were made after the manifest.
func (r *run) unknownAccounts(ctx context.Context) error {
	entries, err := os.ReadDir(string(r.trees))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || e.Name() == trees.ActiveDir || e.Name() == "lost+found" {
			continue
		}
		if _, err := r.staged.All().Account(ctx, e.Name()); errors.Is(err, store.ErrNotFound) {
			r.report.say("The folder %s is of no account of the manifest: its layout, log-ins and addresses are not known. Nothing in it is taken in.", filepath.Join(string(r.trees), layout.Shown(e.Name())))
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) alwaysUnknown() {
	at := localtime.Format(r.report.AsOf)
	r.report.say("Links that were rotated, photos that operators withdrew, and earlier pictures that they put back, after %s: rotate and withdraw them again. 'picday link rotate' ends a link.", at)
	r.report.say("The links of photos of jobs that came after %s: they get new ones, so that no link ever shows another photo. Portraits keep theirs.", at)
	r.report.say("Lists of people, cards that people typed, who is on a photo by a person's word, and decisions about proposals, after %s: take the lists again, and look at the pages of jobs with cards. The links from before an approval since show their photos again: rotate those.", at)
	r.report.say("Accounts, log-ins, operators and tokens that were made, changed or ended after %s: compare 'picday account list', 'picday operator list' and 'picday token list'. All operators log in again.", at)
}
