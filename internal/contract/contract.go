// Package contract has the formats that scripts, shops and uploaders rely on: the JSON of
// accounts, jobs, albums, photos and problems, which commands and API share (the status is
// in internal/control), and the connection card. Field names are fixed: add fields, never
// change what one means.
package contract

import (
	"strings"
	"time"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/store"
)

// A Job is one row of job list.
type Job struct {
	Account   string         `json:"account"`
	Job       string         `json:"job"`
	State     store.JobState `json:"state"`
	Albums    int            `json:"albums"`
	Photos    int            `json:"photos"`
	Problems  int            `json:"problems"`
	ChangedAt time.Time      `json:"changed_at"`
	LatestAt  *time.Time     `json:"latest_at"`          // when a file was taken, or found to be a problem, last
	Expected  int            `json:"expected,omitempty"` // how many photos are to come, if anybody has said so
	Arrival   Arrival        `json:"arrival"`
	Arriving  *int           `json:"arriving,omitempty"` // files; absent while nobody knows
	Waiting   *int           `json:"waiting,omitempty"`
}

// An Arrival says whether all has arrived.
type Arrival string

// The arrivals, the one that counts most first.
const (
	ArrivalUnknown  Arrival = "unknown"  // picdayd is away, or not proven to work
	ArrivalArriving Arrival = "arriving" // files are being uploaded
	ArrivalWaiting  Arrival = "waiting"  // files are not dealt with
	ArrivalProblems Arrival = "problems" // files could not become photos
	ArrivalMissing  Arrival = "missing"  // fewer photos than expected
	ArrivalEmpty    Arrival = "empty"    // nothing has come, and nobody has said what is to come
	ArrivalComplete Arrival = "complete"
)

// ArrivalOf is how far so many photos and problems are what is to come; expected 0: nobody
// has said.
func ArrivalOf(photos, problems, expected int, b control.Backlog, known bool) Arrival {
	switch {
	case !known:
		return ArrivalUnknown
	case b.Arriving > 0:
		return ArrivalArriving
	case b.Waiting > 0:
		return ArrivalWaiting
	case problems > 0:
		return ArrivalProblems
	case photos < expected:
		return ArrivalMissing
	case photos == 0:
		return ArrivalEmpty
	}
	return ArrivalComplete
}

// JobsWith shows jobs with what the daemon says of them.
func JobsWith(st control.Status) func(store.Job) Job {
	return func(j store.Job) Job {
		v := newJob(j)
		b, known := st.BacklogOf(j.Account, j.Name)
		if v.Arrival = ArrivalOf(j.Photos, j.Problems, j.Expected, b, known); known {
			v.Arriving, v.Waiting = &b.Arriving, &b.Waiting
		}
		return v
	}
}

func newJob(j store.Job) Job {
	if j.State == store.Activating {
		j.State = store.Planned // so it is for everybody until the folder is gone for good
	}
	v := Job{Account: j.Account, Job: j.Name, State: j.State, Albums: j.Albums, Photos: j.Photos, Problems: j.Problems, ChangedAt: j.ChangedAt, Expected: j.Expected}
	if !j.LatestAt.IsZero() {
		v.LatestAt = &j.LatestAt
	}
	return v
}

// An Album is a folder inside a job, with how many published photos it has.
type Album struct {
	Account     string    `json:"account"`
	Job         string    `json:"job"`
	Album       string    `json:"album"`
	Individuals int       `json:"individuals"`
	Group       int       `json:"group"`
	LatestAt    time.Time `json:"latest_at"` // when its newest photo came in
}

// NewAlbum shows an album.
func NewAlbum(a store.Album) Album {
	return Album{a.Account, a.Job, a.Name, a.Individuals, a.Group, a.Latest}
}

