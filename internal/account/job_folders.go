package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"picday/internal/durable"
	"picday/internal/shell"
	"picday/internal/trees"
)

func (s *System) trees() trees.Dir { return trees.Dir(s.Config.UploadDir) }

// hiddenBase holds the folders of the account's active jobs.
func (s *System) hiddenBase(account string) string { return s.trees().ActiveBase(account) }

// JobDir is a planned job's folder.
func (s *System) JobDir(account, job string) string { return s.trees().Job(account, job) }

// HiddenJobDir is the folder of an active job.
func (s *System) HiddenJobDir(account, job string) string { return s.trees().ActiveJob(account, job) }

// AddJob creates the folder of a planned job.
func (s *System) AddJob(account, job string) (report []string, err error) {
	if err := ValidJobName(job); err != nil {
		return nil, err
	}
	if _, err := ownUser(account); err != nil {
		return nil, err
	}
	if err := rootOnly(s.Base(account)); err != nil {
		return nil, err
	}
	for _, parent := range []string{s.Base(account), s.hiddenBase(account)} {
		if err := checkCaseTwin(parent, job); err != nil {
			return nil, err
		}
	}
	if exists(s.HiddenJobDir(account, job)) {
		return nil, refused("the job %q of %s is active; \"%s\" makes it take uploads again", job, account, shell.Line("picday", "job", "plan", account, job))
	}
	path := s.JobDir(account, job)
	return s.apply(context.Background(), append(s.activeBase(account),
		dirStep("created "+path, dir{path: path, own: byAccount(account), mode: 0o750, anyMode: true})))
}

// RemoveJob deletes the folder of a planned job if there is nothing in it, not even a
// folder. What an uploader puts there meanwhile stays, and the job with it.
func (s *System) RemoveJob(account, job string) (report []string, err error) {
	if err := ValidName(account); err != nil {
		return nil, err
	}
	path := s.JobDir(account, job)
	switch err := s.trees().CheckJob(account, job); {
	case errors.Is(err, trees.ErrNeither):
		return nil, nil
	case err != nil:
		return nil, s.jobPlaces(account, job)
	case !exists(path):
		return nil, refused("the job %q of %s is active: a job that was put on sale stays", job, account)
	}
	if err := rootOnly(s.Base(account)); err != nil {
		return nil, err
	}
	switch err := unix.Rmdir(path); {
	case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST):
		return nil, refused("the folder of the job %q of %s is not empty: it stays, with what is in it", job, account)
	case errors.Is(err, unix.ENOTDIR):
		return nil, refused("%s is not a directory", path)
	case err != nil:
		return nil, fmt.Errorf("delete %s: %w", path, err)
	}
	return []string{"deleted the empty folder " + path}, durable.SyncDir(filepath.Dir(path))
}

// activeBase makes the directory for the folders of the account's active jobs. It is
// there from the first job on, because picdayd can move a folder there, but not make
// a directory that is root's.
func (s *System) activeBase(account string) []step {
	return []step{
		dirStep("", dir{path: filepath.Join(s.Config.UploadDir, trees.ActiveDir), own: byRoot, mode: 0o700}),
		dirStep("", dir{path: s.hiddenBase(account), own: byRoot, mode: 0o700}),
	}
}

// checkCaseTwin refuses a name that differs only in case from one that is there:
// uploaders on Windows and macOS could not tell the two apart.
func checkCaseTwin(parent, name string) error {
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

// HideJob takes a job's folder out of the SFTP view. Files that are open stay open:
// the caller looks for uploads that are still running.
func (s *System) HideJob(account, job string) (report []string, err error) {
	if err := s.jobPlaces(account, job); err != nil {
		return nil, err
	}
	return s.apply(context.Background(), append(s.activeBase(account),
		renameStep(fmt.Sprintf("hid the folder %q of %s", job, account), s.JobDir(account, job), s.HiddenJobDir(account, job))))
}

// ShowJob puts a job's folder back into the SFTP view, as it was.
func (s *System) ShowJob(account, job string) (report []string, err error) {
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
	switch err := s.trees().CheckJob(account, job); {
	case errors.Is(err, trees.ErrNotJob):
		return invalid("%q cannot be a job name", job)
	case errors.Is(err, trees.ErrBoth):
		return refused("both %s and %s exist: look which of them is the job, and move the other one away", s.JobDir(account, job), s.HiddenJobDir(account, job))
	case errors.Is(err, trees.ErrNeither):
		return kindError{ErrNoAccount, fmt.Sprintf("there is no folder of the job %q of %s, neither %s nor %s", job, account, s.JobDir(account, job), s.HiddenJobDir(account, job))}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// renameStep moves a directory between two directories that belong to root, so that
// no uploader can replace either end by a link.
func renameStep(what, from, to string) step {
	move := func(from, to string) error {
		fi, err := os.Lstat(from)
		if err != nil {
			return err
		}
		if !fi.IsDir() {
			return refused("%s is not a directory", from)
		}
		return trees.Move(from, to)
	}
	return step{
		what:      what,
		satisfied: func(context.Context) (bool, error) { return !exists(from) && exists(to), nil },
		do:        func(context.Context) error { return move(from, to) },
		undo: func(context.Context) error {
			if exists(from) || !exists(to) {
				return nil
			}
			return move(to, from)
		},
	}
}
