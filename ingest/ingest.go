// Package ingest takes settled files into the catalogue: it copies and hashes
// the upload, decides whether the JPEG is whole, makes the renditions, and
// publishes the photo or enters the problem. It also ends what uploaders
// delete: grace, withdrawal, trash, strays.
//
// It promises that each step is durable before the next and harmless to
// repeat, that nothing is published half, and that a deletion is believed only
// with proof. It does not know how files are found to be settled.
package ingest

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"

	"picday/internal/config"
	"picday/internal/volume"
	"picday/layout"
	"picday/photo"
	"picday/store"
)

// A File is an upload that has been proven complete.
type File struct {
	Account  string
	Path     string // raw bytes, from the root of the SFTP view
	Identity store.Identity
	Regular  bool // false: a link, pipe, socket or device, which is never opened
	Dir      bool // a folder that is not looked into: too deep, or one too many
}

// Options are what an Ingester works with.
type Options struct {
	Store  *store.Store
	Writer *store.Writer
	Config config.Config
	// Volumes knows the file systems that uploads lie on.
	Volumes *volume.Volumes
	// Held tells whether anybody has the file open for writing.
	Held func(*os.File) (bool, error)
	// Look asks for another look at a path, as if it had just changed; "" is all
	// that the account has.
	Look func(account, path string)
	// Room tells why nothing that takes need bytes shall be added to the data
	// directory; nil: there is always room.
	Room func(need int64) error
	// Limits bounds what is decoded.
	Limits photo.Limits
	// Render reads a picture's metadata and makes its renditions for an account, or
	// for none (""); nil does so in this process, which only who made the pictures
	// should do.
	Render func(ctx context.Context, account string, original *os.File, f photo.Facts, sizes []photo.Size) (photo.Meta, photo.Picture, error)
	// Taken is told what became of each file, once that is committed; it must
	// not block. nil: nobody wants to know.
	Taken func(Taken)
	Log   zerolog.Logger
}

// Taken is what became of a file.
type Taken struct {
	Layout  store.Layout
	Outcome store.Outcome // "" = a problem
	Took    time.Duration // since the upload was last changed
}

// An Ingester does the work. Its maps are guarded by mu; everything else is
// read-only after New.
type Ingester struct {
	Options
	sizes  []photo.Size
	render singleflight.Group // one decode for a picture, however often it arrives at once

	backlog backlog
	dear    dear
	hints   hints
	limits  limits

	share int // of the decoders that one account may hold

	mu       sync.Mutex
	accounts map[string]account
	inHand   map[File]time.Time
	derived  map[store.SHA]derived // rendered, but not yet in the catalogue
	bare     map[File]time.Time    // what lacks only EOI, and since when that is known
	setback  error                 // the last that was no fault of a file
	setAt    time.Time
}

type account struct {
	store.Account
	rules layout.Rules
	// decoding has room for one less than there are decoders: however long the
	// pictures of one account take, the others' do not wait for them.
	decoding chan struct{}
}

// New makes an Ingester. It takes nothing before SetAccounts and Run.
func New(o Options) *Ingester {
	in := &Ingester{Options: o, inHand: map[File]time.Time{}, derived: map[store.SHA]derived{}, bare: map[File]time.Time{}, share: share(o.Config.Images)}
	if in.Room == nil {
		in.Room = func(int64) error { return nil }
	}
	if in.Taken == nil {
		in.Taken = func(Taken) {}
	}
	if in.Render == nil {
		in.Render = in.renderHere
	}
	for _, r := range o.Config.Images.Renditions {
		in.sizes = append(in.sizes, photo.Size{Name: r.Name, Longest: r.Longest, Quality: r.Quality})
	}
	return in
}

// SetAccounts says whose files are to be taken.
func (in *Ingester) SetAccounts(all []store.Account) {
	in.mu.Lock()
	defer in.mu.Unlock()
	accounts := make(map[string]account, len(all))
	for _, a := range all {
		rules := layout.Rules{Kind: layout.Kind(a.Layout), Account: a.Name}
		if a.IDPattern != "" {
			id, err := layout.CompileID(a.IDPattern)
			if err != nil {
				// Never guess whose picture it is: no pattern, no portraits.
				in.Log.Error().Err(err).Str("account", a.Name).Msg("bad ID pattern, account left alone")
				continue
			}
			rules.ID = id
		}
		decoding := in.accounts[a.Name].decoding
		if decoding == nil {
			decoding = make(chan struct{}, in.share)
		}
		accounts[a.Name] = account{a, rules, decoding}
	}
	in.accounts = accounts
}

func (in *Ingester) account(name string) (account, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	a, ok := in.accounts[name]
	return a, ok
}

// Progress is a file in hand.
type Progress struct {
	File
	Since time.Time
}

// InHand lists the files being worked on.
func (in *Ingester) InHand() []Progress {
	in.mu.Lock()
	defer in.mu.Unlock()
	var all []Progress
	for f, since := range in.inHand {
		all = append(all, Progress{f, since})
	}
	return all
}

func (in *Ingester) hand(f File, taken bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if taken {
		in.inHand[f] = time.Now()
	} else {
		delete(in.inHand, f)
	}
}

// A verdict is what came of one file: a change to commit, or the need to look
// again, or nothing to do at all (the zero verdict).
type verdict struct {
	again bool          // it changed under our hands
	delay time.Duration // before looking again: after an error of ours, not of the file
	dirs  []string
	apply func(*store.Tx) error
	after func() // once the change is committed or has failed
	taken func() // once it is committed
}

// retryDelay is how long to wait after an error that is not the file's, such
// as a full disk, before the file is tried again.
const retryDelay = 5 * time.Second

// setBack tells of an error that is not the file's.
func (in *Ingester) setBack(f File, err error) {
	in.Log.Error().Err(err).Str("account", f.Account).Str("path", layout.Shown(f.Path)).Msg("not taken, will try again")
	in.remember(err)
}

func (in *Ingester) remember(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.setback, in.setAt = err, time.Now()
}

// Setback is why files are not taken that should be, nil once none of them has
// failed for longer than it takes to try again.
func (in *Ingester) Setback() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if time.Since(in.setAt) > 3*retryDelay {
		return nil
	}
	return in.setback
}

// maxOutside is how often what a decision needs is found out outside of its
// transaction. Who changes it all the time waits like after any other error.
const maxOutside = 3

func (in *Ingester) finish(ctx context.Context, f File, done func(File, bool), v verdict) {
	var dear *tooDear
	outside := 0
	var submit func()
	answer := func(err error) {
		if errors.As(err, &dear) && outside < maxOutside {
			outside++
			go func() { // the writer's goroutine is not for this
				if err := in.askOutside(dear.wants); err != nil {
					outside = maxOutside
				}
				submit()
			}()
			return
		}
		if v.after != nil {
			v.after()
		}
		if err != nil {
			in.setBack(f, err)
			time.AfterFunc(retryDelay, func() { done(f, true) })
			return
		}
		if v.taken != nil {
			v.taken()
		}
		if v.delay > 0 {
			time.AfterFunc(v.delay, func() { done(f, v.again) })
			return
		}
		done(f, v.again)
	}
	if v.apply == nil {
		answer(nil)
		return
	}
	submit = func() {
		// Not ctx: what has been read and rendered is worth a commit also when
		// picdayd is stopping; the writer runs longer than this.
		if err := in.Writer.Submit(context.WithoutCancel(ctx), store.Change{Dirs: v.dirs, Apply: v.apply, Done: answer}); err != nil {
			answer(err)
		}
	}
	submit()
}
