package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"picday/internal/contract"
	"picday/internal/control"
	"picday/store"
)

// An arrivalView says whether all has arrived, of a job or an account.
type arrivalView struct {
	State    contract.Arrival
	Backlog  control.Backlog
	Known    bool // the backlog is
	Photos   int
	Problems int
	Expected int // 0 = nobody has said
	Last     time.Time
	Problem  string // the address of the problems
	Form     string // where the expected number is set; "" = the operator may not, or an account
}

// Missing is how many photos are still to come.
func (a arrivalView) Missing() int { return max(0, a.Expected-a.Photos) }

// More is how many photos came beyond what was expected.
func (a arrivalView) More() int {
	if a.Expected == 0 {
		return 0
	}
	return max(0, a.Photos-a.Expected)
}

// Good tells whether it may be said that all is well.
func (a arrivalView) Good() bool { return a.State == contract.ArrivalComplete }

// arrival looks at counters only. job "" is the whole account.
func (v *visit) arrival(account, job string, photos, problems, expected int, last time.Time) arrivalView {
	b, known := v.status().BacklogOf(account, job)
	return arrivalView{
		State: contract.ArrivalOf(photos, problems, expected, b, known), Backlog: b, Known: known,
		Photos: photos, Problems: problems, Expected: expected, Last: last, Problem: query("/problems", nil, "account", account, "job", job),
	}
}

func (v *visit) arrivalOf(j store.Job) arrivalView {
	a := v.arrival(j.Account, j.Name, j.Photos, j.Problems, j.Expected, j.LatestAt)
	if v.role.May(store.Work) {
		a.Form = jobURL(j.Account, j.Name) + "/expect"
	}
	return a
}

// expectPhotos says how many photos are to come into the job in the path.
func expectPhotos(w http.ResponseWriter, v *visit) error {
	account, job := v.PathValue("account"), v.PathValue("job")
	text := strings.TrimSpace(v.PostForm.Get("expected"))
	n, err := strconv.Atoi(text)
	if text == "" {
		n, err = 0, nil
	}
	if err != nil || n < 0 || n > store.MostExpected {
		if _, err := v.view.Job(v.Context(), account, job); err != nil {
			return err
		}
		return refuse(http.StatusBadRequest, "How many photos are expected? Give a number, or nothing if nobody knows.")
	}
	if err := v.expect(account, job, n); err != nil {
		return err
	}
	return redirect(w, jobURL(account, job)+"?done=expected")
}
