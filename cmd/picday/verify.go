package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"picday/account"
	"picday/photo"
	"picday/store"
)

// A difference is one thing that is not as the catalogue says.
type difference struct {
	Kind    string `json:"kind"` // catalogue, volume, original, rendition, upload, no-file, orphan
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

	mu     sync.Mutex // guards what follows
	view   verifyView
	remake []store.PictureFile // renditions whose originals are right
}

const verifyLong = `Compare the uploads, the catalogue, and the originals and renditions on disk.
Every original is read and hashed, every rendition is read to its end; a damaged
spot inside a rendition that leaves its length and structure as they were is not
noticed. picdayd may go on working: what it has in hand is no difference, and
what changes meanwhile is looked at again. Exit status 1 on any difference.`

func (a *app) verifyCommand() *cobra.Command {
	var repair bool
	cmd := a.list("verify", "Compare uploads, catalogue and files, and check all hashes", cobra.NoArgs, func(ctx context.Context, _ []string) error {
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
		v := &verification{app: a, s: s, sys: sys, meter: a.meter("pictures read")}
		v.view.Differences = []*difference{}
		for _, look := range []func(context.Context) error{v.catalogue, v.pictures, v.orphans, v.uploads} {
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

// pictures reads every original and every rendition, on all cores.
func (v *verification) pictures(ctx context.Context) error {
	of, _, err := v.s.PictureCount(ctx)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0) + 1) // one of them waits for the disk
	const page = 200
	for after := (store.SHA{}); ; {
		all, err := v.s.Pictures(gctx, after, page)
		if err != nil {
			return errors.Join(g.Wait(), err)
		}
		for _, o := range all {
			after = o.SHA
			g.Go(func() error { return v.picture(gctx, o, of) })
		}
		if len(all) < page {
			return g.Wait()
		}
	}
}

func (v *verification) picture(ctx context.Context, o store.Original, of int) error {
	var bad []store.PictureFile
	whole := false
	for _, f := range o.Files() {
		wrong, err := v.look(ctx, f)
		if err != nil {
			return err
		}
		if f.Original() {
			whole = wrong == nil
		}
		if wrong == nil {
			continue
		}
		d := difference{Kind: "original", File: filepath.Join(v.cfg.DataDir, f.Path), Message: wrong.Error()}
		var n int
		if d.Account, d.Path, n, err = v.s.ShownAs(ctx, f.Picture); err != nil {
			return err
		}
		if n > 1 {
			d.Message += fmt.Sprintf(" (and %d more photos show it)", n-1)
		}
		d.Fix = fmt.Sprintf("Copy %s from the backup directory over it, or have the photo uploaded again under another name", f.Path)
		if !f.Original() {
			d.Kind, d.Fix = "rendition", "Stop picdayd, run 'picday verify --repair', start picdayd: it makes it anew"
			if !whole {
				d.Fix = "It cannot be made anew before its original is right; copy " + f.Path + " from the backup directory"
			}
			bad = append(bad, f)
		}
		v.differ(d)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if whole {
		v.remake = append(v.remake, bad...)
	}
	v.view.Originals++
	v.view.Renditions += len(o.Renditions)
	v.view.Bytes += o.Bytes
	v.meter.show(v.view.Originals, of)
	return nil
}

// look tells what is wrong with a file, unless that is only because the
// catalogue has changed since.
func (v *verification) look(ctx context.Context, f store.PictureFile) (wrong, err error) {
	name := filepath.Join(v.cfg.DataDir, f.Path)
	for range 2 {
		if f.Original() {
			wrong = f.Examine(ctx, name, nil)
		} else {
			// Of a rendition no hash is known, but what it has to look like.
			var scan photo.Scan
			wrong = f.Examine(ctx, name, &scan)
			if wrong == nil && !scan.Facts().Whole {
				wrong = fmt.Errorf("%w: it is no whole JPEG", store.ErrDamaged)
			}
		}
		if wrong == nil {
			return nil, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(wrong, fs.ErrNotExist) {
			wrong = errors.New("missing")
		} else if !errors.Is(wrong, store.ErrDamaged) {
			return nil, wrong
		}
		expected, _, err := v.s.Expects(ctx, f)
		if err != nil || !expected {
			return nil, err
		}
	}
	return wrong, nil
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
