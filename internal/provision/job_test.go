package provision

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/failure"
	"picday/store"
)

// A job that never had a photo goes with its empty folder; any other stays as it was, also
// if a photo comes in between the two steps.
func TestRemoveJob(t *testing.T) {
	x, m := newAccounts(t)
	ctx := t.Context()
	add := func(job string) {
		t.Helper()
		_, err := x.AddJobs(ctx, "acme", "", job)
		must(t, err)
	}
	add("job2")
	report, err := x.RemoveJob(ctx, "acme", "", "job2")
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "no job acme/job2; removed the job job2")
	if _, err := x.Store.All().Job(ctx, "acme", "job2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("job2: %v", err)
	}
	if _, err := x.RemoveJob(ctx, "acme", "", "job2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("again: %v", err)
	}

	must(t, os.MkdirAll(filepath.Join(m.Base("acme"), "job1"), 0o755))
	if _, err := x.RemoveJob(ctx, "acme", "", "job1"); !failure.IsRefusal(err) {
		t.Errorf("a job with photos: %v", err)
	}
	if _, err := os.Stat(filepath.Join(m.Base("acme"), "job1")); err != nil {
		t.Errorf("its folder: %v", err)
	}
	is(t, "acme", state(t, x, "acme"), "enabled, 2 photos")

	// Interrupted after its folder was deleted.
	add("job3")
	killed, kill := context.WithCancel(ctx)
	m.onCall = map[string]func(){"no job acme/job3": kill}
	if _, err := x.RemoveJob(killed, "acme", "", "job3"); err == nil {
		t.Error("it was not interrupted")
	}
	if _, err := os.Stat(filepath.Join(m.Base("acme"), "job3")); err != nil {
		t.Errorf("its folder: %v", err)
	}
	m.onCall = nil
	_, err = x.RemoveJob(ctx, "acme", "", "job3")
	must(t, err)

	for _, name := range []string{"lincoln", "nobody"} {
		if _, err := x.AddJobs(ctx, name, "", "job1"); err == nil {
			t.Errorf("a job of %s", name)
		}
	}
}
