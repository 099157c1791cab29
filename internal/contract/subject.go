package contract

import (
	"time"

	"picday/store"
)

// A Subject is who is, or is to be, on pictures.
type Subject struct {
	ID         int64             `json:"id"`
	Account    string            `json:"account"`
	Job        string            `json:"job,omitempty"` // absent: of the whole account
	Kind       store.SubjectKind `json:"kind"`
	Code       string            `json:"code"`
	ExternalID string            `json:"external_id,omitempty"` // the customer's; in portraits the photo's person
	First      string            `json:"first"`
	Last       string            `json:"last"`
	Class      string            `json:"class"`
	Grade      string            `json:"grade"`
	More       map[string]string `json:"more,omitempty"`   // further columns of the roster
	Listed     store.Listed      `json:"listed,omitempty"` // listed, or missing from the last roster
	Photos     int               `json:"photos"`           // published
	CreatedAt  time.Time         `json:"created_at"`
	RemovedAt  *time.Time        `json:"removed_at,omitempty"` // only where removed ones are listed too
}

// NewSubject shows a subject.
func NewSubject(s store.Subject) Subject {
	v := Subject{
		ID: s.ID, Account: s.Account, Job: s.Job, Kind: s.Kind, Code: s.Code, ExternalID: s.ExternalID, First: s.First, Last: s.Last,
		Class: s.Class, Grade: s.Grade, More: s.More, Listed: s.Listed, Photos: s.Photos, CreatedAt: s.CreatedAt,
	}
	if !s.RemovedAt.IsZero() {
		v.RemovedAt = &s.RemovedAt
	}
	return v
}

// A Missing is somebody without a photo.
type Missing struct {
	Subject
	// no-photo; only-card: of the person's card there is a photo; only-problem: there is a file,
	// and it cannot become a photo; not-listed: a portrait of nobody on the list.
	Why  string `json:"why"`
	Path string `json:"path,omitempty"` // of the file or the portrait
	// Near is an ID that is almost this one, as 123 is to 0123: of a portrait of nobody on the
	// list, or for such a portrait the ID on the list.
	Near string `json:"near,omitempty"`
}

// A Roster is a list of people that came.
type Roster struct {
	ID      int64     `json:"id"`
	Account string    `json:"account"`
	Job     string    `json:"job,omitempty"`
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"` // the operator; absent: the uploader, or on the command line
	File    string    `json:"file"`
	SHA256  string    `json:"sha256"`
	State   string    `json:"state"` // taken, or waiting for a person
	People  int       `json:"people"`
	Added   int       `json:"added"`
	Changed int       `json:"changed"`
	Missing int       `json:"missing"`
}

// NewRoster shows a list of an account, or of a job of it.
func NewRoster(account, job string, r store.Roster) Roster {
	v := Roster{r.ID, account, job, r.At, r.Operator, r.File, r.SHA.String(), "taken", r.People, r.Added, r.Changed, r.Missing}
	if r.Waiting {
		v.State = "waiting"
	}
	return v
}
