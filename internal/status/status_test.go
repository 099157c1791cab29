package status

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"picday/ingest"
	"picday/internal/config"
	"picday/internal/control"
	"picday/store"
	"picday/watcher"
)

// ingester is an ingest.Ingester as a test sets it.
type ingester struct {
	lastFailure, withdrawFailure error
	unverified                   []ingest.Unverified
}

func (ingester) InProgress() []ingest.Progress     { return nil }
func (ingester) Backlog() (done, total int)        { return 1, 24 }
func (i ingester) LastFailure() error              { return i.lastFailure }
func (i ingester) WithdrawFailure() error          { return i.withdrawFailure }
func (i ingester) Unverified() []ingest.Unverified { return i.unverified }

func sources() Sources {
	none := func() []string { return nil }
	return Sources{
		Config: config.Default(), Since: time.Now(),
		Watcher:       func() watcher.Status { return watcher.Status{} },
		Ingest:        ingester{},
		LacksProfiles: func() bool { return false },
		Proven:        time.Now,
		Failing:       func() error { return nil },
		Counts:        func(context.Context) (store.Counts, error) { return store.Counts{Photos: 7}, nil },
		CheckVolume:   func(context.Context) error { return nil },
		Room:          func() error { return nil },
		TooManyFiles:  func(context.Context) ([]string, error) { return nil, nil },
		WAL:           func() string { return "" },
		Listeners:     none,
		Jail:          none,
		Outbox:        func(context.Context) ([]string, error) { return nil, nil },
	}
}

func TestNothingIsWrong(t *testing.T) {
	st := New(sources()).Status(t.Context())
	if !st.Running || st.Photos != 7 || st.LastProvenAlive == nil || st.Rederive == nil || st.Rederive.Total != 24 {
		t.Errorf("%+v", st)
	}
	if st.Warnings == nil || len(st.Warnings) > 0 || st.Unsure == nil || st.PolledDirs == nil {
		t.Errorf("%+v", st)
	}
}

// A full disk is a warning although no upload has failed yet.
func TestAFullDiskIsSaidBeforeAnUpload(t *testing.T) {
	s := sources()
	s.Room = func() error { return errors.New("the disk is full") }
	if all := New(s).Status(t.Context()).Warnings; len(all) != 1 || all[0].Kind != control.UploadsNotTaken || !strings.Contains(all[0].Text, "the disk is full") {
		t.Errorf("%+v", all)
	}
}

// What a program has to recognise has a kind.
func TestWarnings(t *testing.T) {
	s := sources()
	s.Config.Upload.MaxFiles, s.Config.Upload.MaxFolders = 10, 5
	s.Ingest = ingester{
		lastFailure: errors.New("disk full"), withdrawFailure: errors.New("catalogue locked"),
		unverified: []ingest.Unverified{{Account: "acme", Path: "j/a/x.jpg", Err: errors.New("too many open files")}},
	}
	s.Failing = func() error { return errors.New("the catalogue: broken") }
	s.TooManyFiles = func(context.Context) ([]string, error) { return []string{"acme"}, nil }
	s.Watcher = func() watcher.Status {
		return watcher.Status{OverDirLimit: []string{"lincoln"}, Missing: []string{"/srv/acme/j"}, Unwatched: 2}
	}
	s.CheckVolume = func(context.Context) error { return errors.New("another volume") }
	s.WAL = func() string { return "a reader" }
	s.Listeners = func() []string { return []string{"web.public is full"} }
	s.Jail = func() []string { return []string{"lincoln is not jailed"} }
	s.Outbox = func(context.Context) ([]string, error) { return []string{"events have not reached mail:eva"}, nil }
	st := New(s).Status(t.Context())
	for _, want := range []control.Warning{
		{Text: "the catalogue: broken"},
		{Kind: control.VolumeAway, Text: "another volume"},
		{Text: "a reader"},
		{Text: "web.public is full"},
		{Text: "lincoln is not jailed"},
		{Text: "events have not reached mail:eva"},
		{Kind: control.UploadsNotTaken, Text: "uploads cannot be taken in, and are tried again, at the latest after half a minute: disk full"},
		{Kind: control.NotWithdrawn, Text: "photos of missing files cannot be withdrawn, which is tried again every half minute: catalogue locked"},
		{Kind: control.AccountAtLimit, Account: "acme", Text: "the account acme is at a limit: it holds 10 files, and new ones wait. Have some deleted, or raise max_files in picday.toml and restart picdayd"},
		{Kind: control.AccountAtLimit, Account: "lincoln", Text: "the account lincoln is at a limit: it holds 5 folders, and new ones are not looked into. Have some deleted, or raise max_folders in picday.toml and restart picdayd"},
		{Text: "2 folders cannot be watched and are polled: uploads there are noticed some seconds later"},
	} {
		if !slices.Contains(st.Warnings, want) {
			t.Errorf("%+v is not among\n%+v", want, st.Warnings)
		}
	}
	if len(st.Unsure) != 1 || st.Unsure[0].Why != "too many open files" {
		t.Errorf("%+v", st.Unsure)
	}
}

// A catalogue that does not answer does not keep the status from whoever asks.
func TestACatalogueThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sources()
		var hung atomic.Bool
		hung.Store(true)
		s.Counts = func(context.Context) (store.Counts, error) {
			if hung.Load() {
				time.Sleep(time.Hour)
			}
			return store.Counts{Photos: 7}, nil
		}
		r := New(s)
		late := func(st control.Status, what string) {
			t.Helper()
			if !st.Running || len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0].Text, what) {
				t.Errorf("%+v", st)
			}
		}
		for range 2 * cap(r.slots) { // more than there are slots
			late(r.Status(t.Context()), "has not since picdayd was started")
		}
		time.Sleep(2 * time.Hour)
		hung.Store(false)
		if st := r.Status(t.Context()); st.Photos != 7 || len(st.Warnings) > 0 {
			t.Errorf("%+v", st)
		}
		hung.Store(true)
		st := r.Status(t.Context())
		if late(st, "may be old"); st.Photos != 7 {
			t.Errorf("%+v", st)
		}
		time.Sleep(2 * time.Hour)
	})
}
