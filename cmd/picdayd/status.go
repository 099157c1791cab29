package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/control"
	"picday/internal/version"
	"picday/layout"
	"picday/store"
	"picday/watcher"
	"picday/web"
)

// A survey is the last status that was gathered in full.
type survey struct {
	slots chan struct{} // gathering; what does not end keeps its slot
	mu    sync.Mutex
	last  control.Status
	at    time.Time
}

// answerWithin is how long a status may take: who asks wants to know most of all
// when a disk does not answer.
const answerWithin = 2 * time.Second

// Status implements control.Daemon. Gathering it asks the catalogue and the
// disks. Where one of them does not answer, the last one has to do.
func (s *service) Status(ctx context.Context) control.Status {
	answer := make(chan control.Status, 1)
	select {
	case s.survey.slots <- struct{}{}:
		go func() {
			answer <- s.gather(context.WithoutCancel(ctx))
			<-s.survey.slots
		}()
	default: // all are stuck
	}
	select {
	case st := <-answer:
		s.survey.mu.Lock()
		defer s.survey.mu.Unlock()
		s.survey.last, s.survey.at = st, time.Now()
		return own(st)
	case <-time.After(answerWithin):
	}
	s.survey.mu.Lock()
	defer s.survey.mu.Unlock()
	st := own(s.survey.last)
	late := "the catalogue or a disk does not answer: what is shown here may be old"
	if s.survey.at.IsZero() {
		st = control.Status{
			Running: true, Version: version.String(), Since: &s.since,
			InProgress: []control.Progress{}, Uploading: []control.Progress{}, Unsure: []control.Unsure{}, PolledDirs: []string{},
		}
		late = "the catalogue or a disk does not answer, and has not since picdayd was started"
	}
	if at := s.proof.get(); !at.IsZero() {
		st.LastProvenAlive = &at
	}
	st.Warnings = append([]string{late}, st.Warnings...)
	if err := s.proof.failing(); err != nil {
		st.Warnings = append([]string{err.Error()}, st.Warnings...)
	}
	return st
}

// own is a copy that whoever asked may filter.
func own(st control.Status) control.Status {
	st.InProgress, st.Uploading = slices.Clone(st.InProgress), slices.Clone(st.Uploading)
	st.PolledDirs, st.Warnings = slices.Clone(st.PolledDirs), slices.Clone(st.Warnings)
	st.Unsure = slices.Clone(st.Unsure)
	return st
}

