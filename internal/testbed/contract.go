package testbed

import "time"

// The types below are the JSON of the commands as their users see it. They are
// written down a second time on purpose: a field renamed by accident fails here.

// Account is account add, account show.
type Account struct {
	Account   string    `json:"account"`
	Layout    string    `json:"layout"`
	Enabled   bool      `json:"enabled"`
	Host      string    `json:"host"`
	Port      int       `json:"port"`
	User      string    `json:"user"`
	StartDir  string    `json:"start_dir"`
	AllowFrom []string  `json:"allow_from"`
	IDPattern string    `json:"id_pattern"`
	HostKeys  []HostKey `json:"host_keys"`
	CreatedAt time.Time `json:"created_at"`
	TimeZone  string    `json:"time_zone"`
	Password  string    `json:"password"`
}

// HostKey is one host key of sshd.
type HostKey struct {
	Type   string `json:"type"`
	SHA256 string `json:"sha256"`
}

// Job is one row of job list.
type Job struct {
	Account   string    `json:"account"`
	Job       string    `json:"job"`
	State     string    `json:"state"`
	Albums    int       `json:"albums"`
	Photos    int       `json:"photos"`
	Problems  int       `json:"problems"`
	ChangedAt time.Time `json:"changed_at"`
}

// Photo is one row of photos.
type Photo struct {
	Account    string      `json:"account"`
	Path       string      `json:"path"`
	Job        string      `json:"job"`
	Album      string      `json:"album"`
	Area       string      `json:"area"`
	Person     string      `json:"person"`
	File       string      `json:"file"`
	SHA256     string      `json:"sha256"`
	Bytes      int64       `json:"bytes"`
	Width      int         `json:"width"`
	Height     int         `json:"height"`
	TakenAt    *time.Time  `json:"taken_at"`
	TakenLocal string      `json:"taken_local"`
	TakenZone  string      `json:"taken_zone"`
	IngestedAt time.Time   `json:"ingested_at"`
	Flags      []string    `json:"flags"`
	Link       string      `json:"link"`
	URL        string      `json:"url"`
	Renditions []Rendition `json:"renditions"`
}

// Rendition is one size of a photo.
type Rendition struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
}

// Problem is one row of problems.
type Problem struct {
	Account     string     `json:"account"`
	Path        string     `json:"path"`
	Reason      string     `json:"reason"`
	Message     string     `json:"message"`
	Since       time.Time  `json:"since"`
	DeleteAfter *time.Time `json:"delete_after"`
}

// Trash is one row of trash list.
type Trash struct {
	Account     string    `json:"account"`
	Path        string    `json:"path"`
	SHA256      string    `json:"sha256"`
	WithdrawnAt time.Time `json:"withdrawn_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// Status is status.
type Status struct {
	Running             bool       `json:"running"`
	LastProvenAlive     *time.Time `json:"last_proven_alive"`
	Version             string     `json:"version"`
	Since               *time.Time `json:"since"`
	Queued              int        `json:"queued"`
	InProgress          []Progress `json:"in_progress"`
	Waiting             int        `json:"waiting"`
	OldestWaitingSecond float64    `json:"oldest_waiting_seconds"`
	Photos              int        `json:"photos"`
	Problems            int        `json:"problems"`
	WatchedDirs         int        `json:"watched_dirs"`
	PolledDirs          []string   `json:"polled_dirs"`
	Overflows           int        `json:"overflows"`
	Rederive            *Rederive  `json:"rederive"` // nil unless renditions are made anew
}

// Rederive counts the pictures whose renditions are made anew.
type Rederive struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Progress is one upload that picday is taking.
type Progress struct {
	Account string    `json:"account"`
	Path    string    `json:"path"`
	Bytes   int64     `json:"bytes"`
	Since   time.Time `json:"since"`
}
