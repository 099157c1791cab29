// Package account owns what an account is on the machine: its Unix user, its chroot
// tree below upload_dir, its key file, its lines in sshd's drop-in, and whether a
// job's folder is visible over SFTP.
//
// It promises: a change happens completely or not at all. Every change is a list of
// steps that know whether they are done, how to do them and how to revert them. If a
// step fails the earlier ones are reverted; a run that was killed is completed by
// running it again. Every change to sshd's configuration is checked with sshd -t and
// -T. Log-ins are enabled last and disabled first: a Unix user is created expired,
// it is opened only after sshd was seen to jail it, and its allowlist is removed
// only after it was deleted.
//
// It prints nothing: every method returns sentences that say what it did, and none
// for what was so already. It keeps no record of its own; the accounts of the
// catalogue are passed in.
package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/config"
	"picday/store"
)

// Names on the machine that picday claims.
const (
	JailGroup  = config.JailGroup // every account's Unix user is in it; sshd jails its members
	DaemonUser = "picday"         // picdayd runs as it; it never logs in
)

// Kinds of errors, for exit codes; test with errors.Is.
var (
	ErrInvalid   = errors.New("invalid")            // a name, network, key or password that cannot be used
	ErrNoAccount = errors.New("no such account")    // no Unix user, or no folder, of that name
	ErrRefused   = errors.New("refused for safety") // it belongs to somebody else, or something would be exposed or lost
)

type kindError struct {
	kind error
	text string
}

func (e kindError) Error() string        { return e.text }
func (e kindError) Is(target error) bool { return target == e.kind }

func invalid(format string, args ...any) error {
	return kindError{ErrInvalid, fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) error {
	return kindError{ErrRefused, fmt.Sprintf(format, args...)}
}

// A System changes the machine it runs on. It is for one goroutine at a time;
// other processes are kept out by a lock file.
type System struct {
	Config config.Config

	run   runner                                          // replaced by tests
	fault func(i int, what string, afterwards bool) error // set by tests to break a step
	held  int                                             // how many callers in this process hold the lock

	answers map[string]string // of sshd; see ask
}

// New returns the System of this configuration.
func New(cfg config.Config) *System { return &System{Config: cfg, run: runCommand} }

// A Spec is a new account.
type Spec struct {
	Account  store.Account
	Keys     [][]byte // the contents of public key files
	Password string   // "" = no password login
}

// Lock keeps every other picday from changing accounts until release is called. The
// methods call it themselves. Call it around them if the list of accounts that is
// passed in comes from the catalogue, so that nobody adds one in between and loses
// its allowlist.
func (s *System) Lock(ctx context.Context) (release func(), err error) {
	if s.held > 0 {
		s.held++
		return func() { s.held-- }, nil
	}
	dir := filepath.Dir(s.Config.SSHD.KeysDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the lock: %w", err)
	}
	// 0600, because whoever can open a file can lock it and keep us out.
	name := filepath.Join(dir, ".account.lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, unix.EROFS) { // the helper's unit for jobs may not write there
		f, err = os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("open the lock (picday must be root for this): %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("another picday is changing accounts (%s is locked): %w", f.Name(), ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.held = 1
	return func() {
		s.held--
		f.Close()
	}, nil
}

// Base is the account's chroot.
func (s *System) Base(account string) string {
	return s.trees().Base(account)
}
