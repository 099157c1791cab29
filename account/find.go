package account

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"picday/store"
)

// Tree opens the directory in which a path of the account's SFTP view begins;
// an active job's folder waits in another one. Nothing that is opened below
// it can lead out.
func (s *System) Tree(a store.Account, path string) (*os.Root, error) {
	base := s.Base(a.Name)
	if job, _, _ := strings.Cut(path, "/"); a.Layout == store.Jobs && !exists(s.JobDir(a.Name, job)) && exists(s.HiddenJobDir(a.Name, job)) {
		base = s.hiddenBase(a.Name)
	}
	return os.OpenRoot(base)
}

// OpenUpload opens an uploaded file for reading; what is no plain file is
// never waited for, nor a link followed.
func OpenUpload(tree *os.Root, path string) (*os.File, error) {
	return tree.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}
