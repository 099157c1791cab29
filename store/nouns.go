package store

import (
	"net/netip"
	"time"
)

// A Layout says what the paths of an account mean; package layout knows how.
type Layout string

// The two layouts.
const (
	Jobs      Layout = "jobs"
	Portraits Layout = "portraits"
)

// An Account is an SFTP login and its locked-down folder tree.
type Account struct {
	ID        int64
	Name      string
	Layout    Layout
	IDPattern string         // portraits: what a person's ID looks like, matched whole
	AllowFrom []netip.Prefix // none = from anywhere
	Enabled   bool
	Kept      bool // removed; only its photos and files are still there
	CreatedAt time.Time
	TimeZone  string // IANA name: what cameras are set to that do not say
	Flaws     []Flaw // what its row says and cannot be true; see Flawed
}

// A JobState says whether a job takes uploads.
type JobState string

// A job is planned, active, or (only if picday was interrupted) on the way
// from planned to active. Nothing is ever withdrawn unless it is planned.
const (
	Planned    JobState = "planned"
	Activating JobState = "activating"
	Active     JobState = "active"
)

// A Job is a photo job of a jobs account.
type Job struct {
	ID        int64
	Account   string
	Name      string
	Key       string // of a list: the name as the row has it, for JobQuery.AfterJob
	State     JobState
	ChangedAt time.Time
	Albums    int
	Photos    int
	Problems  int
}
