// Package ingest takes settled files into the catalogue: it copies and hashes
// the upload, decides whether the JPEG is whole, makes the renditions, and
// publishes the photo or records the problem. It also withdraws photos whose files
// were deleted, after the grace, empties the trash and deletes strays.
//
// Each step is durable before the next and may be repeated. No incomplete picture is
// published, and a file counts as deleted only with proof. How files are found to be
// complete is the task of package watcher.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"

	"picday/internal/config"
	"picday/internal/layout"
	"picday/internal/photo"
	"picday/internal/rendition"
	"picday/internal/upload"
	"picday/store"
)

// Watcher is the source of files. Package watcher implements it.
type Watcher interface {
	// Settled returns the channel of complete files. Each is answered by Done.
	Settled() <-chan upload.File
	// Gone returns the channel of hints that a path is missing.
	Gone() <-chan upload.Gone
	// Done answers a file; with again the watcher sends it once more.
	Done(f upload.File, again bool)
	// Look checks a path as if it had just changed; "" is the whole account.
	Look(account, path string)
}

// Options configure New.
type Options struct {
	Store  *store.Store
	Writer *store.Writer
	Config config.Config
	// Volumes has the keys of the file systems that hold uploads.
	Volumes *upload.Volumes
	Watcher Watcher
	// Room returns an error if need bytes must not be added to the data directory.
	// nil: there is always room.
	Room func(need int64) error
	// Limits bounds the pictures that are decoded.
	Limits photo.Limits
	// Render reads a picture's metadata and makes its renditions, on behalf of an
	// account or of none (""). nil does so in this process, which is only safe for
	// pictures from a trusted source.
	Render func(ctx context.Context, account string, original *os.File, f photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error)
	// Taken is called for each file after its commit; it must not block. It may be nil.
	Taken func(Taken)
	// Judged is called with what was found in a file. It must not block. It may be nil.
	Judged func(f upload.File, verdict string)
	Log    zerolog.Logger
}

// Taken is the result of one file.
type Taken struct {
	Account string
	Layout  layout.Kind
	Outcome store.Outcome // "" = a problem
	Took    time.Duration // since the upload was last changed
}

// An Ingester takes files into the catalogue. The fields after mu are guarded by it;
// the other fields are read-only after New or have a lock of their own.
type Ingester struct {
	Options
	render singleflight.Group // so that one picture at several paths is decoded once

	background background

	backlog   backlog
	diskCache diskCache
	hints     hints
	limits    limits
	retries   retries

	held func(*os.File) (bool, error) // upload.Held; tests have their own

	share int // number of decoders that one account may use at once

	mu         sync.Mutex
	accounts   map[string]account
	inProgress map[upload.File]time.Time
	derived    map[store.SHA]derived     // pictures that are rendered but not yet in the catalogue
	lacksEOI   map[upload.File]time.Time // files that lack only EOI, and since when that is known
}

type account struct {
	store.Account
	rules layout.Rules
	// generation changes with what the account's paths mean.
	generation string
	// decoding is a semaphore with one place less than there are decoders, so that
	// no account waits for the slow pictures of another one.
	decoding chan struct{}
}

// New makes an Ingester. It takes no file before SetAccounts and Run are called.
func New(o Options) *Ingester {
	in := &Ingester{Options: o, held: upload.Held, inProgress: map[upload.File]time.Time{}, derived: map[store.SHA]derived{}, lacksEOI: map[upload.File]time.Time{}, share: share(o.Config.Images)}
	if in.Room == nil {
		in.Room = func(int64) error { return nil }
	}
	if in.Taken == nil {
		in.Taken = func(Taken) {}
	}
	if in.Judged == nil {
		in.Judged = func(upload.File, string) {}
	}
	if in.Render == nil {
		in.Render = in.renderHere
	}
	return in
}

// SetAccounts sets the accounts whose files are taken.
func (in *Ingester) SetAccounts(all []store.Account) {
	in.mu.Lock()
	defer in.mu.Unlock()
	accounts := make(map[string]account, len(all))
	for _, a := range all {
		rules, err := a.Rules(in.Config.Upload.AreaNames())
		if err != nil {
			// Without the pattern it cannot be known whose portrait a file is.
			in.Log.Error().Err(err).Str("account", a.Name).Msg("bad ID pattern, account left alone")
			continue
		}
		decoding := in.accounts[a.Name].decoding
		if decoding == nil {
			decoding = make(chan struct{}, in.share)
		}
		accounts[a.Name] = account{a, rules, fmt.Sprint(a.ID, " ", a.IDPattern, " ", rules.Areas), decoding}
	}
	in.accounts = accounts
}

func (in *Ingester) account(name string) (account, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	a, ok := in.accounts[name]
	return a, ok
}

// settled is a file that the watcher has sent, with its account and with what its path
// means there.
type settled struct {
	upload.File
	owner   account
	meaning layout.Meaning
	place   store.Place
}

// settled returns the file with what it means now. It returns false if the account was
// removed. It is asked again when the file's turn has come, because the account's rules
// may have changed since.
func (in *Ingester) settled(f upload.File) (settled, bool) {
	a, ok := in.account(f.Account)
	if !ok {
		return settled{}, false
	}
	m := a.rules.Of(f.Path)
	return settled{f, a, m, store.Place{
		Path: f.Path, Shown: layout.Shown(f.Path), Job: m.Job, Album: m.Album, Area: m.Area, Person: m.Person,
	}}, true
}

// errNewRules: the file was decided about by rules that its account no longer has.
var errNewRules = errors.New("the account's rules have changed meanwhile")

// byItsRules lets a change be committed only if the account's rules are still those by
// which it was decided. So no decision by old rules comes after Store.ApplyAreas.
func (in *Ingester) byItsRules(f settled, apply func(*store.Tx) error) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		if a, ok := in.account(f.Account); ok && a.generation != f.owner.generation {
			return errNewRules
		}
		return apply(tx)
	}
}

// Progress is a file that is being processed.
type Progress struct {
	upload.File
	Since time.Time
}

// InProgress lists the files that are being processed.
func (in *Ingester) InProgress() []Progress {
	in.mu.Lock()
	defer in.mu.Unlock()
	var all []Progress
	for f, since := range in.inProgress {
		all = append(all, Progress{f, since})
	}
	return all
}

func (in *Ingester) setInProgress(f upload.File, started bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if started {
		in.inProgress[f] = time.Now()
	} else {
		delete(in.inProgress, f)
	}
}
