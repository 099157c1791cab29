package activation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/store"
)

// Files that could not become photos are not left behind without a word.
func TestProblemsStandAgainstIt(t *testing.T) {
	b := newBed(t)
	a := b.activation(0)
	a.WithProblems = false
	_, err := a.Run(t.Context())
	var problems *ProblemsError
	if !errors.As(err, &problems) || problems.Count != 1 {
		t.Errorf("%v", err)
	}
	b.is(store.Planned)
	b.Remove("acme/job1/lost.jpg")
	b.Missing("acme/job1/lost.jpg")
	b.Withdraw()
	if _, err := a.Run(t.Context()); err != nil {
		t.Error(err)
	}
	b.is(store.Active)
}

// A problem that comes while an activation waits counts too, also if the folder was
// moved by one that was interrupted.
func TestAProblemComesWhileItWaits(t *testing.T) {
	b := newBed(t)
	b.Remove("acme/job1/lost.jpg")
	b.Missing("acme/job1/lost.jpg")
	b.Withdraw()
	b.Write("acme/job1/A/new.jpg", "new")
	a := b.activation(time.Minute)
	a.WithProblems = false
	a.Waiting = func(Busy) { b.Problem("acme/job1/A/new.jpg", layout.NotJPEG, 0) }
	var problems *ProblemsError
	if _, err := a.Run(t.Context()); !errors.As(err, &problems) {
		t.Errorf("%v", err)
	}
	b.is(store.Planned)

	b.SetJobState("job1", store.Activating)
	_, err := b.Hide()
	b.Must(err)
	if _, err := a.Run(t.Context()); !errors.As(err, &problems) {
		t.Errorf("%v", err)
	}
	b.is(store.Planned)
}

func TestObjections(t *testing.T) {
	b := newBed(t)
	b.Write("acme/job1/B/nothing yet.txt", "a note")
	b.Problem("acme/job1/B/nothing yet.txt", layout.NotJPEG, 0)
	b.Write("acme/job1/A/Einzel/x.jpg", "in a folder of the album")
	b.Problem("acme/job1/A/Einzel/x.jpg", layout.UnknownFolder, 0)
	b.Write("acme/job1/__MACOSX/z.jpg", "noise")
	for i := range MaxListed + 1 {
		b.Write(fmt.Sprintf("acme/job1/A/new%d.jpg", i), "new")
	}
	o, err := b.activation(0).Objections(t.Context())
	b.Must(err)
	if o.Problems != 3 || o.BusyCount != MaxListed+1 || len(o.Busy) != MaxListed || o.Busy[0].Why != NotTaken || len(o.EmptyFolders) != 1 || o.EmptyFolders[0] != "B" || o.None() {
		t.Errorf("%+v", o)
	}
	if len(b.moves) > 0 {
		t.Errorf("something was moved: %q", b.moves)
	}
}

// Of two that want the same job, one waits for the other.
func TestOneActivationAtATime(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	a := b.activation(0)
	unlock, err := a.lock(t.Context())
	b.Must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*lookAgain)
	defer cancel()
	if _, err := b.activation(0).Plan(ctx); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	if _, err := b.activation(0).Plan(context.Background()); !errors.Is(err, ErrLocked) {
		t.Errorf("without a deadline of the caller's: %v", err)
	}
	unlock()
	if _, err := a.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// The activity has who did what, and nothing of an attempt.
func TestActivationsAreInTheActivity(t *testing.T) {
	b := newBed(t)
	a := b.activation(0)
	a.Operator = "ann"
	b.before = func() { b.Write("acme/job1/A/late.jpg", "whole") }
	_, err := a.Run(t.Context())
	var busy *BusyError
	if !errors.As(err, &busy) {
		t.Error(err)
	}
	b.before = nil
	b.Publish("acme/job1/A/late.jpg")
	for _, do := range []func(context.Context) ([]string, error){a.Run, a.Plan} {
		a.Job = b.Job("job1")
		_, err := do(t.Context())
		b.Must(err)
	}
	var got []string
	for _, event := range []store.Event{store.EventActivated, store.EventPlanned} {
		all, err := b.Store.All().Activity(t.Context(), store.ActivityQuery{Event: event, Limit: 9})
		b.Must(err)
		for _, e := range all {
			got = append(got, string(e.Event)+" "+e.Path+" "+e.Operator)
		}
	}
	if want := "activated job1 ann, planned job1 ann"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
