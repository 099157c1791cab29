// Package control is the daemon's local telephone: a Unix socket over which the tool asks what the daemon is doing right now, and
// for another look at the uploads. Everything durable goes through the
// catalogue instead; without the daemon the tool loses nothing but news.
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

// NotTaken begins the warning that files are not taken for a reason that is not
// theirs, such as a full disk.
const NotTaken = "uploads cannot be taken in, and are tried again every few seconds: "

// AtLimit begins the warnings that an account has as many files, or folders, as
// it may.
func AtLimit(account string) string { return "the account " + account + " is at a limit: " }

// NotWithdrawn begins the warning that photos stay published although their
// files have been missing for longer than the grace.
const NotWithdrawn = "photos of missing files cannot be withdrawn, which is tried again every half minute: "

// Status is what the daemon is doing; the contract names the JSON fields.
type Status struct {
	Running         bool       `json:"running"`
	Version         string     `json:"version,omitempty"`
	Since           *time.Time `json:"since,omitempty"`
	LastProvenAlive *time.Time `json:"last_proven_alive,omitempty"`
	Queued          int        `json:"queued"`
	InProgress      []Progress `json:"in_progress"`
	// Uploading are files that are arriving, or have just arrived, as long as
	// they are few; Bytes is what is there by now.
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
	Overflows            int64      `json:"overflows"`
	// Rederive is there while renditions are made anew for a changed configuration.
	Rederive *Rederive `json:"rederive,omitempty"`
	// Unsure are missing paths of which nothing can be proven at the moment, the
	// oldest first, as far as they are worth naming.
	Unsure []Unsure `json:"unsure"`
	// LacksProfiles is that decoders have no LittleCMS: CMYK and photos with profiles of
	// tables are converted as if they had no profile.
	LacksProfiles bool `json:"lacks_profiles,omitempty"`
	// Warnings say what keeps picday from doing all of its work.
	Warnings []string `json:"warnings"`
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

// Scan is the last time that everything was looked at.
type Scan struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Files   int       `json:"files"`
}

// ErrNotRunning is returned when no daemon answers.
var ErrNotRunning = errors.New("picdayd is not running")

// A Daemon answers the questions.
type Daemon interface {
	Status(ctx context.Context) Status
	// Rescan looks at everything of one account, or (empty) of all, and
	// returns once all that is there has been taken or is known to wait.
	Rescan(ctx context.Context, account string) error
}

// Serve answers in dir, which it makes, until ctx ends. The caller makes sure
// that there is one daemon: an old socket is replaced.
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
	// The directory keeps strangers out; who may read the catalogue may ask.
	if err := os.Chmod(name, 0o660); err != nil {
		l.Close()
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(d.Status(r.Context()))
	})
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
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// short gives a name for the socket that fits into the 108 bytes the kernel
// allows, however long the directory's own name is.
func short(dir string) (name string, done func(), err error) {
	fd, err := syscall.Open(dir, syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", fd, socketName), func() { syscall.Close(fd) }, nil
}

func listen(dir string) (net.Listener, error) {
	name, done, err := short(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the short name is not ours by then
	return l, nil
}

// Ask gets the daemon's status.
func Ask(ctx context.Context, dir string) (s Status, err error) {
	body, err := call(ctx, dir, http.MethodGet, "/status")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(body, &s)
}

// Rescan asks the daemon for another look at one account, or (empty) at all.
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
			name, done, err := short(dir)
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
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("picdayd: %s", strings.TrimSpace(string(body)))
	}
	return body, err
}
