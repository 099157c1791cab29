package decoder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"picday/internal/photo"
	"picday/internal/rendition"
)

// Options are the bounds of a Pool.
type Options struct {
	Workers int           // children; 0 = one per core
	Limits  photo.Limits  // of what is decoded at all
	Time    time.Duration // CPU for one picture
	Wall    time.Duration // on the clock; 0 = enough for Time on a machine that is busy
	Memory  int64         // bytes that one child may use, and all together by estimate
	// Codes tells in whose pictures QR codes are looked for; nil = nobody's.
	Codes func(account string) bool
	Log   zerolog.Logger
}

const (
	// A child is ended after that many pictures, when it holds that much, or when it
	// had nothing to do for so long: what leaks or lingers in it, or has taken it
	// over, does not for long. One for each picture would be best of all, but a start
	// costs 4 ms of CPU time, a tenth of what a picture does.
	maxServed   = 100
	maxResident = 256 << 20
	maxIdle     = 30 * time.Second

	startWithin = 10 * time.Second
)

// A Pool is a number of children, each at the service of one account for as long as it
// lives: who took it over by a picture can spoil no pictures but his own. Its methods
// may be called by many goroutines.
type Pool struct {
	Options
	budget *budget
	lacks  atomic.Bool   // whether the latest child cannot convert by profiles
	places chan struct{} // one entry per worker that is free
	idle   idle          // the children that belong to them; fewer, where one has ended
	starts chan chan<- started
	ready  chan struct{} // closed once the first children work
	ended  chan struct{} // closed when Run is over
}

type started struct {
	*child
	error
}

// New makes a Pool. Nothing is decoded before Run.
func New(o Options) *Pool {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Wall == 0 {
		o.Wall = 4*o.Time + 10*time.Second
	}
	return &Pool{
		Options: o,
		budget:  newBudget(o.Memory),
		places:  make(chan struct{}, o.Workers),
		starts:  make(chan chan<- started),
		ready:   make(chan struct{}),
		ended:   make(chan struct{}),
	}
}

// Run starts the children and ends them with ctx. A child that cannot be started or
// confined at the beginning is an error: no picture would ever be taken.
//
// All children are started on one thread, which is Run's alone, for two reasons: it
// gives up the daemon's ambient capabilities, so that they are not even there when a
// child starts; and the kernel ends the children when it ends, if we get no chance to.
func (p *Pool) Run(ctx context.Context) error {
	runtime.LockOSThread() // and never unlock: the thread must not serve others
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("give up capabilities: %w", err)
	}
	alive := map[*child]bool{}
	defer func() {
		close(p.ended)
		for c := range alive {
			c.end()
		}
	}()
	for range p.Workers {
		c, err := spawn(p.Memory)
		if err != nil {
			return fmt.Errorf("decoder does not start: %w", err)
		}
		alive[c] = true
	}
	var h hello
	for c := range alive {
		var err error
		if h, err = c.greet(startWithin); err != nil {
			return err
		}
		p.idle.put(c)
		p.places <- struct{}{}
	}
	p.lacks.Store(!h.Profiles)
	if h.Landlock == 0 {
		p.Log.Warn().Msg("this kernel has no Landlock: decoders are confined by seccomp alone")
	}
	close(p.ready)
	p.Log.Debug().Int("workers", p.Workers).Int("landlock", h.Landlock).Msg("decoders started")
	tick := time.NewTicker(maxIdle / 10)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.idle.retire(time.Now().Add(-maxIdle))
		case answer := <-p.starts:
			for c := range alive {
				if c.dead() {
					delete(alive, c)
				}
			}
			c, err := spawn(p.Memory)
			if err == nil {
				alive[c] = true
			}
			answer <- started{c, err}
		case <-ctx.Done():
			return nil
		}
	}
}

// Ready is closed once the children are there and confined.
func (p *Pool) Ready() <-chan struct{} { return p.ready }

// LacksProfiles reports whether the child that was started last has no LittleCMS, and so
// takes CMYK and photos with profiles of tables as if they had no profile. It is false
// before the first has started.
func (p *Pool) LacksProfiles() bool { return p.lacks.Load() }

