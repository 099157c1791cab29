// Package control is the Unix socket over which the tool asks what the daemon is
// doing right now, and for another look at the uploads. Everything durable goes
// through the catalogue instead.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const socketName = "picdayd.sock"

// maxAnswer bounds what is read of an answer, in bytes: picdayd may be taken over,
// and the tool runs as root. The longest true answer names folders without a watch,
// some 800,000 of them.
const maxAnswer = 64 << 20

// Status is what the daemon is doing. 'picday status --json' and the API print it.
type Status struct {
	Running         bool       `json:"running"`
	Version         string     `json:"version,omitempty"`
	Since           *time.Time `json:"since,omitempty"`
	LastProvenAlive *time.Time `json:"last_proven_alive,omitempty"`
	Queued          int        `json:"queued"`
	InProgress      []Progress `json:"in_progress"`
	// Uploading are files that are arriving or have just arrived, as long as they are
	// few; Bytes is their size by now.
	Uploading            []Progress `json:"uploading"`
	Waiting              int        `json:"waiting"`
	UploadingFiles       int        `json:"uploading_files"` // of those waiting: open for writing, or changed within the last minute
	OldestWaitingSeconds float64    `json:"oldest_waiting_seconds"`
	Photos               int        `json:"photos"`
	Unusual              int        `json:"unusual"` // of the photos
	Problems             int        `json:"problems"`
	WatchedDirs          int        `json:"watched_dirs"`
	PolledDirs           []string   `json:"polled_dirs"`
	LastScan             *Scan      `json:"last_scan,omitempty"`
	// Backlog are the jobs, and portraits accounts, with files that are not dealt with.
	// It says nothing as long as BacklogKnown is false: after a start, or if the uploads
	// cannot be seen.
	Backlog      []Backlog `json:"backlog"`
	BacklogKnown bool      `json:"backlog_known"`
	Overflows    int64     `json:"overflows"`
	// EventsProvenAt is when the kernel's events were last proven to arrive; not there if
	// all folders are polled.
	EventsProvenAt      *time.Time `json:"events_proven_at,omitempty"`
	EventStreamsRebuilt int        `json:"event_streams_rebuilt"` // since the start, because events did not arrive
	WatchesMissing      int        `json:"watches_missing"`       // of watched folders, found by the last scan of everything
	// Rederive is set while renditions are made anew for a changed configuration.
	Rederive *Rederive `json:"rederive,omitempty"`
	// Unsure are missing paths of which it cannot be told at the moment whether they
	// were deleted: the 50 oldest.
	Unsure []Unsure `json:"unsure"`
	// LacksProfiles: decoders have no LittleCMS, so CMYK and photos with profiles made
	// of tables are converted as if they had no profile.
	LacksProfiles bool `json:"lacks_profiles,omitempty"`
	// Warnings say what keeps picday from doing all of its work.
	Warnings []Warning `json:"warnings"`
}

// NewStatus is a status whose lists are empty, not null.
func NewStatus() Status {
	return Status{Backlog: []Backlog{}, InProgress: []Progress{}, Uploading: []Progress{}, Unsure: []Unsure{}, PolledDirs: []string{}, Warnings: []Warning{}}
}

// Warn adds warnings of which only the text matters.
func (s *Status) Warn(texts ...string) {
	for _, text := range texts {
		s.Warnings = append(s.Warnings, Warning{Text: text})
	}
}

// A Backlog counts the files of a job, or ("") of a portraits account, that are not dealt
// with.
type Backlog struct {
	Account  string `json:"account"`
	Job      string `json:"job,omitempty"`
	Arriving int    `json:"arriving"` // open for writing, or changed within the last minute
	Waiting  int    `json:"waiting"`  // for their turn, or for what keeps picdayd from taking them
}

// aliveFor is how old the last proof of life may be.
const aliveFor = time.Minute

// BacklogOf is what is not dealt with of a job ("" = of the whole account). known is
// false if nobody can say: picdayd is away, or not proven to work.
func (s Status) BacklogOf(account, job string) (b Backlog, known bool) {
	b = Backlog{Account: account, Job: job}
	for _, one := range s.Backlog {
		if one.Account == account && (job == "" || one.Job == job) {
			b.Arriving += one.Arriving
			b.Waiting += one.Waiting
		}
	}
	return b, s.Running && s.BacklogKnown && s.LastProvenAlive != nil && time.Since(*s.LastProvenAlive) < aliveFor
}

// Progress is a file being taken in.
type Progress struct {
	Account string    `json:"account"`
	Path    string    `json:"path"`
	Bytes   int64     `json:"bytes"`
	Since   time.Time `json:"since"`
}

// An Unsure is a missing file or folder, and why nobody can say that it was deleted.
type Unsure struct {
	Account string    `json:"account"`
	Path    string    `json:"path"`
	Since   time.Time `json:"since"`
	Why     string    `json:"why"`
}

// Rederive counts pictures.
type Rederive struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// A Teller is a daemon that sends notices of what goes wrong, itself included.
type Teller struct {
	Since  time.Time          `json:"since"`  // when it was started
	Mailed map[string]Mailbox `json:"mailed"` // the mailboxes of the operators who are told about the machine; null if it does not know yet
}

// A Mailbox is an operator's.
type Mailbox struct {
	Address  string `json:"address"`
	Language string `json:"language"`
}

