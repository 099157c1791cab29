package contract

import (
	"testing"
	"time"

	"picday/internal/control"
	"picday/store"
)

// A job is complete only if that is known: nothing arrives, waits, is missing or a problem.
func TestNothingIsCompleteThatIsNotKnownToBe(t *testing.T) {
	now, old := time.Now(), time.Now().Add(-time.Hour)
	status := func(arriving, waiting int) control.Status {
		return control.Status{Running: true, LastProvenAlive: &now, BacklogKnown: true, Backlog: []control.Backlog{{Account: "acme", Job: "j", Arriving: arriving, Waiting: waiting}, {Account: "acme", Job: "other", Waiting: 7}}}
	}
	starting, silent := status(0, 0), status(0, 0)
	starting.BacklogKnown, silent.LastProvenAlive = false, &old
	job := func(photos, problems, expected int) store.Job {
		return store.Job{Account: "acme", Name: "j", Photos: photos, Problems: problems, Expected: expected}
	}
	for _, c := range []struct {
		st   control.Status
		job  store.Job
		want Arrival
	}{
		{control.Status{}, job(900, 0, 900), ArrivalUnknown},
		{starting, job(900, 0, 900), ArrivalUnknown},
		{silent, job(900, 0, 900), ArrivalUnknown},
		{status(1, 0), job(900, 0, 900), ArrivalArriving},
		{status(0, 1), job(900, 0, 900), ArrivalWaiting},
		{status(0, 0), job(900, 1, 900), ArrivalProblems},
		{status(0, 0), job(812, 0, 900), ArrivalMissing},
		{status(0, 0), job(900, 0, 900), ArrivalComplete},
		{status(0, 0), job(915, 0, 900), ArrivalComplete},
		{status(0, 0), job(5, 0, 0), ArrivalComplete},
		{status(0, 0), job(0, 0, 0), ArrivalEmpty},
	} {
		got := JobsWith(c.st)(c.job)
		if got.Arrival != c.want || (got.Waiting == nil) != (c.want == ArrivalUnknown) {
			t.Errorf("%+v: %+v, want %s", c.job, got, c.want)
		}
	}
	if b, _ := status(1, 2).BacklogOf("acme", ""); b.Arriving != 1 || b.Waiting != 9 {
		t.Errorf("of the account: %+v", b)
	}
	if b, _ := status(1, 2).BacklogOf("other", ""); b.Arriving+b.Waiting != 0 {
		t.Errorf("of another account: %+v", b)
	}
}
