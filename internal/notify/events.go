package notify

import (
	"encoding/json"
	"fmt"
	"time"

	"picday/internal/bytesize"
	"picday/store"
)

// The kinds of events, as webhooks and 'picday events list' name them. They are fixed:
// programs rely on them and on their data.
const (
	UploadQuiet    = "upload.quiet"    // data: Quiet
	ProblemsOld    = "problems.old"    // data: Old
	WaitingLong    = "waiting.long"    // data: Stuck
	WaitingOver    = "waiting.over"    // data: Stuck
	DiskLow        = "disk.low"        // data: Room
	DiskEnough     = "disk.enough"     // data: Room
	DaemonUnproven = "daemon.unproven" // data: Unproven
	DaemonProven   = "daemon.proven"   // data: Unproven
	Test           = "test"            // data: {}
)

// Quiet is an upload that is over.
type Quiet struct {
	Job      string    `json:"job,omitempty"` // absent where the layout has none, and for files beside all jobs
	Photos   int       `json:"photos"`        // that came in, new ones and those back from the trash
	Replaced int       `json:"replaced"`      // photos that got another picture
	Problems int       `json:"problems"`      // that there are now, also from before
	Waiting  int       `json:"waiting"`       // files of the account that still arrive or wait
	Began    time.Time `json:"began_at"`
	Ended    time.Time `json:"ended_at"`
}

// Old are problems that are older than notify.problem_age.
type Old struct {
	Problems int       `json:"problems"` // that were not told before; 1000 = so many or more
	Oldest   time.Time `json:"oldest_at"`
	All      int       `json:"all_problems"` // the account's, the young ones too
}

// Stuck are files that wait although nothing is being taken in.
type Stuck struct {
	Files int       `json:"files"`
	Since time.Time `json:"since"`
}

// Room is a disk's.
type Room struct {
	Disk  string `json:"disk"` // uploads, photos
	Dir   string `json:"dir"`
	Free  int64  `json:"free_bytes"`
	Floor int64  `json:"floor_bytes"`
}

// Unproven is a time in which picdayd was not proven to work.
type Unproven struct {
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty"` // absent while it lasts
	Why   string     `json:"why,omitempty"`
}

// newNotice makes a notice; data is what the kind says.
func newNotice(now time.Time, kind string, accountID int64, account string, data any, format string, args ...any) store.Notice {
	text, _ := json.Marshal(data) // only the types above
	return store.Notice{
		Key: store.NewNoticeKey(), At: now.UTC(), Kind: kind, AccountID: accountID, Account: account,
		Message: fmt.Sprintf(format, args...), Data: text,
	}
}

// testMessage begins the message of a TestNotice.
const testMessage = "this is a test from picday on "

// TestNotice is what 'picday events test' sends.
func TestNotice(now time.Time, host string) store.Notice {
	return newNotice(now, Test, 0, "", struct{}{}, "%s", testMessage+host)
}

// plural returns a number with its noun, which gets an s unless the number is 1.
func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

func quietNotice(now time.Time, u store.ArrivingUpload, waiting int) store.Notice {
	what := u.Job + " of " + u.Account
	if u.Job == "" {
		what = u.Account
	}
	data := Quiet{u.Job, u.Added, u.Replaced, u.Open, waiting, u.Began, u.Last}
	more := ""
	if u.Replaced > 0 {
		more += ", " + plural(u.Replaced, "photo") + " replaced"
	}
	if waiting > 0 {
		more += "; " + plural(waiting, "file") + " of the account still arrive or wait"
	}
	return newNotice(now, UploadQuiet, u.AccountID, u.Account, data, "%s is quiet: %s, %s%s", what, plural(u.Added, "photo"), plural(u.Open, "problem"), more)
}

// manyProblems is the number up to which old problems are counted.
const manyProblems = 1000

func oldNotice(now time.Time, p store.OldProblems, age time.Duration) store.Notice {
	count := plural(p.Count, "problem")
	if p.Count >= manyProblems {
		count = fmt.Sprintf("%d problems or more", manyProblems)
	}
	return newNotice(now, ProblemsOld, p.AccountID, p.Account, Old{p.Count, p.Oldest, p.All},
		"%s of %s have been there for more than %s, the oldest since %s", count, p.Account, short(age), p.Oldest.Format("2006-01-02"))
}

func roomNotice(now time.Time, kind string, d Disk, floor int64) store.Notice {
	return newNotice(now, kind, 0, "", Room{d.What, d.Dir, d.Free, floor}, "the disk of %s (%s) has %s free, %s than %s",
		d.What, d.Dir, bytesize.Format(d.Free), map[string]string{DiskLow: "less", DiskEnough: "again more"}[kind], bytesize.Format(floor))
}

// short is "24h" and not "24h0m0s".
func short(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