// Scan is the last full scan of all trees.
type Scan struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Files   int       `json:"files"`
}

// Looks are the last ones at a file, the oldest first.
type Looks struct {
	Looks []Look     `json:"looks"`
	Next  *time.Time `json:"next,omitempty"` // not there if nothing waits there
}

// A Look is what picdayd found out about a file at one time.
type Look struct {
	At        time.Time `json:"at"`
	Bytes     int64     `json:"bytes"`
	Inode     uint64    `json:"inode"`
	ChangedAt time.Time `json:"changed_at"` // its ctime
	Verdicts  []string  `json:"verdicts"`   // on each piece of evidence
	Events    int       `json:"events,omitempty"`
}

// ErrNotRunning is returned when no daemon answers.
var ErrNotRunning = errors.New("picdayd is not running")

// A Daemon answers what comes in over the socket.
type Daemon interface {
	Status(ctx context.Context) Status
	// Rescan scans the tree of one account, or of all if account is empty, and
	// returns once all that is there has been taken or is known to wait.
	Rescan(ctx context.Context, account string) error
	// Looks tells how the file at a path, in raw bytes, was looked at.
	Looks(account, path string) Looks
	// Teller returns nil of a daemon that sends no notices.
	Teller() *Teller
	// Profiles answers below /debug/pprof/, and only root. It may be nil.
	Profiles() http.Handler
}

// Serve answers on a socket in dir, which it makes, until ctx ends. A socket that
// is there already is replaced: the caller makes sure that there is one daemon.
func Serve(ctx context.Context, dir string, d Daemon) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("control socket: %w: make %s for picdayd's user, or have run_dir name a directory of his", err, dir)
	}
	name := filepath.Join(dir, socketName)
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := listen(dir)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	defer os.Remove(name)
	// Others are kept out by the directory; its group may read the catalogue, so it may ask.
	if err := os.Chmod(name, 0o660); err != nil {
		l.Close()
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(newAnswer(d.Status(r.Context())))
	})
	mux.HandleFunc("GET /looks", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(d.Looks(r.FormValue("account"), r.FormValue("path")))
	})
	mux.HandleFunc("GET /teller", func(w http.ResponseWriter, r *http.Request) {
		teller := d.Teller()
		if teller == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(teller)
	})
	if profiles := d.Profiles(); profiles != nil {
		mux.Handle("GET /debug/pprof/", rootOnly(profiles))
	}
	mux.HandleFunc("POST /rescan", func(w http.ResponseWriter, r *http.Request) {
		account := r.FormValue("account")
		if r.FormValue("wait") == "" {
			go func() { _ = d.Rescan(ctx, account) }()
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if err := d.Rescan(r.Context(), account); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ConnContext:       withPeer,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shortName names the socket within the 108 bytes that the kernel allows, however
// long dir is. The name is valid until done is called.
func shortName(dir string) (name string, done func(), err error) {
	fd, err := syscall.Open(dir, syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", fd, socketName), func() { syscall.Close(fd) }, nil
}

func listen(dir string) (net.Listener, error) {
	name, done, err := shortName(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the short name is no longer valid by then
	return l, nil
}

// Ask gets the daemon's status.
func Ask(ctx context.Context, dir string) (s Status, err error) {
	body, err := call(ctx, dir, http.MethodGet, "/status")
	if err != nil {
		return s, err
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return s, fmt.Errorf("picdayd's answer: %w", err)
	}
	return a.status(), nil
}

// AskTeller asks a daemon that sends notices. One that runs without sending any is an error
// that says why, if it knows.
func AskTeller(ctx context.Context, dir string) (t Teller, err error) {
	body, err := call(ctx, dir, http.MethodGet, "/teller")
	if err != nil {
		if s, serr := Ask(ctx, dir); serr == nil && len(s.Warnings) > 0 {
			err = errors.New(s.Warnings[0].Text)
		}
		return t, err
	}
	return t, json.Unmarshal(body, &t)
}

// AskLooks asks how a file was looked at; path is in raw bytes.
func AskLooks(ctx context.Context, dir, account, path string) (l Looks, err error) {
	body, err := call(ctx, dir, http.MethodGet, "/looks?"+url.Values{"account": {account}, "path": {path}}.Encode())
	if err == nil {
		err = json.Unmarshal(body, &l)
	}
	return l, err
}

// Rescan asks the daemon to scan one account, or all if account is empty. With wait
// it returns when that is done.
func Rescan(ctx context.Context, dir, account string, wait bool) error {
	q := url.Values{"account": {account}}
	if wait {
		q.Set("wait", "1")
	}
	_, err := call(ctx, dir, http.MethodPost, "/rescan?"+q.Encode())
	return err
}

func call(ctx context.Context, dir, method, path string) ([]byte, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			name, done, err := shortName(dir)
			if err != nil {
				return nil, err
			}
			defer done()
			return (&net.Dialer{}).DialContext(ctx, "unix", name)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://picdayd"+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		return nil, ErrNotRunning
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("picdayd cannot be asked by this user: %w", os.ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("ask picdayd: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("picdayd's answer is longer than %d MB", maxAnswer>>20)
	}
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("picdayd: %s", strings.TrimSpace(string(body)))
	}
	return body, err
}
