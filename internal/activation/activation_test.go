package activation

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/test/uploads"
	"picday/internal/trees"
	"picday/store"
)

// A folder moves the job's folder, and can be disturbed before and after it.
type folder struct {
	s             *uploads.Site
	before, after func()
	hide, show    error
	moves         []string
}

func (f *folder) Hide() ([]string, error) {
	if f.before != nil {
		f.before()
	}
	f.moves = append(f.moves, "hide")
	if f.hide != nil {
		return nil, f.hide
	}
	f.s.Must(os.MkdirAll(f.s.Trees.ActiveBase("acme"), 0o700))
	f.s.Must(trees.Move(f.s.Trees.Job("acme", "job1"), f.s.Trees.ActiveJob("acme", "job1")))
	if f.after != nil {
		f.after()
	}
	return []string{"hid the folder"}, nil
}

func (f *folder) Show() ([]string, error) {
	f.moves = append(f.moves, "show")
	if f.show != nil {
		return nil, f.show
	}
	f.s.Must(trees.Move(f.s.Trees.ActiveJob("acme", "job1"), f.s.Trees.Job("acme", "job1")))
	return []string{"showed the folder"}, nil
}

type bed struct {
	*uploads.Site
	*folder
}

// newBed has a job with one photo and one problem, and is quiet.
func newBed(t *testing.T) *bed {
	s := uploads.New(t)
	s.Write("acme/job1/A/x.jpg", "x")
	s.Publish("acme/job1/A/x.jpg")
	s.Write("acme/job1/lost.jpg", "lost")
	s.Problem("acme/job1/lost.jpg", layout.NoAlbum, 0)
	return &bed{s, &folder{s: s}}
}

func (b *bed) activation(wait time.Duration) Activation {
	return Activation{
		Store: b.Store, Account: b.Acme, Job: b.Job("job1"), Trees: b.Trees, Volumes: b.Volumes, Hide: b.Hide, Show: b.Show, Wait: wait, WithProblems: true,
	}
}

// refuses requires that the job is as it was, because of why.
func (b *bed) refuses(why Why, path string) {
	b.Helper()
	_, err := b.activation(0).Run(b.Context())
	var busy *BusyError
	if !errors.As(err, &busy) || busy.Busy.Why != why || busy.Busy.Path != path {
		b.Errorf("want %v %s, got %v", why, path, err)
	}
	b.is(store.Planned)
}

// is requires the job's state, and its folder where that says.
func (b *bed) is(state store.JobState) {
	b.Helper()
	_, shown := os.Lstat(b.Trees.Job("acme", "job1"))
	_, hidden := os.Lstat(b.Trees.ActiveJob("acme", "job1"))
	if got := b.Job("job1").State; got != state || (shown == nil) != (state == store.Planned) || (hidden == nil) != (state == store.Active) {
		b.Errorf("the job is %s, shown: %v, hidden: %v", got, shown, hidden)
	}
}

func TestAQuietJobBecomesActive(t *testing.T) {
	b := newBed(t)
	b.Write("acme/job1/A/.DS_Store", "noise")
	b.Write("acme/job1/A/y.jpg.filepart", "broken off")
	b.Write("acme/job1/__MACOSX/z.jpg", "noise")
	b.Write("acme/job1/1/2/3/4/5/6/7/8/deep.jpg", "too deep")
	b.Write("acme/job1/\xff\xfe/x.jpg", "an album that is not UTF-8")
	b.Publish("acme/job1/\xff\xfe/x.jpg")
	b.Must(os.Symlink("/etc/passwd", b.At("acme/job1/A/link.jpg")))
	b.Problem("acme/job1/A/link.jpg", layout.Unreadable, 0)
	done, err := b.activation(0).Run(t.Context())
	if err != nil || len(done) != 1 {
		t.Errorf("%q, %v", done, err)
	}
	b.is(store.Active)
	done, err = b.activation(0).Plan(t.Context())
	if err != nil || len(done) != 1 {
		t.Errorf("%q, %v", done, err)
	}
	b.is(store.Planned)
}

func TestABusyJobStaysAsItIs(t *testing.T) {
	b := newBed(t)
	hold := func(path string) (release func()) {
		b.Write(path, "half")
		f, err := os.OpenFile(b.At(path), os.O_WRONLY, 0)
		b.Must(err)
		return func() { b.Must(f.Close()); b.Remove(path) }
	}
	for _, path := range []string{"job1/A/new.jpg", "job1/A/new.jpg.filepart", "job1/A/.in.new.jpg", "job1/@eaDir/new.jpg"} {
		release := hold("acme/" + path)
		b.refuses(Uploading, path)
		release()
	}
	b.Write("acme/job1/A/new.jpg", "new")
	b.refuses(NotTaken, "job1/A/new.jpg")
	b.Remove("acme/job1/A/new.jpg")

	b.Must(os.Symlink("/etc/passwd", b.At("acme/job1/A/link.jpg")))
	b.refuses(NotTaken, "job1/A/link.jpg")
	b.Remove("acme/job1/A/link.jpg")

	b.Write("acme/job1/A/x.jpg", "overwritten")
	b.refuses(NotTaken, "job1/A/x.jpg")
	b.Publish("acme/job1/A/x.jpg")

	b.Remove("acme/job1/A/x.jpg")
	b.Missing("acme/job1/A/x.jpg")
	b.refuses(NotWithdrawn, "")
	b.Withdraw()
	if len(b.moves) > 0 {
		t.Errorf("the folder was moved: %q", b.moves)
	}
	if _, err := b.activation(0).Run(t.Context()); err != nil {
		t.Error(err)
	}
	b.is(store.Active)
}

