// Package trees says where the uploads of an account are below upload_dir. An
// account's tree is its chroot; the folders of its active jobs are kept beside the
// chroots, where no uploader sees them.
package trees

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"picday/internal/durable"
	"picday/internal/layout"
	"picday/store"
)

// ActiveDir holds the folders of active jobs. No account can have its name, and
// only root and the daemon enter it.
const ActiveDir = ".active"

// Dir is upload_dir.
type Dir string

// Base is the account's chroot.
func (d Dir) Base(account string) string { return filepath.Join(string(d), account) }

// ActiveBase holds the folders of the account's active jobs.
func (d Dir) ActiveBase(account string) string { return filepath.Join(string(d), ActiveDir, account) }

// Job is a planned job's folder.
func (d Dir) Job(account, job string) string { return filepath.Join(d.Base(account), job) }

// ActiveJob is where the folder of the job is while the job is active.
func (d Dir) ActiveJob(account, job string) string { return filepath.Join(d.ActiveBase(account), job) }

// Of is the directory in which a path of the account's SFTP view begins:
// ActiveBase if the path begins with a job whose folder is only there, else Base.
func (d Dir) Of(a store.Account, path string) string {
	job, _, _ := strings.Cut(path, "/")
	if a.Layout == layout.Jobs && !exists(d.Job(a.Name, job)) && exists(d.ActiveJob(a.Name, job)) {
		return d.ActiveBase(a.Name)
	}
	return d.Base(a.Name)
}

// Open opens that directory. Nothing that is opened below it can lead out.
func (d Dir) Open(a store.Account, path string) (*os.Root, error) { return os.OpenRoot(d.Of(a, path)) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Hide moves a job's folder from Job to ActiveJob, Show back. Both do nothing if that
// is so already. ActiveBase must be there.
func (d Dir) Hide(account, job string) (moved bool, err error) {
	return d.swap(account, job, d.Job(account, job), d.ActiveJob(account, job))
}

// Show is the inverse of Hide.
func (d Dir) Show(account, job string) (moved bool, err error) {
	return d.swap(account, job, d.ActiveJob(account, job), d.Job(account, job))
}

func (d Dir) swap(account, job, from, to string) (moved bool, err error) {
	if err := d.CheckJob(account, job); err != nil || !exists(from) {
		return false, err
	}
	if fi, err := os.Lstat(from); err != nil || !fi.IsDir() {
		return false, cmp.Or(err, fmt.Errorf("%s: %w", from, ErrNotFolder))
	}
	return true, Move(from, to)
}

// What can be wrong with the places of a job's folder.
var (
	ErrNotJob    = errors.New("no job can have this name")
	ErrBoth      = errors.New("the job has a folder among the planned jobs and one among the active ones")
	ErrNeither   = errors.New("the job has no folder")
	ErrNotFolder = errors.New("this is not a directory")
)

// CheckJob checks that the name does not lead out of the account's tree, and that the
// job's folder is in exactly one of its two places. The error is ErrNotJob, ErrBoth or
// ErrNeither.
func (d Dir) CheckJob(account, job string) error {
	if job == "" || job[0] == '.' || job == layout.Receipts || strings.ContainsAny(job, "/\x00") {
		return ErrNotJob
	}
	switch shown, hidden := exists(d.Job(account, job)), exists(d.ActiveJob(account, job)); {
	case shown && hidden:
		return ErrBoth
	case !shown && !hidden:
		return ErrNeither
	}
	return nil
}

// Move renames a job's folder durably. It fails if something is at the new place.
// The directories above both places must be such that no uploader can change them.
func Move(from, to string) error {
	// A plain rename would replace an empty directory that was made meanwhile.
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		err = os.Rename(from, to) // a file system without the flag
	}
	if errors.Is(err, unix.EXDEV) {
		return fmt.Errorf("move %s to %s: they are on different file systems; keep all of upload_dir on one", from, to)
	}
	if err != nil {
		return fmt.Errorf("move %s to %s: %w", from, to, err)
	}
	return errors.Join(durable.SyncDir(filepath.Dir(from)), durable.SyncDir(filepath.Dir(to)))
}
