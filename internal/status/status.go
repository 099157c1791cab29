// Package status gathers what picdayd is doing at the moment.
package status

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"picday/ingest"
	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/layout"
	"picday/internal/version"
	"picday/store"
	"picday/watcher"
)

// Sources are what a status is gathered from; all are required.
type Sources struct {
	Config config.Config
	Since  time.Time // when picdayd was started

	Watcher       func() watcher.Status
	Ingest        Ingester
	LacksProfiles func() bool // the decoders do
	Proven        func() time.Time
	Failing       func() error

	Counts       func(context.Context) (store.Counts, error)
	CheckVolume  func(context.Context) error
	Room         func() error                            // an error if the data directory's disk is full
	TooManyFiles func(context.Context) ([]string, error) // accounts with files that wait for that reason

	// Warnings: WAL has one or "".
	WAL       func() string
	Listeners func() []string
	Jail      func() []string
	Outbox    func(context.Context) ([]string, error)
}

// An Ingester is ingest.Ingester as far as the status asks it.
type Ingester interface {
	InProgress() []ingest.Progress
	Backlog() (done, total int)
	LastFailure() error
	WithdrawFailure() error
	Unverified() []ingest.Unverified
}

// A Reporter answers with the status.
type Reporter struct {
	Sources
	slots chan struct{} // for gathering; one that does not end keeps its slot

	mu   sync.Mutex
	last control.Status // the last that was complete
	at   time.Time      // of last
}

// New makes a Reporter.
func New(s Sources) *Reporter { return &Reporter{Sources: s, slots: make(chan struct{}, 8)} }

// answerWithin is how long a status may take: a status is asked for most urgently when
// a disk does not answer.
const answerWithin = 2 * time.Second

