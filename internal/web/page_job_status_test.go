package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"picday/store"
)

// jobsInTest notes what it was asked for.
type jobsInTest struct {
	found  Objections
	err    error // of Activate and Plan
	slow   bool
	called []string
}

func (j *jobsInTest) Objections(ctx context.Context, _ store.Job) (Objections, error) {
	if j.slow {
		return Objections{}, context.DeadlineExceeded
	}
	return j.found, ctx.Err()
}

func (j *jobsInTest) Activate(_ context.Context, job store.Job, operator string, withProblems bool) error {
	if withProblems {
		operator += " with problems"
	}
	j.called = append(j.called, "activate "+job.Account+"/"+job.Name+" by "+operator)
	return j.err
}

func (j *jobsInTest) Plan(_ context.Context, job store.Job, operator string) error {
	j.called = append(j.called, "plan "+job.Account+"/"+job.Name+" by "+operator)
	return j.err
}

func TestAJobIsPutOnSaleOnItsPage(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", b.other.ID)
	b.addOperator("eve", b.acct.ID)
	ann, eve := b.session("ann"), b.session("eve")
	const page = "/jobs/acme/job00001"

	// Not on the pages: what to type, and no way around.
	if body := b.ask("GET", page+"?sale=1", nil, "Cookie", ann).Body.String(); !strings.Contains(body, "picday job activate") || strings.Contains(body, "/activate") {
		t.Errorf("%s", body)
	}
	if w := b.ask("POST", page+"/activate", url.Values{}, "Cookie", ann); w.Code != http.StatusForbidden {
		t.Errorf("%d", w.Code)
	}

	jobs := &jobsInTest{found: Objections{Problems: 2, Busy: []string{"<x> is being uploaded"}, BusyCount: 3, EmptyFolders: []string{"Class 9"}}}
	b.gate.Jobs = jobs
	if body := b.ask("GET", page, nil, "Cookie", ann).Body.String(); strings.Contains(body, "picday job activate") || !strings.Contains(body, `name="sale"`) {
		t.Errorf("%s", body)
	}
	body := b.ask("GET", page+"?sale=1", nil, "Cookie", ann).Body.String()
	for _, want := range []string{"2 files could not become photos", "3 files are not through yet", "&lt;x&gt; is being uploaded", "and 2 more", "Class 9", "without these 2 files"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in %s", want, body)
		}
	}
	if !strings.Contains(body, `name="with-problems" value="yes"`) {
		t.Error("the button does not say that files stay behind")
	}
	jobs.found = Objections{}
	if body := b.ask("GET", page+"?sale=1", nil, "Cookie", ann).Body.String(); !strings.Contains(body, "nothing is arriving") || strings.Contains(body, "with-problems") {
		t.Errorf("%s", body)
	}
	jobs.slow = true
	if body := b.ask("GET", page+"?sale=1", nil, "Cookie", ann).Body.String(); !strings.Contains(body, "not all could be looked at") || strings.Contains(body, "nothing is arriving") {
		t.Errorf("%s", body)
	}
	jobs.slow = false

	for _, path := range []string{page + "/activate", page + "/plan", "/jobs/acme/nope/activate"} {
		if w := b.ask("POST", path, url.Values{}, "Cookie", eve); w.Code != http.StatusNotFound {
			t.Errorf("%s of another account: %d", path, w.Code)
		}
	}
	w := b.ask("POST", page+"/activate", url.Values{}, "Cookie", ann)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != page+"?done=activated" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	b.ask("POST", page+"/activate", url.Values{"with-problems": {"yes"}}, "Cookie", ann)
	b.ask("POST", page+"/plan", url.Values{}, "Cookie", ann)
	jobs.err = Refused("Nothing was changed: x.jpg is being uploaded.")
	w = b.ask("POST", page+"/activate", url.Values{}, "Cookie", ann)
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "x.jpg is being uploaded") || !strings.Contains(w.Body.String(), page+"/activate") || strings.Contains(w.Body.String(), "data-mark") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	jobs.err = errors.New("secret of the disk")
	if w = b.ask("POST", page+"/plan", url.Values{}, "Cookie", ann); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	want := "activate acme/job00001 by ann, activate acme/job00001 by ann with problems, plan acme/job00001 by ann, activate acme/job00001 by ann, plan acme/job00001 by ann"
	if got := strings.Join(jobs.called, ", "); got != want {
		t.Errorf("%s", got)
	}
}