// A wait is told once, and ends when the job is quiet.
func TestItWaits(t *testing.T) {
	b := newBed(t)
	b.Write("acme/job1/A/new.jpg", "new")
	a := b.activation(time.Minute)
	var told []string
	a.Waiting = func(busy Busy) {
		told = append(told, busy.String())
		b.Publish("acme/job1/A/new.jpg")
		b.Write("acme/job1/A/newer.jpg", "newer")
		time.AfterFunc(2*lookAgain, func() { b.Publish("acme/job1/A/newer.jpg") })
	}
	if _, err := a.Run(t.Context()); err != nil || len(told) != 1 || told[0] != "job1/A/new.jpg has not been taken in yet" {
		t.Errorf("%q, %v", told, err)
	}
	b.is(store.Active)
}

// What begins between the look and the move is seen after the move.
func TestAnUploadBeginsAtTheLastMoment(t *testing.T) {
	b := newBed(t)
	var f *os.File
	b.before = func() {
		b.Write("acme/job1/A/late.jpg", "half")
		var err error
		f, err = os.OpenFile(b.At("acme/job1/A/late.jpg"), os.O_WRONLY, 0)
		b.Must(err)
	}
	b.refuses(Uploading, "job1/A/late.jpg")
	if got := strings.Join(b.moves, " "); got != "hide show" {
		t.Error(got)
	}
	// The uploader goes on as if nothing had happened.
	_, err := f.WriteString(", whole")
	b.Must(errors.Join(err, f.Close()))
	b.before = nil
	b.refuses(NotTaken, "job1/A/late.jpg")
	b.Publish("acme/job1/A/late.jpg")
	if _, err := b.activation(0).Run(t.Context()); err != nil {
		t.Error(err)
	}
	b.is(store.Active)

	// The same with an upload that has begun and ended in between.
	b = newBed(t)
	b.before = func() { b.Write("acme/job1/A/late.jpg", "whole") }
	b.refuses(NotTaken, "job1/A/late.jpg")
}

// Whoever is killed leaves a job that can be activated again, and that the daemon
// withdraws nothing of meanwhile.
func TestInterruptedActivations(t *testing.T) {
	t.Run("before the move", func(t *testing.T) {
		b := newBed(t)
		b.SetJobState("job1", store.Activating)
		if _, err := b.activation(0).Run(t.Context()); err != nil {
			t.Error(err)
		}
		b.is(store.Active)
	})
	t.Run("before the move, and it is not quiet", func(t *testing.T) {
		b := newBed(t)
		b.SetJobState("job1", store.Activating)
		b.Write("acme/job1/A/new.jpg", "new")
		b.refuses(NotTaken, "job1/A/new.jpg")
	})
	hidden := func(t *testing.T) *bed {
		b := newBed(t)
		b.SetJobState("job1", store.Activating)
		_, err := b.Hide()
		b.Must(err)
		b.moves = nil
		// The daemon looks for the files, and finds the folder gone.
		b.Missing("acme/job1/A")
		return b
	}
	t.Run("after the move, and it is not quiet", func(t *testing.T) {
		b := hidden(t)
		b.Must(os.WriteFile(b.Trees.ActiveJob("acme", "job1")+"/A/late.jpg", []byte("late"), 0o644))
		b.refuses(NotTaken, "job1/A/late.jpg")
		b.Withdraw()
		if b.Photo("acme/job1/A/x.jpg").ID == 0 {
			t.Error("the photo was withdrawn")
		}
	})
	t.Run("after the move", func(t *testing.T) {
		b := hidden(t)
		a := b.activation(0)
		a.Hide = func() ([]string, error) { return nil, nil } // as the real one does
		if _, err := a.Run(t.Context()); err != nil {
			t.Error(err)
		}
		b.is(store.Active)
		b.Withdraw()
		if b.Photo("acme/job1/A/x.jpg").ID == 0 {
			t.Error("the photo was withdrawn")
		}
	})
	t.Run("the move fails", func(t *testing.T) {
		b := newBed(t)
		b.hide = errors.New("no space")
		if _, err := b.activation(0).Run(t.Context()); !errors.Is(err, b.hide) {
			t.Error(err)
		}
		b.is(store.Planned)
	})
	t.Run("the way back fails", func(t *testing.T) {
		b := newBed(t)
		b.before = func() { b.Write("acme/job1/A/late.jpg", "late") }
		b.show = errors.New("no way back")
		if _, err := b.activation(0).Run(t.Context()); !errors.Is(err, b.show) {
			t.Error(err)
		}
		// While it is neither planned nor active, nothing counts as deleted.
		if state := b.Job("job1").State; state != store.Activating {
			t.Errorf("the job is %s", state)
		}
		b.show, b.before = nil, nil
		_, err := b.Show()
		b.Must(err)
		b.Publish("acme/job1/A/late.jpg")
		if _, err := b.activation(0).Run(t.Context()); err != nil {
			t.Error(err)
		}
		b.is(store.Active)
	})
	t.Run("the caller gives up after the move", func(t *testing.T) {
		b := newBed(t)
		ctx, cancel := context.WithCancel(t.Context())
		b.after = cancel
		if _, err := b.activation(0).Run(ctx); err == nil {
			b.is(store.Active)
		} else {
			b.is(store.Planned)
		}
	})
}
