package bed

import "time"

// These types are the JSON output of the commands. They repeat internal/contract on
// purpose, so that a test fails if a field is renamed by accident.

// Account is the output of account add and account show.
type Account struct {
	Account     string    `json:"account"`
	Layout      string    `json:"layout"`
	Enabled     bool      `json:"enabled"`
	Host        string    `json:"host"`
	Port        int       `json:"port"`
	User        string    `json:"user"`
	StartDir    string    `json:"start_dir"`
	AllowFrom   []string  `json:"allow_from"`
	IDPattern   string    `json:"id_pattern"`
	HostKeys    []HostKey `json:"host_keys"`
	CreatedAt   time.Time `json:"created_at"`
	TimeZone    string    `json:"time_zone"`
	Language    string    `json:"language"`
	Until       string    `json:"until"`
	Logins      []string  `json:"logins"`
	Individuals []string  `json:"individuals,omitempty"`
	Group       []string  `json:"group,omitempty"`
	Password    string    `json:"password"`
}

// AccountLogin is one row of account login list.
type AccountLogin struct {
	Account   string    `json:"account"`
	Name      string    `json:"name"`
	Enabled   bool      `json:"enabled"`
	Ended     bool      `json:"ended"`
	Until     *string   `json:"until"`
	CreatedAt time.Time `json:"created_at"`
}

// HostKey is one host key of sshd.
type HostKey struct {
	Type   string `json:"type"`
	SHA256 string `json:"sha256"`
}

// Job is one row of job list.
type Job struct {
	Account   string     `json:"account"`
	Job       string     `json:"job"`
	State     string     `json:"state"`
	Albums    int        `json:"albums"`
	Photos    int        `json:"photos"`
	Problems  int        `json:"problems"`
	ChangedAt time.Time  `json:"changed_at"`
	LatestAt  *time.Time `json:"latest_at"`
	Expected  int        `json:"expected,omitempty"`
	Arrival   string     `json:"arrival"`
	Arriving  *int       `json:"arriving,omitempty"`
	Waiting   *int       `json:"waiting,omitempty"`
}

// Photo is one row of photos.
type Photo struct {
	ID         int64       `json:"id"`
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
	SHA256 string `json:"sha256"`
}

// Problem is one row of problems.
type Problem struct {
	Account     string     `json:"account"`
	Path        string     `json:"path"`
	Reason      string     `json:"reason"`
	Message     string     `json:"message"`
	Since       time.Time  `json:"since"`
	DeleteAfter *time.Time `json:"delete_after"`
	IgnoredBy   string     `json:"ignored_by,omitempty"`
}

// Proposal is one row of the API's proposals.
type Proposal struct {
	ID        int64           `json:"id"`
	Account   string          `json:"account"`
	Job       string          `json:"job"`
	Album     string          `json:"album"`
	State     string          `json:"state"`
	At        time.Time       `json:"at"`
	DecidedAt *time.Time      `json:"decided_at"`
	Operator  string          `json:"operator"`
	Photos    []ProposedPhoto `json:"photos"`
}

// ProposedPhoto is one photo of a Proposal.
type ProposedPhoto struct {
	Photo   int64    `json:"photo"`
	Path    string   `json:"path"`
	Was     []string `json:"was"`
	Becomes []string `json:"becomes"`
	Card    string   `json:"card"`
}

// Trash is one row of trash list.
type Trash struct {
	Account     string    `json:"account"`
	Path        string    `json:"path"`
	SHA256      string    `json:"sha256"`
	WithdrawnAt time.Time `json:"withdrawn_at"`
	ExpiresAt   time.Time `json:"expires_at"`
	HasFile     bool      `json:"has_file"`
}

// Status is the output of status.
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
	EventsProvenAt      *time.Time `json:"events_proven_at"` // nil where all folders are polled
	EventStreamsRebuilt int        `json:"event_streams_rebuilt"`
	WatchesMissing      int        `json:"watches_missing"`
	Rederive            *Rederive  `json:"rederive"` // nil unless renditions are being made again
}

// Rederive counts the pictures whose renditions are being made again.
type Rederive struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Progress is one upload that picday is processing.
type Progress struct {
	Account string    `json:"account"`
	Path    string    `json:"path"`
	Bytes   int64     `json:"bytes"`
	Since   time.Time `json:"since"`
}

// Event is one row of events list, and events test.
type Event struct {
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	At         time.Time      `json:"at"`
	Account    string         `json:"account"`
	Message    string         `json:"message"`
	Data       map[string]any `json:"data"`
	Deliveries []Delivery     `json:"deliveries"`
}

// Delivery is what became of an event at one receiver.
type Delivery struct {
	To    string     `json:"to"`
	State string     `json:"state"`
	At    time.Time  `json:"at"`
	Tries int        `json:"tries"`
	Error string     `json:"error"`
	Next  *time.Time `json:"next_at"`
}

// Subject is one row of roster show, and of the API's subjects.
type Subject struct {
	ID         int64             `json:"id"`
	Account    string            `json:"account"`
	Job        string            `json:"job"`
	Kind       string            `json:"kind"`
	Code       string            `json:"code"`
	ExternalID string            `json:"external_id"`
	First      string            `json:"first"`
	Last       string            `json:"last"`
	Class      string            `json:"class"`
	Grade      string            `json:"grade"`
	More       map[string]string `json:"more"`
	Listed     string            `json:"listed"`
	Photos     int               `json:"photos"`
	CreatedAt  time.Time         `json:"created_at"`
	RemovedAt  *time.Time        `json:"removed_at"`
}

// Missing is one row of missing.
type Missing struct {
	Subject
	Why  string `json:"why"`
	Path string `json:"path"`
	Near string `json:"near"`
}

// CardRules is what job cards prints.
type CardRules struct {
	Card         string `json:"card"`
	Unknown      string `json:"unknown"`
	QuietSeconds int    `json:"quiet_seconds"`
}

// Roster is one row of the API's rosters.
type Roster struct {
	ID      int64     `json:"id"`
	Account string    `json:"account"`
	Job     string    `json:"job"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	File    string    `json:"file"`
	SHA256  string    `json:"sha256"`
	State   string    `json:"state"`
	People  int       `json:"people"`
	Added   int       `json:"added"`
	Changed int       `json:"changed"`
	Missing int       `json:"missing"`
}
