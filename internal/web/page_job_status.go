package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"picday/store"
)

// Jobs puts jobs on sale and plans them again, for operators on the pages.
type Jobs interface {
	// Objections looks at every file of the job.
	Objections(ctx context.Context, job store.Job) (Objections, error)
	// Activate puts the job on sale; withProblems says that it may be done with files
	// that could not become photos. An error that is a Refused says why nothing was
	// changed.
	Activate(ctx context.Context, job store.Job, operator string, withProblems bool) error
	// Plan makes the job take uploads again.
	Plan(ctx context.Context, job store.Job, operator string) error
}

// Refused is an error whose text says to an operator why nothing was changed.
type Refused string

func (r Refused) Error() string { return string(r) }

// Objections are what stands against putting a job on sale.
type Objections struct {
	Problems     int
	Busy         []string // sentences, the first ones
	BusyCount    int
	EmptyFolders []string
}

// None tells whether nothing stands against it.
func (o Objections) None() bool {
	return o.Problems == 0 && o.BusyCount == 0 && len(o.EmptyFolders) == 0
}

// MoreBusy is how many sentences Busy has not.
func (o Objections) MoreBusy() int { return o.BusyCount - len(o.Busy) }

// objectionsTime bounds how long a page waits until all files of a job were looked at.
const objectionsTime = 10 * time.Second

// A saleView is the part of a job's page with which it is put on sale.
type saleView struct {
	Job        store.Job
	May        bool // on the pages; else they show what to type
	Look       bool // the operator may only look
	Asked      bool // the operator wants to put it on sale and is shown what stands against it
	Objections Objections
	Unknown    bool   // not all files could be looked at in time
	Refused    string // why nothing was changed
}

// sale makes it. Files are looked at only if somebody asks.
func (v *visit) sale(job store.Job, refused string) (saleView, error) {
	may := v.jobs != nil && v.role.May(store.Work)
	s := saleView{Job: job, May: may, Look: !v.role.May(store.Work), Asked: may && job.State != store.Active && (v.URL.Query().Has("sale") || refused != ""), Refused: refused}
	if !s.Asked {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(v.Context(), objectionsTime)
	defer cancel()
	var err error
	s.Objections, err = v.jobs.Objections(ctx, job)
	if errors.Is(err, context.DeadlineExceeded) && v.Context().Err() == nil {
		s.Unknown, err = true, nil
	}
	return s, err
}

func activateJob(w http.ResponseWriter, v *visit) error {
	return v.moveJob(w, "activated", func(job store.Job) error {
		// Not with the request's context: what was begun is finished even if the browser
		// does not wait for the answer.
		return v.jobs.Activate(context.WithoutCancel(v.Context()), job, v.name, v.PostForm.Get("with-problems") == "yes")
	})
}

func planJob(w http.ResponseWriter, v *visit) error {
	return v.moveJob(w, "planned", func(job store.Job) error {
		return v.jobs.Plan(context.WithoutCancel(v.Context()), job, v.name)
	})
}

// moveJob changes the state of the job in the path, and goes back to its page.
func (v *visit) moveJob(w http.ResponseWriter, done string, move func(store.Job) error) error {
	if v.jobs == nil {
		return refuse(http.StatusForbidden, "Jobs are not put on sale here: the configuration says web.may_activate = false.")
	}
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err == nil {
		err = job.Flawed()
	}
	if err != nil {
		return err
	}
	var refused Refused
	switch err := move(job); {
	case errors.As(err, &refused):
		return v.showJob(w, http.StatusConflict, string(refused))
	case err != nil:
		return err
	}
	return redirect(w, jobURL(job.Account, job.Name)+"?done="+done)
}
