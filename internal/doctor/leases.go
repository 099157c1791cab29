package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"picday/internal/account"
	"picday/internal/upload"
)

// A Lease is the kernel's answer to the question whether a file is open for
// writing.
type Lease int

// The values are exit statuses of the child that asks.
const (
	LeaseFree    Lease = 0  // it is not open
	leaseFailed  Lease = 1  // the file could not be looked at
	LeaseHeld    Lease = 10 // it is open
	LeaseNone    Lease = 11 // the file system has no leases
	LeaseRefused Lease = 12 // the kernel does not tell this user
)

// Errors of AskLease.
var (
	ErrNoDaemonUser   = errors.New("picdayd's Unix user is missing")
	ErrNoCapabilities = errors.New("root cannot give capabilities to a child here")
)

// LeaseChild is the first argument of the child; a file follows.
const LeaseChild = "__lease"

// ProbeLease is what that child does. It returns its exit status.
func ProbeLease(path string) int {
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		var held bool
		held, err = upload.Held(f)
		switch {
		case errors.Is(err, upload.ErrNoLeases):
			return int(LeaseNone)
		case errors.Is(err, upload.ErrLeaseRefused):
			return int(LeaseRefused)
		case err == nil && held:
			return int(LeaseHeld)
		case err == nil:
			return int(LeaseFree)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return int(leaseFailed)
}

// AskLeaseAsDaemon asks about a file as picdayd would, about one of somebody
// else's: the kernel's answer depends on who asks. Root that asks about its own
// file hears that all is well where picdayd, in a container, is refused. So the
// running program starts itself again, as picdayd's user with the capabilities
// of its unit. It closes the file.
func AskLeaseAsDaemon(f *os.File) (Lease, error) {
	daemon, err := user.Lookup(account.DaemonUser)
	if err != nil {
		f.Close()
		return leaseFailed, ErrNoDaemonUser
	}
	uid, _ := strconv.Atoi(daemon.Uid)
	gid, _ := strconv.Atoi(daemon.Gid)
	if err := errors.Join(f.Chown(uid+1, gid+1), f.Close()); err != nil {
		return leaseFailed, &ownerError{err}
	}
	cmd := exec.Command("/proc/self/exe", LeaseChild, f.Name())
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		AmbientCaps: []uintptr{unix.CAP_DAC_READ_SEARCH, unix.CAP_LEASE},
	}
	err = cmd.Run()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
		return leaseFailed, ErrNoCapabilities
	}
	switch lease := Lease(cmd.ProcessState.ExitCode()); lease {
	case LeaseFree, LeaseHeld, LeaseNone, LeaseRefused:
		return lease, nil
	}
	return leaseFailed, fmt.Errorf("%v %s", err, strings.TrimSpace(said.String()))
}

// ownerError is that a file could not be given to another user.
type ownerError struct{ error }

// leases asks the upload volume for the proof that nobody writes a file.
func (d *examination) leases() {
	const check = "file leases"
	f, err := os.CreateTemp(d.cfg.UploadDir, ".picday-doctor-*") // 0600: uploads may be that too
	if err != nil {
		d.fail(check, err.Error(), "mount "+d.cfg.UploadDir+" writable")
		return
	}
	defer os.Remove(f.Name())
	healthy := "look whether " + d.cfg.UploadDir + " is a healthy local file system"
	unsure := d.cfg.Upload.SettleUnsure.Std().String() + " of quiet instead of by proof"
	lease, err := d.AskLease(f)
	var owner *ownerError
	switch {
	case errors.Is(err, ErrNoDaemonUser):
		// Machine.Check says so.
	case errors.As(err, &owner):
		d.fail(check, err.Error(), "look whether "+d.cfg.UploadDir+" is a file system that knows owners")
	case errors.Is(err, ErrNoCapabilities):
		d.warn(check, "root itself cannot give picdayd CAP_LEASE and CAP_DAC_READ_SEARCH here, as in a container that is kept from them: uploads may not be readable, and are taken after "+unsure,
			"give the container these two capabilities")
	case err != nil:
		d.fail(check, "picdayd could not look at a file of somebody else's: "+err.Error(), healthy)
	case lease == LeaseFree:
		d.ok(check, "the kernel tells picdayd when an upload is closed")
	case lease == LeaseNone:
		d.warn(check, "the upload volume's file system has none: uploads are taken after "+unsure, "use ext4, xfs or btrfs for "+d.cfg.UploadDir)
	case lease == LeaseRefused:
		d.warn(check, "the kernel does not tell picdayd who has an upload open, as in a container with a user namespace of its own (unprivileged LXC): uploads are taken after "+unsure,
			"run picday on a machine or in a privileged container; or set upload.settle_unsure to what your uploaders' slowest pause is")
	default:
		d.fail(check, "a closed file seems to be open", healthy)
	}
}
