// Package contract is what scripts, shops and uploaders rely on: the JSON of
// accounts, jobs, albums, photos and problems, the same from a command and from
// the API (status: internal/control), and the connection card. Its field names
// are fixed: add to them, never change what one means.
package contract

import (
	"strings"
	"time"

	"picday/layout"
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
}

// NewJob shows a job.
func NewJob(j store.Job) Job {
	if j.State == store.Activating {
		j.State = store.Planned // so it is for everybody until the folder is gone for good
	}
	return Job{j.Account, j.Name, j.State, j.Albums, j.Photos, j.Problems, j.ChangedAt}
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
}

// NewPhoto shows a photo; links begin with publicURL.
func NewPhoto(p store.Photo, publicURL string) Photo {
	v := Photo{
		Account: p.Account, Path: p.Path, Job: p.Job, Album: p.Album, Area: p.Area, Person: p.Person, File: p.File,
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
		v.Renditions = append(v.Renditions, Rendition{r.Name, r.Width, r.Height, r.Bytes})
	}
	return v
}

// A Problem is one row of problems.
type Problem struct {
	Account     string       `json:"account"`
	Path        string       `json:"path"`
	Reason      store.Reason `json:"reason"`
	Message     string       `json:"message"`
	Since       time.Time    `json:"since"`
	DeleteAfter *time.Time   `json:"delete_after"`
}

// NewReplaced shows among the problems a photo that took another one's place.
func NewReplaced(p store.Photo) Problem {
	return Problem{Account: p.Account, Path: p.Path, Reason: store.OtherShot, Message: store.OtherShot.Message(), Since: p.IngestedAt}
}

// NewProblem shows a problem.
func NewProblem(p store.Problem) Problem {
	v := Problem{Account: p.Account, Path: layout.Shown(p.RawPath), Reason: p.Reason, Message: p.Message(), Since: p.Since}
	if !p.DeleteAfter.IsZero() {
		v.DeleteAfter = &p.DeleteAfter
	}
	return v
}
