package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/control"
	"picday/internal/filestate"
	"picday/internal/layout"
	"picday/store"
)

// A suspect is an upload that the catalogue and the disk do not agree on. Most
// are only on their way.
type suspect struct {
	acct store.Account
	path string
}

// uploads compares what is on the upload volume with what the catalogue knows
// of it, in both directions.
func (v *Verification) uploads(ctx context.Context) error {
	if err := v.Store.CheckVolume(ctx, v.UploadDir); errors.Is(err, store.ErrVolume) {
		v.found(Finding{What: WrongVolume, Message: err.Error()})
		return nil
	} else if err != nil {
		return err
	}
	accounts, err := v.Store.All().Accounts(ctx)
	if err != nil {
		return err
	}
	kept, err := v.Store.All().KeptAccounts(ctx)
	if err != nil {
		return err
	}
	var suspects []suspect
	for _, acct := range append(accounts, kept...) {
		found, err := v.compare(ctx, acct)
		if err != nil {
			return err
		}
		suspects = append(suspects, found...)
	}
	return v.lookAgain(ctx, suspects)
}

// compare walks an account's trees, and compares each folder with the catalogue.
func (v *Verification) compare(ctx context.Context, acct store.Account) (suspects []suspect, err error) {
	tops := []string{acct.Name + "/" + layout.UserPictures}
	if acct.Layout == layout.Jobs {
		states, err := v.Store.JobStates(ctx, acct.ID)
		if err != nil {
			return nil, err
		}
		tops = slices.Sorted(maps.Keys(states))
	}
	seen := map[string]bool{}
	for _, top := range tops {
		found, err := v.walk(ctx, acct, top, seen)
		if err != nil {
			return nil, err
		}
		suspects = append(suspects, found...)
	}
	dirs, err := v.Store.KnownDirs(ctx, acct.ID)
	if err != nil {
		return nil, err
	}
	gone := map[string]int{} // files below a top that is not there, which no uploader can remove
	for _, dir := range dirs {
		if seen[dir] {
			continue
		}
		known, err := v.Store.Known(ctx, acct.ID, dir)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(tops, func(top string) bool { return !seen[top] && (dir == top || strings.HasPrefix(dir, top+"/")) }); i >= 0 {
			gone[tops[i]] += len(known)
			continue
		}
		for name := range known {
			suspects = append(suspects, suspect{acct, dir + "/" + name})
		}
	}
	for _, top := range slices.Sorted(maps.Keys(gone)) {
		if n := gone[top]; n > 0 {
			v.found(Finding{
				What: FolderGone, Account: acct.Name, Path: layout.Shown(top),
				Message: fmt.Sprintf("the folder is not there, with %d files that the catalogue knows", n),
			})
		}
	}
	return suspects, nil
}

// walk compares one directory and all below it, and adds them to seen.
func (v *Verification) walk(ctx context.Context, acct store.Account, top string, seen map[string]bool) (suspects []suspect, err error) {
	base := v.trees.Of(acct, top)
	wanted := func(name string) bool { return !layout.IsNoise(name) }
	err = filestate.Walk(base, top, wanted, func(dir string, names []string, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		seen[dir] = true
		known, err := v.Store.Known(ctx, acct.ID, dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if !wanted(name) {
				continue
			}
			path := dir + "/" + name
			f := filestate.Stat(base, path, v.Volumes)
			id, ok := known[name]
			switch {
			case !f.Exists: // gone again, or it cannot be looked at: what is known is looked at again below
			case ok && id == f.Identity:
				v.report.Uploads++
				delete(known, name)
			case !ok:
				suspects = append(suspects, suspect{acct, path})
			}
		}
		for name := range known {
			suspects = append(suspects, suspect{acct, dir + "/" + name})
		}
		return nil
	})
	return suspects, err
}

// lookAgain asks the daemon, if it runs, to look at everything, and then looks at
// the suspects once more.
func (v *Verification) lookAgain(ctx context.Context, suspects []suspect) error {
	if len(suspects) == 0 {
		return nil
	}
	asked := time.Now()
	err := v.Rescan(ctx)
	running := !errors.Is(err, control.ErrNotRunning)
	if err != nil && running {
		return err
	}
	for _, x := range suspects {
		if err := v.judge(ctx, x, running, asked); err != nil {
			return err
		}
	}
	return nil
}

func (v *Verification) judge(ctx context.Context, x suspect, running bool, asked time.Time) error {
	u, known, err := v.Store.UploadAt(ctx, x.acct.ID, x.path)
	if err != nil {
		return err
	}
	file := filestate.Look(v.trees.Of(x.acct, x.path), x.path, v.Volumes)
	record := filestate.Record{Known: known, Identity: u.Identity}
	folder := file.Dir && !layout.Deepest(x.path) // a deeper one is a problem itself, and has an upload row
	d := Finding{Account: x.acct.Name, Path: layout.Shown(x.path)}
	switch state := filestate.Of(x.path, file, record); {
	case known && file.Exists && u.Identity == file.Identity:
		v.report.Uploads++
		return nil
	case file.Err != nil && known:
		d.What, d.Message = FileUnreadable, file.Err.Error()
	case state == filestate.Missing, known && folder:
		d.What, d.Message = FileGone, "the file is not there, and the catalogue does not know that it went"
		if !running {
			d.What = FileGoneWhileStopped
		}
	case !file.Exists, folder, state == filestate.Ignored:
		return nil
	case !running || v.underWay(file, asked):
		v.report.Waiting++
		return nil
	default:
		d.What, d.Message = NotTaken, "picdayd has not taken this file in"
		if why := v.notLookedAt(ctx, x); why != "" {
			d.What, d.Message = NotLookedAt, "nobody takes this file in: "+why
		}
	}
	v.found(d)
	return nil
}

// underWay tells whether the daemon may be right not to have taken the file yet.
func (v *Verification) underWay(f filestate.File, asked time.Time) bool {
	// Where the kernel does not tell who writes a file, the daemon waits longer.
	return time.Unix(0, f.Identity.Ctime).After(asked.Add(-v.Settle)) || f.Regular && f.Writing != filestate.No
}

// notLookedAt tells why the daemon takes no file in at a path, "" if it does.
func (v *Verification) notLookedAt(ctx context.Context, x suspect) string {
	name, _, _ := strings.Cut(x.path, "/")
	job, err := v.Store.View(x.acct.ID).Job(ctx, x.acct.Name, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return ""
	}
	if job.Flawed() != nil {
		job.State = "" // it cannot be relied on
	}
	switch filestate.BlockOf(x.acct, job, x.path) {
	case filestate.AccountRemoved:
		return "the account was removed"
	case filestate.NoJob:
		return "the account has no such job"
	case filestate.JobActive:
		return "the job is active"
	}
	for _, limit := range []struct {
		reason layout.Reason
		what   string
	}{{layout.TooManyFiles, "files"}, {layout.TooManyFolders, "folders"}} {
		if waits, err := v.Store.HasWaiting(ctx, x.acct.ID, limit.reason); err == nil && waits {
			return "the account holds as many " + limit.what + " as it may"
		}
	}
	return ""
}
