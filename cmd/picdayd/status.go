package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/control"
	"picday/internal/web"
)

// Status implements control.Daemon.
func (s *service) Status(ctx context.Context) control.Status { return s.status.Status(ctx) }

// Teller implements control.Daemon.
func (s *service) Teller() *control.Teller {
	return &control.Teller{Since: s.status.Since, Mailed: s.notifier.Mailed()}
}

// Looks implements control.Daemon.
func (s *service) Looks(account, path string) (all control.Looks) {
	looks, next := s.watcher.Looks(account, path)
	for _, k := range looks {
		all.Looks = append(all.Looks, control.Look{
			At: k.At.UTC(), Bytes: k.Identity.Size, Inode: k.Identity.Ino, ChangedAt: time.Unix(0, k.Identity.Ctime).UTC(), Verdicts: k.Verdicts, Events: k.Events,
		})
	}
	if !next.IsZero() {
		all.Next = new(next.UTC())
	}
	return all
}

// Rescan implements control.Daemon.
func (s *service) Rescan(ctx context.Context, account string) error {
	if err := s.accounts.Load(ctx); err != nil {
		return err
	}
	if err := s.watcher.Rescan(ctx, account); err != nil {
		return err
	}
	return s.store.CheckVolume(ctx, s.cfg.UploadDir)
}

// diskRoom is the room of a file system that uploads or photos are on.
type diskRoom struct {
	what, dir  string
	size, free int64 // bytes
}

// diskRoom looks at the file systems of uploads and photos, one if they are on the same.
func (s *service) diskRoom() (all []diskRoom) {
	var seen []unix.Fsid
	for _, d := range []struct{ what, dir string }{{"uploads", s.cfg.UploadDir}, {"photos and catalogue", s.cfg.DataDir}} {
		var st unix.Statfs_t
		if err := unix.Statfs(d.dir, &st); err != nil {
			continue // the status warns of a directory that is missing
		}
		if slices.Contains(seen, st.Fsid) {
			all[len(all)-1].what = "uploads, photos and catalogue"
			continue
		}
		seen = append(seen, st.Fsid)
		all = append(all, diskRoom{d.what, d.dir, int64(st.Blocks) * st.Bsize, int64(st.Bavail) * st.Bsize})
	}
	return all
}

// disks are for the pages.
func (s *service) disks() (all []web.Disk) {
	for _, d := range s.diskRoom() {
		all = append(all, web.Disk{What: strings.ToUpper(d.what[:1]) + d.what[1:], Size: d.size, Free: d.free})
	}
	return all
}
