package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"picday/account"
	"picday/store"
)

// A difference is one thing that is not as the catalogue says.
type difference struct {
	Kind    string `json:"kind"` // catalogue, volume, original, rendition, upload, folder, no-file, double, link, orphan
	Account string `json:"account,omitempty"`
	Path    string `json:"path,omitempty"` // as the uploader sees it
	File    string `json:"file,omitempty"` // on this machine
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// A verifyView is verify --json.
type verifyView struct {
	Originals   int           `json:"originals"`
	Renditions  int           `json:"renditions"`
	Bytes       int64         `json:"bytes"` // read
	Uploads     int           `json:"uploads"`
	Waiting     int           `json:"waiting"` // uploads that picdayd has not taken yet: no difference
	Repaired    int           `json:"repaired"`
	Differences []*difference `json:"differences"`
}

// A verification is one run of verify.
type verification struct {
	*app
	s     *store.Store
	sys   *account.System
	meter *meter
	rate  *rate.Limiter // nil = none

	mu     sync.Mutex // guards what follows
	view   verifyView
	remake []store.PictureFile // renditions whose originals are right
}

const verifyLong = `Compare the uploads, the catalogue, and the originals and renditions on disk.
Every original and every rendition is read and hashed, every rendition decoded;
there is one photo at a path, with its file, and every link is computed again.
picdayd may go on working: what it has in hand is no difference, and
what changes meanwhile is looked at again. Exit status 1 on any difference.`

func (a *app) verifyCommand() *cobra.Command {
	var repair bool
	var rate float64
	cmd := a.list("verify", "Compare uploads, catalogue and files, and check all hashes", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		if rate < 0 {
			return usagef("--rate %g: give the megabytes per second to read, or 0 for all that the disk gives", rate)
		}
		sys, err := a.system()
		if err != nil {
			return err
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		if repair {
			unlock, err := a.stopped()
			if err != nil {
				return err
			}
			unlock() // not kept: reading everything takes long, and picdayd may start meanwhile
		}
		v := &verification{app: a, s: s, sys: sys, meter: a.meter("pictures read"), rate: newThrottle(rate)}
		v.view.Differences = []*difference{}
		for _, look := range []func(context.Context) error{v.catalogue, v.pictures, v.orphans, v.uploads, v.photos} {
			err := look(ctx)
			v.meter.end()
			if err != nil {
				return err
			}
		}
		if repair {
			if err := v.repair(ctx); err != nil {
				return err
			}
		}
		return v.report()
	})
	cmd.Long = verifyLong
	cmd.Flags().BoolVar(&repair, "repair", false, "afterwards delete files that nothing points to, and have damaged\nrenditions made anew; picdayd must be stopped for it")
	cmd.Flags().Float64Var(&rate, "rate", 0, "read at most `MB` megabytes in a second; 0 = as fast as it goes")
	return cmd
}

// stopped keeps picdayd from starting, or refuses because it runs.
func (a *app) stopped() (unlock func(), err error) {
	unlock, err = store.LockDataDir(a.cfg.DataDir)
	if errors.Is(err, store.ErrInUse) {
		err = refusef("picdayd is running, and could be about to use what would be deleted: stop it first with 'systemctl stop picdayd'")
	}
	return unlock, err
}

// differ enters a difference, and shows it at once to who waits at a terminal.
func (v *verification) differ(d difference) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.view.Differences = append(v.view.Differences, &d)
	if v.json {
		return
	}
	v.meter.end()
	where := d.File
	if d.Path != "" {
		where = d.Account + ": " + d.Path
	}
	if where != "" {
		where += ": "
	}
	fmt.Fprintf(v.stdout, "%s: %s%s. %s\n", d.Kind, plain(where), plain(d.Message), plain(d.Fix))
}

func (v *verification) catalogue(ctx context.Context) error {
	all, err := v.s.Unsound(ctx)
	for _, message := range all {
		v.differ(difference{Kind: "catalogue", Message: message, Fix: "Stop picdayd and restore the catalogue from a backup"})
	}
	return err
}

func (v *verification) orphans(ctx context.Context) error {
	return v.s.Orphans(ctx, func(path string, fi fs.FileInfo) error {
		if !store.Orphaned(fi) {
			return nil
		}
		v.differ(difference{
			Kind: "orphan", File: filepath.Join(v.cfg.DataDir, path),
			Message: fmt.Sprintf("nothing points to this file (%s)", size(fi.Size())),
			Fix:     "It only takes space; to delete it, stop picdayd and run 'picday verify --repair'",
		})
		return nil
	})
}

// repair does what can be done without anybody's photo at stake.
func (v *verification) repair(ctx context.Context) error {
	unlock, err := v.stopped()
	if err != nil {
		return err
	}
	defer unlock()
	removed, err := v.s.RemoveOrphans(ctx)
	if err != nil {
		return err
	}
	if err := v.s.Update(ctx, func(tx *store.Tx) error { return tx.ForgetRenditions(v.remake) }); err != nil {
		return err
	}
	v.view.Repaired = removed + len(v.remake)
	if v.view.Repaired > 0 {
		v.say(fmt.Sprintf("deleted %d files that nothing pointed to; picdayd will make %d renditions anew when it starts", removed, len(v.remake)))
	}
	return nil
}

func (v *verification) report() error {
	if err := v.print(v.view, func(w io.Writer) {
		fmt.Fprintf(w, "%d originals (%s), %d renditions and %d uploads compared, %d uploads waiting\n",
			v.view.Originals, size(v.view.Bytes), v.view.Renditions, v.view.Uploads, v.view.Waiting)
	}); err != nil {
		return err
	}
	if n := len(v.view.Differences) - v.view.Repaired; n > 0 {
		return fmt.Errorf("%d differences", n)
	}
	return nil
}