// Status asks the catalogue and the disks. If one of them does not answer in time it
// returns the last status that was complete, and says so in a warning.
func (r *Reporter) Status(ctx context.Context) control.Status {
	answer := make(chan control.Status, 1)
	select {
	case r.slots <- struct{}{}:
		go func() {
			answer <- r.gather(context.WithoutCancel(ctx))
			<-r.slots
		}()
	default: // all slots are taken by what does not end
	}
	select {
	case st := <-answer:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.last, r.at = st, time.Now()
		return own(st)
	case <-time.After(answerWithin):
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	st := own(r.last)
	st.BacklogKnown = false
	late := "the catalogue or a disk does not answer: what is shown here may be old"
	if r.at.IsZero() {
		st = control.NewStatus()
		st.Running, st.Version, st.Since = true, version.String(), &r.Since
		late = "the catalogue or a disk does not answer, and has not since picdayd was started"
	}
	if at := r.Proven(); !at.IsZero() {
		st.LastProvenAlive = &at
	}
	st.Warnings = slices.Insert(st.Warnings, 0, control.Warning{Text: late})
	if err := r.Failing(); err != nil {
		st.Warnings = slices.Insert(st.Warnings, 0, control.Warning{Text: err.Error()})
	}
	return st
}

// own is a copy whose lists the caller may change.
func own(st control.Status) control.Status {
	st.InProgress, st.Uploading = slices.Clone(st.InProgress), slices.Clone(st.Uploading)
	st.PolledDirs, st.Warnings = slices.Clone(st.PolledDirs), slices.Clone(st.Warnings)
	st.Unsure, st.Backlog = slices.Clone(st.Unsure), slices.Clone(st.Backlog)
	return st
}

// gather may take forever, if the catalogue or a disk does not answer.
func (r *Reporter) gather(ctx context.Context) control.Status {
	w := r.Watcher()
	st := control.NewStatus()
	st.Running, st.Version, st.Since = true, version.String(), &r.Since
	st.Queued, st.Waiting, st.UploadingFiles = w.InFlight, w.Pending, w.Uploading
	st.WatchedDirs, st.PolledDirs, st.Overflows = w.WatchedDirs, append(st.PolledDirs, w.PolledDirs...), w.Overflows
	st.EventStreamsRebuilt, st.WatchesMissing = w.Rebuilt, w.WatchesMissing
	if !w.EventsProven.IsZero() {
		st.EventsProvenAt = new(w.EventsProven.UTC())
	}
	st.LacksProfiles = r.LacksProfiles()
	if at := r.Proven(); !at.IsZero() {
		st.LastProvenAlive = &at
	}
	if err := r.Failing(); err != nil {
		st.Warn(err.Error())
	}
	for _, p := range r.Ingest.InProgress() {
		st.InProgress = append(st.InProgress, control.Progress{
			Account: p.Account, Path: layout.Shown(p.Path), Bytes: p.Identity.Size, Since: p.Since.UTC(),
		})
	}
	st.Uploading = r.uploading(w.Arriving)
	st.Queued = max(0, st.Queued-len(st.InProgress))
	if !w.OldestPending.IsZero() {
		st.OldestWaitingSeconds = time.Since(w.OldestPending).Seconds()
	}
	if done, total := r.Ingest.Backlog(); done < total {
		st.Rederive = &control.Rederive{Done: done, Total: total}
	}
	for tree, b := range w.Trees {
		one := control.Backlog{Account: tree.Account, Job: layout.Shown(tree.Path), Arriving: b.Uploading, Waiting: b.Files - b.Uploading}
		if strings.Contains(tree.Path, "/") {
			one.Job = "" // portraits
		}
		st.Backlog = append(st.Backlog, one)
	}
	slices.SortFunc(st.Backlog, func(a, b control.Backlog) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Job, b.Job))
	})
	st.BacklogKnown = !w.LastScan.At.IsZero() && len(w.Missing) == 0
	if !w.LastScan.At.IsZero() {
		st.LastScan = &control.Scan{At: w.LastScan.At.UTC(), Seconds: w.LastScan.Took.Seconds(), Files: w.LastScan.Files}
	}
	counts, err := r.Counts(ctx)
	if err != nil {
		st.Warn("catalogue: " + err.Error())
	}
	st.Photos, st.Unusual, st.Problems = counts.Photos, counts.Unusual, counts.Problems
	if err := r.CheckVolume(ctx); err != nil {
		st.BacklogKnown = false
		st.Warnings = append(st.Warnings, control.Warning{Kind: control.VolumeAway, Text: err.Error()})
	}
	if text := r.WAL(); text != "" {
		st.Warn(text)
	}
	st.Warn(r.Listeners()...)
	failure := r.Ingest.LastFailure()
	if failure == nil {
		failure = r.Room() // said before the next upload comes
	}
	if err := failure; err != nil {
		st.Warnings = append(st.Warnings, control.Warning{Kind: control.UploadsNotTaken, Text: "uploads cannot be taken in, and are tried again, at the latest after half a minute: " + err.Error()})
	}
	if err := r.Ingest.WithdrawFailure(); err != nil {
		st.Warnings = append(st.Warnings, control.Warning{Kind: control.NotWithdrawn, Text: "photos of missing files cannot be withdrawn, which is tried again every half minute: " + err.Error()})
	}
	if unverified := r.Ingest.Unverified(); len(unverified) > 0 {
		for _, u := range unverified[:min(len(unverified), 50)] {
			st.Unsure = append(st.Unsure, control.Unsure{Account: u.Account, Path: layout.Shown(u.Path), Since: u.Since.UTC(), Why: u.Err.Error()})
		}
		st.Warn(fmt.Sprintf("it cannot be told whether %d missing files or folders were deleted, so their photos stay published, and it is tried again every few seconds: %v", len(unverified), unverified[0].Err))
	}
	for _, dir := range w.Missing {
		st.Warn("the folder " + layout.Shown(dir) + " is not there or cannot be read: nothing below it is taken or withdrawn")
	}
	full, err := r.TooManyFiles(ctx)
	if err != nil {
		st.Warn("catalogue: " + err.Error())
	}
	atLimit := func(account, what string) {
		st.Warnings = append(st.Warnings, control.Warning{Kind: control.AccountAtLimit, Account: account, Text: "the account " + account + " is at a limit: " + what})
	}
	for _, name := range full {
		atLimit(name, fmt.Sprintf("it holds %d files, and new ones wait. Have some deleted, or raise max_files in picday.toml and restart picdayd", r.Config.Upload.MaxFiles))
	}
	for _, name := range w.OverDirLimit {
		atLimit(name, fmt.Sprintf("it holds %d folders, and new ones are not looked into. Have some deleted, or raise max_folders in picday.toml and restart picdayd", r.Config.Upload.MaxFolders))
	}
	if w.OutOfResources {
		st.Warn("picdayd could open no more files within the last minute, and uploads wait: raise LimitNOFILE in its unit")
	}
	if w.WatchesMissing > 0 {
		st.Warn(fmt.Sprintf("the kernel has lost the watches of %d upload folders: they are watched anew in a moment, and until then uploads there may go unnoticed", w.WatchesMissing))
	}
	switch {
	case w.Unwatched > 0 && w.OutOfWatches:
		st.Warn("the kernel's inotify watches have run out, some folders are polled: raise fs.inotify.max_user_watches")
	case w.Unwatched > 0:
		st.Warn(fmt.Sprintf("%d folders cannot be watched and are polled: uploads there are noticed some seconds later", w.Unwatched))
	}
	if len(w.LeaseRefused) > 0 {
		st.Warn("the kernel does not tell picdayd who has an upload of " + strings.Join(w.LeaseRefused, ", ") + " open: uploads are taken after " +
			r.Config.Upload.SettleUnsure.Std().String() + " of quiet instead of by proof. Has it CAP_LEASE? In an unprivileged container that counts for nothing: \"picday doctor\" says more")
	}
	st.Warn(r.Jail()...)
	undelivered, err := r.Outbox(ctx)
	if err != nil {
		st.Warn("catalogue: " + err.Error())
	}
	st.Warn(undelivered...)
	for _, root := range w.Leaseless {
		st.Warn("the file system of account " + root + " has no leases: uploads are taken after " + r.Config.Upload.SettleUnsure.Std().String() + " of quiet instead of by proof")
	}
	return st
}

// uploading are the files that the watcher waits for, the latest first.
func (r *Reporter) uploading(arriving []watcher.Arriving) []control.Progress {
	all := []control.Progress{}
	for _, a := range arriving {
		// A folder, or a file that is gone by now, is not being uploaded.
		if fi, err := os.Lstat(filepath.Join(r.Config.UploadDir, a.Account, a.Path)); err == nil && fi.Mode().IsRegular() {
			all = append(all, control.Progress{Account: a.Account, Path: layout.Shown(a.Path), Bytes: fi.Size(), Since: a.Since.UTC()})
		}
	}
	slices.SortFunc(all, func(a, b control.Progress) int { return b.Since.Compare(a.Since) })
	return all
}
