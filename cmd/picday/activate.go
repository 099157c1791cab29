package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"picday/account"
	"picday/internal/control"
	"picday/internal/shell"
	"picday/layout"
	"picday/store"
	"picday/watcher"
)

// An activation takes a planned job out of SFTP.
type activation struct {
	*app
	sys  *account.System
	s    *store.Store
	acct store.Account
	job  store.Job
}

// lookAgain is how often a job that is not quiet yet is looked at.
const lookAgain = 250 * time.Millisecond

// activate waits until the job is quiet, hides the folder, and looks once
// more: an upload that began in between has its file open or changed, and then
// the folder comes back. The rename ends every new upload by itself, so what
// is quiet after it stays so. The state "activating" keeps the daemon from
// taking the folder's absence for deletions, also if we are killed half-way.
func (a *app) activate(ctx context.Context, act activation, wait time.Duration) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+time.Minute)
	defer cancel()
	deadline := time.Now().Add(wait)
	shown, hidden := act.sys.JobDir(act.acct.Name, act.job.Name), act.sys.HiddenJobDir(act.acct.Name, act.job.Name)
	if _, err := os.Lstat(shown); err == nil && act.job.State != store.Planned {
		// An activation that was interrupted before the rename.
		if err := act.setState(ctx, store.Planned); err != nil {
			return nil, err
		}
	}
	told := false
	for {
		dir := shown
		if _, err := os.Lstat(shown); errors.Is(err, fs.ErrNotExist) {
			dir = hidden // an activation that was interrupted after the rename
		}
		busy, err := act.busy(ctx, dir)
		if err != nil {
			return nil, err
		}
		if busy == "" {
			done, late, err := act.hide(ctx, hidden)
			if err != nil || late == "" {
				return done, err
			}
			busy = late
		} else if dir == hidden {
			if err := act.show(ctx); err != nil {
				return nil, err
			}
		}
		if !time.Now().Before(deadline) {
			return nil, refusef("job %s is still receiving uploads, nothing was changed: %s\nTo wait longer: %s%s",
				act.job.Name, busy, shell.Line("picday", "job", "activate", act.acct.Name, act.job.Name, "--wait", "30m"), a.daemonHint(ctx))
		}
		if !told {
			a.say("waiting: " + busy)
			told = true
		}
		select {
		case <-time.After(min(lookAgain, time.Until(deadline))):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// daemonHint says so if the wait could not have helped.
func (a *app) daemonHint(ctx context.Context) string {
	if _, err := control.Ask(ctx, a.cfg.RunDir); errors.Is(err, control.ErrNotRunning) {
		return "\n" + err.Error() + ", so nothing is taken in: systemctl start picdayd"
	}
	return ""
}

func (act activation) hide(ctx context.Context, hidden string) (done []string, late string, err error) {
	if err := act.setState(ctx, store.Activating); err != nil {
		return nil, "", err
	}
	if done, err = act.sys.HideJob(act.acct.Name, act.job.Name); err != nil {
		return done, "", errors.Join(err, act.setState(ctx, store.Planned))
	}
	late, err = act.busy(ctx, hidden)
	if err != nil || late != "" {
		return nil, late, errors.Join(err, act.show(ctx))
	}
	return append(done, "the job is active"), "", act.setState(ctx, store.Active)
}

func (act activation) show(ctx context.Context) error {
	if _, err := act.sys.ShowJob(act.acct.Name, act.job.Name); err != nil {
		return err
	}
	return act.setState(ctx, store.Planned)
}

func (act activation) setState(ctx context.Context, state store.JobState) error {
	// Also after an interrupt: the folder must not be where the catalogue
	// does not expect it.
	return act.s.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.SetJobState(act.job, state) })
}

// busy names the first reason why a job is not quiet: a file that somebody
// has open, a file that has not been taken in as it is now, or a deletion
// whose grace still runs. "" means quiet.
func (act activation) busy(ctx context.Context, dir string) (why string, err error) {
	missing, err := act.s.MissingInJob(ctx, act.job)
	if err != nil {
		return "", err
	}
	var known map[string]store.Identity
	knownDir := "\x00"
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			why = "files are coming and going"
			return fs.SkipAll
		case err != nil:
			return err
		}
		full := act.job.Name + "/" + path
		switch {
		case d.IsDir() && layout.Deepest(full):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		if d.Type().IsRegular() && held(root, path) {
			why = fmt.Sprintf("%s is being uploaded", layout.Shown(full))
			return fs.SkipAll
		}
		if noise(path) {
			return nil
		}
		if dir := filepath.Dir(full); dir != knownDir {
			if known, err = act.s.Known(ctx, act.acct.ID, dir); err != nil {
				return err
			}
			knownDir = dir
		}
		fi, err := root.Lstat(path)
		if err != nil || known[d.Name()] != act.identity(fi, filepath.Join(dir, path)) {
			why = fmt.Sprintf("%s has not been taken in yet", layout.Shown(full))
			return fs.SkipAll
		}
		return nil
	})
	if why == "" && missing > 0 {
		why = fmt.Sprintf("%d deleted photos are not withdrawn yet", missing)
	}
	return why, err
}

// held counts a file that cannot be asked as open: activation must be sure.
func held(root *os.Root, path string) bool {
	f, err := root.OpenFile(path, os.O_RDONLY|openSafely, 0)
	if err != nil {
		return true
	}
	defer f.Close()
	held, err := watcher.Held(f)
	return held && !errors.Is(err, watcher.ErrNoLeases)
}

func noise(path string) bool {
	for p := path; p != "."; p = filepath.Dir(p) {
		if layout.IsNoise(filepath.Base(p)) {
			return true
		}
	}
	return false
}