// start has Run start a child, and waits until it is confined.
func (p *Pool) start(ctx context.Context) (*child, error) {
	answer := make(chan started)
	select {
	case p.starts <- answer:
	case <-p.ended:
		return nil, errStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b := <-answer
	if b.error != nil {
		return nil, fmt.Errorf("decoder does not start: %w", b.error)
	}
	h, err := b.greet(startWithin)
	if err == nil {
		p.lacks.Store(!h.Profiles)
	}
	return b.child, err
}

// Render reads the metadata of a picture and makes its renditions, as
// [photo.ReadMeta] and [photo.Render] would, in a child that serves no account but
// this; "" is nobody's, and the child ends with the picture. f is what a [photo.Scan]
// of the very same bytes found. The file may be open for writing, and its offset is
// left alone: the child gets a descriptor of its own that can only be read.
func (p *Pool) Render(ctx context.Context, account string, original *os.File, f photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
	if err := photo.Check(f, p.Limits); err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	picture, err := reopen(original)
	if err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	defer picture.Close()
	q := request{Facts: f, Limits: p.Limits, Sizes: sizes, Codes: p.Codes != nil && p.Codes(account)}
	m, out, err := p.do(ctx, account, picture, q)
	if errors.Is(err, errKilled) {
		// Somebody's kill, or the kernel's when memory is short, says nothing about
		// the picture. Twice in a row it does.
		m, out, err = p.do(ctx, account, picture, q)
	}
	if errors.Is(err, errKilled) {
		err = fmt.Errorf("%w: %w", photo.ErrTooComplex, err)
	}
	return m, out, err
}

// reopen makes a second, independent, read-only description of an open file.
func reopen(f *os.File) (*os.File, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var again *os.File
	if cerr := raw.Control(func(fd uintptr) {
		again, err = os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	}); cerr != nil {
		return nil, cerr
	}
	return again, err
}

// need estimates what a request takes: the file, its samples for the worst
// subsampling, and two bytes more for each where it comes in several scans. Photos
// are decoded at half their size or less if every rendition is that much smaller;
// those in RGB and CMYK are not, which is an error that the margin has to bear.
func need(q request) int64 {
	f, longest := q.Facts, 0
	for _, s := range q.Sizes {
		longest = max(longest, s.Longest)
	}
	samples := f.Pixels() * int64(f.Components)
	bytes := 32<<20 + f.EOI
	if f.Progressive || f.Scans > 1 {
		bytes += 2 * samples
	}
	if 37*longest <= 10*max(f.Width, f.Height) { // see photo, enough
		samples /= 4
	}
	return bytes + samples
}

// do has one child do one request.
func (p *Pool) do(ctx context.Context, account string, picture *os.File, q request) (photo.Meta, photo.Picture, error) {
	// Memory first: who holds a child never waits.
	release, err := p.budget.acquire(ctx, account, need(q))
	if err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	defer release()
	select {
	case <-p.places:
	case <-p.ended:
		return photo.Meta{}, photo.Picture{}, errStopped
	case <-ctx.Done():
		return photo.Meta{}, photo.Picture{}, ctx.Err()
	}
	defer func() { p.places <- struct{}{} }()
	c, surplus := p.idle.take(account, len(p.places))
	if surplus != nil {
		surplus.end()
	}
	if c == nil {
		var err error
		if c, err = p.start(ctx); err != nil {
			return photo.Meta{}, photo.Picture{}, err
		}
	}
	c.account = account
	m, out, err := p.talk(ctx, c, picture, q)
	var refusal refusalError
	if err != nil && !errors.As(err, &refusal) {
		return photo.Meta{}, photo.Picture{}, p.diagnose(ctx, c, err)
	}
	if c.served++; account == "" || c.served >= maxServed || c.resident() > maxResident {
		c.end()
		return m, out, err
	}
	p.idle.put(c)
	return m, out, err
}

// talk is one exchange. Whatever goes wrong in it, the child has to be ended.
func (p *Pool) talk(ctx context.Context, c *child, picture *os.File, q request) (photo.Meta, photo.Picture, error) {
	if err := c.conn.SetDeadline(time.Now().Add(p.Wall)); err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	defer stop()
	if err := c.allow(p.Time); err != nil && !c.dead() {
		return photo.Meta{}, photo.Picture{}, fmt.Errorf("%w: %w", errFailed, err)
	}
	if err := c.send(q, picture); err != nil {
		return photo.Meta{}, photo.Picture{}, err
	}
	return readReply(c.conn, q)
}
