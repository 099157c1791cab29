package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"picday/internal/shell"
)

// hiddenDir holds the folders of active jobs. No account can have its name,
// and only root and the daemon enter it.
const hiddenDir = ".active"

func (s *System) hiddenBase(account string) string {
	return filepath.Join(s.Config.UploadDir, hiddenDir, account)
}

// JobDir is a planned job's folder.
func (s *System) JobDir(account, job string) string { return filepath.Join(s.Base(account), job) }

// HiddenJobDir is where an active job's folder waits.
func (s *System) HiddenJobDir(account, job string) string {
	return filepath.Join(s.hiddenBase(account), job)
}

// AddJob creates the folder of a planned job.
func (s *System) AddJob(account, job string) (done []string, err error) {
	if err := ValidJobName(job); err != nil {
		return nil, err
	}
	if _, err := mine(account); err != nil {
		return nil, err
	}
	if err := rootOnly(s.Base(account)); err != nil {
		return nil, err
	}
	for _, parent := range []string{s.Base(account), s.hiddenBase(account)} {
		if err := noTwin(parent, job); err != nil {
			return nil, err
		}
	}
	if exists(s.HiddenJobDir(account, job)) {
		return nil, refused("the job %q of %s is active; \"%s\" makes it take uploads again", job, account, shell.Line("picday", "job", "plan", account, job))
	}
	path := s.JobDir(account, job)
	return s.apply(context.Background(), []step{
		dirStep("created "+path, dir{path: path, own: byAccount(account), mode: 0o750, lax: true}),
	})
}

// noTwin refuses a name that differs only in case from one that is there:
// uploaders on Windows and macOS could not tell the two apart.
func noTwin(parent, name string) error {
	entries, err := os.ReadDir(parent)
	if ignoreMissing(err) != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != name && strings.EqualFold(e.Name(), name) {
			return invalid("there is a folder %q already; %q would look the same on many computers", e.Name(), name)
		}
	}
	return nil
}

// HideJob takes a job's folder out of the SFTP view. What is open stays open:
// the caller looks for uploads that are still running.
func (s *System) HideJob(account, job string) (done []string, err error) {
	if err := s.jobPlaces(account, job); err != nil {
		return nil, err
	}
	steps := []step{
		dirStep("", dir{path: filepath.Join(s.Config.UploadDir, hiddenDir), own: byRoot, mode: 0o700}),
		dirStep("", dir{path: s.hiddenBase(account), own: byRoot, mode: 0o700}),
		renameStep(fmt.Sprintf("hid the folder %q of %s", job, account), s.JobDir(account, job), s.HiddenJobDir(account, job)),
	}
	return s.apply(context.Background(), steps)
}

// ShowJob puts a job's folder back into the SFTP view, as it was.
func (s *System) ShowJob(account, job string) (done []string, err error) {
	if err := s.jobPlaces(account, job); err != nil {
		return nil, err
	}
	return s.apply(context.Background(), []step{
		renameStep(fmt.Sprintf("showed the folder %q of %s again", job, account), s.HiddenJobDir(account, job), s.JobDir(account, job)),
	})
}

// jobPlaces checks the names, which must not leave the tree, and that the
// folder is in exactly one of its two places. Jobs from before a rule on names
// was made stricter can still be moved.
func (s *System) jobPlaces(account, job string) error {
	if err := ValidName(account); err != nil {
		return err
	}
	if job == "" || job[0] == '.' || strings.ContainsAny(job, "/\x00") {
		return invalid("%q cannot be a job name", job)
	}
	shown, hidden := exists(s.JobDir(account, job)), exists(s.HiddenJobDir(account, job))
	switch {
	case shown && hidden:
		return refused("both %s and %s exist: look which of them is the job, and move the other one away", s.JobDir(account, job), s.HiddenJobDir(account, job))
	case !shown && !hidden:
		return kindError{ErrNoAccount, fmt.Sprintf("there is no folder of the job %q of %s, neither %s nor %s", job, account, s.JobDir(account, job), s.HiddenJobDir(account, job))}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// renameStep moves a directory between two directories of root's, so neither
// end can be swapped for a link by an uploader.
func renameStep(what, from, to string) step {
	move := func(from, to string) error {
		fi, err := os.Lstat(from)
		if err != nil {
			return err
		}
		if !fi.IsDir() {
			return refused("%s is not a directory", from)
		}
		// Plain rename would swallow an empty directory made meanwhile.
		err = unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
			err = os.Rename(from, to) // a file system without the flag
		}
		if errors.Is(err, unix.EXDEV) {
			return fmt.Errorf("move %s to %s: they are on different file systems; keep all of upload_dir on one", from, to)
		}
		if err != nil {
			return fmt.Errorf("move %s to %s: %w", from, to, err)
		}
		if err := syncDir(filepath.Dir(from)); err != nil {
			return err
		}
		return syncDir(filepath.Dir(to))
	}
	return step{
		what: what,
		done: func(context.Context) (bool, error) { return !exists(from) && exists(to), nil },
		do:   func(context.Context) error { return move(from, to) },
		undo: func(context.Context) error {
			if exists(from) || !exists(to) {
				return nil
			}
			return move(to, from)
		},
	}
}