// gather takes as long as the catalogue and the disks do.
func (s *service) gather(ctx context.Context) control.Status {
	w := s.watcher.Status()
	st := control.Status{
		Running: true, Version: version.String(), Since: &s.since,
		Queued: w.Handed, Waiting: w.Pending, UploadingFiles: w.Uploading,
		WatchedDirs: w.WatchedDirs, PolledDirs: append([]string{}, w.PolledDirs...), Overflows: w.Overflows,
		InProgress: []control.Progress{}, Warnings: []string{}, Unsure: []control.Unsure{},
		LacksProfiles: s.decoder.LacksProfiles(),
	}
	if at := s.proof.get(); !at.IsZero() {
		st.LastProvenAlive = &at
	}
	if err := s.proof.failing(); err != nil {
		st.Warnings = append(st.Warnings, err.Error())
	}
	for _, p := range s.ingest.InHand() {
		st.InProgress = append(st.InProgress, control.Progress{
			Account: p.Account, Path: layout.Shown(p.Path), Bytes: p.Identity.Size, Since: p.Since.UTC(),
		})
	}
	st.Uploading = s.uploading(w.Arriving)
	st.Queued = max(0, st.Queued-len(st.InProgress))
	if !w.OldestPending.IsZero() {
		st.OldestWaitingSeconds = time.Since(w.OldestPending).Seconds()
	}
	if done, total := s.ingest.Backlog(); done < total {
		st.Rederive = &control.Rederive{Done: done, Total: total}
	}
	if !w.LastScan.At.IsZero() {
		st.LastScan = &control.Scan{At: w.LastScan.At.UTC(), Seconds: w.LastScan.Took.Seconds(), Files: w.LastScan.Files}
	}
	counts, err := s.store.Counts(ctx)
	if err != nil {
		st.Warnings = append(st.Warnings, "catalogue: "+err.Error())
	}
	st.Photos, st.Unusual, st.Problems = counts.Photos, counts.Unusual, counts.Problems
	if err := s.store.CheckVolume(ctx, s.cfg.UploadDir); err != nil {
		st.Warnings = append(st.Warnings, err.Error())
	}
	if text := walWarning(s.store.WAL(), time.Now()); text != "" {
		st.Warnings = append(st.Warnings, text)
	}
	st.Warnings = append(st.Warnings, s.front.warnings()...)
	if err := s.ingest.Setback(); err != nil {
		st.Warnings = append(st.Warnings, control.NotTaken+err.Error())
	}
	if err := s.ingest.Unwithdrawn(); err != nil {
		st.Warnings = append(st.Warnings, control.NotWithdrawn+err.Error())
	}
	if unsure := s.ingest.Unsure(); len(unsure) > 0 {
		for _, u := range unsure[:min(len(unsure), 50)] {
			st.Unsure = append(st.Unsure, control.Unsure{Account: u.Account, Path: layout.Shown(u.Path), Since: u.Since.UTC(), Why: u.Why.Error()})
		}
		st.Warnings = append(st.Warnings, fmt.Sprintf("it cannot be told whether %d missing files or folders were deleted, so their photos stay published, and it is tried again every few seconds: %v", len(unsure), unsure[0].Why))
	}
	for _, dir := range w.Missing {
		st.Warnings = append(st.Warnings, "the folder "+layout.Shown(dir)+" is not there or cannot be read: nothing below it is taken or withdrawn")
	}
	full, err := s.store.Waiting(store.TooManyFiles)
	if err != nil {
		st.Warnings = append(st.Warnings, "catalogue: "+err.Error())
	}
	for _, name := range full {
		st.Warnings = append(st.Warnings, control.AtLimit(name)+fmt.Sprintf("it holds %d files, and new ones wait. Have some deleted, or raise max_files in picday.toml and restart picdayd", s.cfg.Upload.MaxFiles))
	}
	for _, name := range w.Full {
		st.Warnings = append(st.Warnings, control.AtLimit(name)+fmt.Sprintf("it holds %d folders, and new ones are not looked into. Have some deleted, or raise max_folders in picday.toml and restart picdayd", s.cfg.Upload.MaxFolders))
	}
	if w.Starved {
		st.Warnings = append(st.Warnings, "picdayd could open no more files within the last minute, and uploads wait: raise LimitNOFILE in its unit")
	}
	switch {
	case w.Unwatched > 0 && w.OutOfWatches:
		st.Warnings = append(st.Warnings, "the kernel's inotify watches have run out, some folders are polled: raise fs.inotify.max_user_watches")
	case w.Unwatched > 0:
		st.Warnings = append(st.Warnings, fmt.Sprintf("%d folders cannot be watched and are polled: uploads there are noticed some seconds later", w.Unwatched))
	}
	if len(w.Refused) > 0 {
		st.Warnings = append(st.Warnings, "the kernel does not tell picdayd who has an upload of "+strings.Join(w.Refused, ", ")+" open: uploads are taken after "+
			s.cfg.Upload.SettleUnsure.Std().String()+" of quiet instead of by proof. Has it CAP_LEASE? In an unprivileged container that counts for nothing: \"picday doctor\" says more")
	}
	st.Warnings = append(st.Warnings, s.jails.warnings()...)
	for _, root := range w.Unsure {
		st.Warnings = append(st.Warnings, "the file system of account "+root+" has no leases: uploads are taken after "+s.cfg.Upload.SettleUnsure.Std().String()+" of quiet instead of by proof")
	}
	return st
}

// uploading looks at what the watcher waits for, the latest first.
func (s *service) uploading(arriving []watcher.Arriving) []control.Progress {
	all := []control.Progress{}
	for _, a := range arriving {
		// What is no file, or not there any more, is not being uploaded.
		if fi, err := os.Lstat(filepath.Join(s.cfg.UploadDir, a.Root, a.Path)); err == nil && fi.Mode().IsRegular() {
			all = append(all, control.Progress{Account: a.Root, Path: layout.Shown(a.Path), Bytes: fi.Size(), Since: a.Since.UTC()})
		}
	}
	slices.SortFunc(all, func(a, b control.Progress) int { return b.Since.Compare(a.Since) })
	return all
}

// Rescan implements control.Daemon.
func (s *service) Rescan(ctx context.Context, account string) error {
	if err := s.roster.load(ctx); err != nil {
		return err
	}
	if err := s.watcher.Rescan(ctx, account); err != nil {
		return err
	}
	return s.store.CheckVolume(ctx, s.cfg.UploadDir)
}

// disks are the file systems that uploads and photos are on, one if it is the
// same.
func (s *service) disks() (all []web.Disk) {
	var seen []unix.Fsid
	for _, d := range []struct{ what, dir string }{{"Uploads", s.cfg.UploadDir}, {"Photos and catalogue", s.cfg.DataDir}} {
		var st unix.Statfs_t
		if err := unix.Statfs(d.dir, &st); err != nil {
			continue // the status warns of a directory that is not there
		}
		if slices.Contains(seen, st.Fsid) {
			all[len(all)-1].What = "Uploads, photos and catalogue"
			continue
		}
		seen = append(seen, st.Fsid)
		all = append(all, web.Disk{What: d.what, Size: int64(st.Blocks) * st.Bsize, Free: int64(st.Bavail) * st.Bsize})
	}
	return all
}
