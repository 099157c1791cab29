package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"picday/internal/control"
	"picday/internal/version"
	"picday/layout"
	"picday/store"
	"picday/watcher"
	"picday/web"
)

// A proof is the last time that the whole line was seen to work: the
// watcher's keeper answered, and a transaction went through the writer.
type proof struct {
	mu sync.Mutex
	at time.Time
}

func (p *proof) set(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = t
}

func (p *proof) get() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

const proveEvery = 10 * time.Second

// keepProving tells systemd that picdayd is ready once the line has been
// proven once and decoders are there, and feeds its watchdog only as long as it can be proven again.
func (s *service) keepProving(ctx context.Context) error {
	// A sandbox in which no decoder can start is seen by whoever starts us.
	select {
	case <-s.decoder.Ready():
	case <-ctx.Done():
		return nil
	}
	every := proveEvery
	if limit, err := daemon.SdWatchdogEnabled(false); err == nil && limit > 0 {
		every = min(every, limit/3)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	ready := false
	for {
		if s.prove(ctx, every) {
			if !ready {
				notify(daemon.SdNotifyReady)
				s.log.Info().Msg("ready")
				ready = true
			}
			notify(daemon.SdNotifyWatchdog)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *service) prove(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := s.watcher.Alive(ctx); err != nil {
		return false
	}
	if err := s.writer.Do(ctx, func(*store.Tx) error { return nil }); err != nil {
		return false
	}
	s.proof.set(time.Now().UTC())
	return true
}

// notify is a no-op unless systemd asked to be told.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// Status implements control.Daemon.
func (s *service) Status(ctx context.Context) control.Status {
	w := s.watcher.Status()
	st := control.Status{
		Running: true, Version: version.String(), Since: &s.since,
		Queued: w.Handed, Waiting: w.Pending, UploadingFiles: w.Uploading,
		WatchedDirs: w.WatchedDirs, PolledDirs: append([]string{}, w.PolledDirs...), Overflows: w.Overflows,
		InProgress: []control.Progress{}, Warnings: []string{},
	}
	if at := s.proof.get(); !at.IsZero() {
		st.LastProvenAlive = &at
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
	st.Photos, st.Problems = counts.Photos, counts.Problems
	if err := s.store.CheckVolume(ctx, s.cfg.UploadDir); err != nil {
		st.Warnings = append(st.Warnings, err.Error())
	}
	st.Warnings = append(st.Warnings, s.front.warnings()...)
	if err := s.ingest.Setback(); err != nil {
		st.Warnings = append(st.Warnings, control.NotTaken+err.Error())
	}
	for _, dir := range w.Missing {
		st.Warnings = append(st.Warnings, "the folder "+layout.Shown(dir)+" is not there or cannot be read: nothing below it is taken or withdrawn")
	}
	switch {
	case w.Unwatched > 0 && w.OutOfWatches:
		st.Warnings = append(st.Warnings, "the kernel's inotify watches have run out, some folders are polled: raise fs.inotify.max_user_watches")
	case w.Unwatched > 0:
		st.Warnings = append(st.Warnings, fmt.Sprintf("%d folders cannot be watched and are polled: uploads there are noticed some seconds later", w.Unwatched))
	}
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
