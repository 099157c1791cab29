package web

import (
	"net/http"
	"time"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/store"
)

// A Disk is a file system that picday fills.
type Disk struct {
	What       string // what is on it
	Size, Free int64  // bytes
}

// Used is what is taken, as a share.
func (d Disk) Used() int { return percent(d.Size-d.Free, d.Size) }

// Full tells whether it is nearly full.
func (d Disk) Full() bool { return d.Used() >= 90 }

type overviewPage struct {
	Status   control.Status
	Counts   store.Counts
	Newest   []store.Photo
	Problems []groupRow
	Disks    []Disk         // none if the operator sees one account
	All      bool           // the operator sees all accounts, and the machine
	Empty    *emptyOverview // as long as there are no photos
	followed
}

// An emptyOverview says what is to be done first.
type emptyOverview struct {
	Accounts int
	Studio   string // an account that needs a job
}

// aliveFor is how old the last proof of life may be.
const aliveFor = time.Minute

// Alive tells whether the daemon was proven to work lately.
func (o overviewPage) Alive() bool {
	at := o.Status.LastProvenAlive
	return at != nil && time.Since(*at) < aliveFor
}

// Arriving is how many files are being uploaded, as far as it may be seen.
func (o overviewPage) Arriving() int {
	if o.All {
		return o.Status.UploadingFiles
	}
	return len(o.Status.Uploading)
}

// Waiting is how many files wait for something else.
func (o overviewPage) Waiting() int { return max(0, o.Status.Waiting-o.Status.UploadingFiles) }

// Oldest is since when the oldest file waits.
func (o overviewPage) Oldest() time.Time {
	return time.Now().Add(-time.Duration(o.Status.OldestWaitingSeconds * float64(time.Second)))
}

const (
	newestPhotos     = 24
	overviewProblems = 6
)

func overview(w http.ResponseWriter, v *visit) (err error) {
	following := v.follow("status")
	page := overviewPage{Status: v.status(), All: v.view.Everything(), followed: following}
	if page.All && v.site.Disks != nil {
		page.Disks = v.site.Disks()
	}
	if page.Counts, err = v.view.Counts(v.Context()); err != nil {
		return err
	}
	page.Newest, err = v.view.Photos(v.Context(), store.PhotoQuery{Order: store.ByNewest, Limit: newestPhotos})
	if err != nil {
		return err
	}
	problems, err := v.view.ProblemGroups(v.Context(), store.ProblemGroupQuery{Limit: overviewProblems})
	if err != nil {
		return err
	}
	if page.Problems, err = v.groupRows(problems, false); err != nil {
		return err
	}
	if len(page.Newest) == 0 {
		accounts, err := v.view.AccountSummaries(v.Context())
		if err != nil {
			return err
		}
		page.Empty = &emptyOverview{Accounts: len(accounts)}
		for _, a := range accounts {
			if a.Layout == layout.Jobs && page.Empty.Studio == "" {
				page.Empty.Studio = a.Name
			}
		}
	}
	return render(w, v, http.StatusOK, "overview", page)
}
