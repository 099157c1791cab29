package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"picday/account"
	"picday/internal/control"
	"picday/layout"
	"picday/store"
	"picday/watcher"
)

// A suspect is an upload that the catalogue and the disk do not agree on. Most
// are only on their way.
type suspect struct {
	acct store.Account
	path string
}

// uploads compares what is on the upload volume with what the catalogue knows
// of it, in both directions.
func (v *verification) uploads(ctx context.Context) error {
	if err := v.s.CheckVolume(ctx, v.cfg.UploadDir); errors.Is(err, store.ErrVolume) {
		v.differ(difference{Kind: "volume", Message: err.Error(), Fix: "The uploads were not compared"})
		return nil
	} else if err != nil {
		return err
	}
	accounts, err := v.s.Accounts(ctx)
	if err != nil {
		return err
	}
	kept, err := v.s.Kept(ctx)
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
	return v.judge(ctx, suspects)
}

// compare walks an account's trees beside the catalogue.
func (v *verification) compare(ctx context.Context, acct store.Account) (suspects []suspect, err error) {
	trees := []string{acct.Name + "/" + layout.UserPictures}
	if acct.Layout == store.Jobs {
		states, err := v.s.JobStates(ctx, acct.ID)
		if err != nil {
			return nil, err
		}
		trees = nil
		for job := range states {
			trees = append(trees, job)
		}
		slices.Sort(trees)
	}
	seen := map[string]bool{}
	for _, top := range trees {
		tree, err := v.sys.Tree(acct, top)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found, err := v.walk(ctx, acct, tree, top, seen)
		tree.Close()
		if err != nil {
			return nil, err
		}
		suspects = append(suspects, found...)
	}
	dirs, err := v.s.KnownDirs(ctx, acct.ID)
	if err != nil {
		return nil, err
	}
	gone := map[string]int{} // files of trees that are not there, which no uploader can take away
	for _, dir := range dirs {
		if seen[dir] {
			continue
		}
		known, err := v.s.Known(ctx, acct.ID, dir)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(trees, func(top string) bool { return !seen[top] && (dir == top || strings.HasPrefix(dir, top+"/")) }); i >= 0 {
			gone[trees[i]] += len(known)
			continue
		}
		for name := range known {
			suspects = append(suspects, suspect{acct, dir + "/" + name})
		}
	}
	for _, top := range slices.Sorted(maps.Keys(gone)) {
		if n := gone[top]; n > 0 {
			v.differ(difference{
				Kind: "folder", Account: acct.Name, Path: layout.Shown(top), Message: fmt.Sprintf("the folder is not there, with %d files that the catalogue knows", n),
				Fix: "Bring it back from where it went; 'picday doctor' says more",
			})
		}
	}
	return suspects, nil
}

// walk compares one directory and all below it.
func (v *verification) walk(ctx context.Context, acct store.Account, tree *os.Root, dir string, seen map[string]bool) (suspects []suspect, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := tree.Open(dir)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	names, err := f.Readdirnames(-1)
	f.Close()
	if err != nil {
		return nil, err
	}
	seen[dir] = true
	known, err := v.s.Known(ctx, acct.ID, dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		path := dir + "/" + name
		if layout.IsNoise(name) {
			continue
		}
		fi, err := tree.Lstat(path)
		if err != nil {
			continue // gone again
		}
		if fi.IsDir() && !layout.Deepest(path) {
			below, err := v.walk(ctx, acct, tree, path, seen)
			if err != nil {
				return nil, err
			}
			suspects = append(suspects, below...)
			continue
		}
		if id, ok := known[name]; ok && id == v.identity(fi, filepath.Join(tree.Name(), path)) {
			v.view.Uploads++
			delete(known, name)
		} else if !ok {
			suspects = append(suspects, suspect{acct, path})
		}
	}
	for name := range known {
		suspects = append(suspects, suspect{acct, dir + "/" + name})
	}
	return suspects, nil
}

// judge asks picdayd, if it runs, to look at everything, and then looks at the
// suspects once more.
func (v *verification) judge(ctx context.Context, suspects []suspect) error {
	if len(suspects) == 0 {
		return nil
	}
	asked := time.Now()
	running := true
	switch err := control.Rescan(ctx, v.cfg.RunDir, "", true); {
	case errors.Is(err, control.ErrNotRunning):
		running = false
	case err != nil:
		return err
	}
	for _, x := range suspects {
		if err := v.judgeOne(ctx, x, running, asked); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) judgeOne(ctx context.Context, x suspect, running bool, asked time.Time) error {
	u, known, err := v.s.UploadAt(ctx, x.acct.ID, x.path)
	if err != nil {
		return err
	}
	d := difference{Kind: "upload", Account: x.acct.Name, Path: layout.Shown(x.path)}
	var fi fs.FileInfo
	tree, err := v.sys.Tree(x.acct, x.path)
	if err == nil {
		defer tree.Close()
		fi, err = tree.Lstat(x.path)
	}
	switch {
	case err != nil && !known:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory"):
		d.Message, d.Fix = err.Error(), "Look at the file as root"
	case err != nil:
		d.Message, d.Fix = "the file is not there, and the catalogue does not know that it went", "If its uploader deleted it, 'picday rescan --wait' withdraws the photo a little later"
		if !running {
			d.Fix = "Start picdayd: if its uploader deleted it, the photo is withdrawn a little later"
		}
	case known && u.Identity == v.identity(fi, filepath.Join(tree.Name(), x.path)):
		v.view.Uploads++
		return nil
	case !running || v.underWay(tree, x.path, fi, asked):
		v.view.Waiting++
		return nil
	default:
		d.Message, d.Fix = "picdayd has not taken this file in", "Look why: journalctl -u picdayd"
		if why := v.unwatched(ctx, x); why != "" {
			d.Message, d.Fix = "nobody takes this file in: "+why, "Move it away, or make the job or account take uploads again, or raise the limit"
		}
	}
	v.differ(d)
	return nil
}

// underWay tells whether there is nothing to wonder about yet.
func (v *verification) underWay(tree *os.Root, path string, fi fs.FileInfo, asked time.Time) bool {
	changed := time.Unix(0, store.IdentityOf(fi, 0).Ctime)
	if changed.After(asked.Add(-v.cfg.Upload.Settle.Std())) {
		return true
	}
	if !fi.Mode().IsRegular() {
		return false
	}
	f, err := account.OpenUpload(tree, path)
	if err != nil {
		return true
	}
	defer f.Close()
	held, err := watcher.Held(f)
	return held || err != nil // without leases only the long quiet time tells
}

// unwatched tells why picdayd does not look at a path at all.
func (v *verification) unwatched(ctx context.Context, x suspect) string {
	if x.acct.Kept {
		return "the account was removed"
	}
	if x.acct.Layout == store.Jobs {
		name, _, _ := strings.Cut(x.path, "/")
		if job, err := v.s.Job(ctx, x.acct, name); err == nil && job.State == store.Active {
			return "the job is active"
		}
	}
	for reason, what := range map[store.Reason]string{store.TooManyFiles: "files", store.TooManyFolders: "folders"} {
		if waits, err := v.s.Waits(ctx, x.acct.ID, reason); err == nil && waits {
			return "the account holds as many " + what + " as it may"
		}
	}
	return ""
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
