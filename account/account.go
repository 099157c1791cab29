// Package account owns what an account is on the machine: its Unix user, its
// chroot tree below upload_dir, its key file, its lines in sshd's drop-in, its
// connection card, and whether a job's folder is visible over SFTP.
//
// It promises: a change happens whole or not at all. Every change is a list of
// steps that know whether they are done, how to do them and how to take them
// back; a failing step takes back the earlier ones, a run that was killed is
// completed by running it again, and sshd's own -t and -T have the last word
// on every change to its configuration. The door opens last and closes first:
// a Unix user is created expired and opened only once sshd has been seen to
// jail it, and it is gone before its allowlist goes.
//
// It prints nothing: every method returns sentences saying what it did, and
// nothing for what was so already. It keeps no record of its own; the
// catalogue's accounts are passed in.
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
	ErrRefused   = errors.New("refused for safety") // it is somebody else's, or would expose or lose something
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
	held  int                                             // how deep the lock is held by this process
}

// New returns the System of this configuration.
func New(cfg config.Config) *System { return &System{Config: cfg, run: runCommand} }

// A Spec is a new account.
type Spec struct {
	Account  store.Account
	Keys     [][]byte // the contents of public key files
	Password string   // "" = no password login
}

// Lock keeps every other picday out of the accounts until release is called.
// The methods take it themselves; take it around them when the list of
// accounts handed in is read from the catalogue, so that nobody adds one in
// between and loses its allowlist.
func (s *System) Lock(ctx context.Context) (release func(), err error) {
	if s.held > 0 {
		s.held++
		return func() { s.held-- }, nil
	}
	dir := filepath.Dir(s.Config.SSHD.KeysDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the lock: %w", err)
	}
	// 0600: anybody who can open a file can lock it, and keep us out.
	f, err := os.OpenFile(filepath.Join(dir, ".account.lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
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
	return filepath.Join(s.Config.UploadDir, account)
}