// A Photo is one row of photos.
type Photo struct {
	ID          int64       `json:"id"` // for as long as the photo is known, wherever it is moved; also the page's: /photos/ID
	Account     string      `json:"account"`
	Path        string      `json:"path"`
	Job         string      `json:"job,omitempty"`
	Album       string      `json:"album,omitempty"`
	Area        string      `json:"area,omitempty"`
	Person      string      `json:"person,omitempty"`
	File        string      `json:"file"`
	SHA256      string      `json:"sha256"`
	Bytes       int64       `json:"bytes"`
	Width       int         `json:"width"`
	Height      int         `json:"height"`
	TakenAt     *time.Time  `json:"taken_at"`              // by the camera's zone, or else the account's
	TakenLocal  string      `json:"taken_local,omitempty"` // what the camera's clock showed: RFC 3339 without a zone
	TakenZone   string      `json:"taken_zone,omitempty"`  // +02:00, if the camera says
	IngestedAt  time.Time   `json:"ingested_at"`
	WithdrawnAt *time.Time  `json:"withdrawn_at,omitempty"` // only where withdrawn ones are listed too
	Flags       []string    `json:"flags"`
	Link        string      `json:"link"`
	URL         string      `json:"url"`
	Renditions  []Rendition `json:"renditions"`
}

// A Rendition is one size of a photo.
type Rendition struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of this size's own bytes
}

// NewPhoto shows a photo; links begin with publicURL.
func NewPhoto(p store.Photo, publicURL string) Photo {
	v := Photo{
		ID: p.ID, Account: p.Account, Path: p.Path, Job: p.Job, Album: p.Album, Area: p.Area, Person: p.Person, File: p.File,
		SHA256: p.SHA.String(), Bytes: p.Bytes, Width: p.Width, Height: p.Height, IngestedAt: p.IngestedAt,
		Flags: p.Flags, Link: p.Link, URL: strings.TrimSuffix(publicURL, "/") + "/" + p.Link + ".jpg", Renditions: []Rendition{},
	}
	if !p.TakenAt.IsZero() {
		v.TakenAt = &p.TakenAt
		v.TakenLocal = p.Taken.Clock.Format("2006-01-02T15:04:05.999")
		if p.Taken.Zoned {
			v.TakenZone = p.Taken.Clock.Format("-07:00")
		}
	}
	if !p.WithdrawnAt.IsZero() {
		v.WithdrawnAt = &p.WithdrawnAt
	}
	if v.Flags == nil {
		v.Flags = []string{}
	}
	for _, r := range p.Renditions {
		v.Renditions = append(v.Renditions, Rendition{r.Name, r.Width, r.Height, r.Bytes, r.Hash.String()})
	}
	return v
}

// A Problem is one row of problems.
type Problem struct {
	Account     string        `json:"account"`
	Path        string        `json:"path"`
	Reason      layout.Reason `json:"reason"`
	Message     string        `json:"message"`
	Since       time.Time     `json:"since"`
	DeleteAfter *time.Time    `json:"delete_after"`
	IgnoredBy   string        `json:"ignored_by,omitempty"` // problems --ignored: the operator who said that it is no photo
}

// NewReplaced shows among the problems a photo that took another one's place.
func NewReplaced(p store.Photo) Problem {
	return Problem{Account: p.Account, Path: p.Path, Reason: layout.OtherShot, Message: layout.OtherShot.Message(), Since: p.IngestedAt}
}

// NewProblem shows a problem.
func NewProblem(p store.Problem) Problem {
	v := Problem{Account: p.Account, Path: layout.Shown(p.RawPath), Reason: p.Reason, Message: p.Message(), Since: p.Since, IgnoredBy: p.IgnoredBy}
	if !p.DeleteAfter.IsZero() {
		v.DeleteAfter = &p.DeleteAfter
	}
	return v
}

// Place is where the photo is; the tool lists photos in this order.
func (p Photo) Place() (account, path string) { return p.Account, p.Path }

// Place is where the file is; the tool lists problems in this order.
func (p Problem) Place() (account, path string) { return p.Account, p.Path }
