package activation

import (
	"context"
	"os"
	"strings"
	"testing"

	"picday/internal/control"
	"picday/internal/failure"
	"picday/store"
)

// Who activates a job at a shell is told what was done, or what to type.
func TestAtAShell(t *testing.T) {
	b := newBed(t)
	running := func(context.Context) error { return nil }
	stopped := func(context.Context) error { return control.ErrNotRunning }
	refused := func(a Activation, daemon func(context.Context) error, parts ...string) {
		t.Helper()
		done, err := a.RunFromShell(t.Context(), daemon)
		if !failure.IsRefusal(err) || len(done) > 0 {
			t.Fatalf("%q, %v", done, err)
		}
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in %q", part, err)
			}
		}
		b.is(store.Planned)
	}
	a := b.activation(0)
	a.WithProblems = false
	refused(a, running, "job job1: 1 file of the job could not become a photo", "picday problems acme\n", "picday job activate acme job1 --with-problems")
	b.Write("acme/job1/A/new.jpg", "new")
	refused(b.activation(0), running, "nothing was changed: job1/A/new.jpg", "picday job activate acme job1 --wait 30m")
	refused(b.activation(0), stopped, "--wait 30m\n", "systemctl start picdayd")
	b.Must(os.Remove(b.At("acme/job1/A/new.jpg")))

	says := func(want string, done []string, err error) {
		t.Helper()
		if got := strings.Join(done, ", "); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	done, err := b.activation(0).PlanFromShell(t.Context())
	says("", done, err)
	done, err = b.activation(0).RunFromShell(t.Context(), running)
	says("hid the folder, the job is active", done, err)
	b.is(store.Active)
	done, err = b.activation(0).RunFromShell(t.Context(), running)
	says("", done, err)
	done, err = b.activation(0).PlanFromShell(t.Context())
	says("showed the folder, the job takes uploads", done, err)
	b.is(store.Planned)
}
