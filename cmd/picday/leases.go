package main

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

	"picday/account"
	"picday/watcher"
)

// What a lease says depends on who asks: root asks about root's file and hears
// that all is well, where the daemon, in a container, is refused. So doctor
// asks as the daemon would, about a file of somebody else's: picday runs itself
// again as the daemon's user with the unit's capabilities.
const leaseProbe = "__lease" // followed by a file

// What the probe ends with.
const (
	probeFree    = 0
	probeFailed  = 1
	probeHeld    = 10
	probeNone    = 11
	probeRefused = 12
)

// probeLease is that run.
func probeLease(path string) int {
	f, err := os.OpenFile(path, os.O_RDONLY|openSafely, 0)
	if err == nil {
		defer f.Close()
		var held bool
		held, err = watcher.Held(f)
		switch {
		case errors.Is(err, watcher.ErrNoLeases):
			return probeNone
		case errors.Is(err, watcher.ErrLeaseRefused):
			return probeRefused
		case err == nil && held:
			return probeHeld
		case err == nil:
			return probeFree
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return probeFailed
}

// leases asks the upload volume, as the daemon, for the evidence that nobody
// writes a file.
func (d *diagnosis) leases() {
	const check = "file leases"
	f, err := os.CreateTemp(d.cfg.UploadDir, ".picday-doctor-*") // 0600: uploads may be that too
	if err != nil {
		d.fail(check, err.Error(), "mount "+d.cfg.UploadDir+" writable")
		return
	}
	defer os.Remove(f.Name())
	daemon, err := user.Lookup(account.DaemonUser)
	if err != nil {
		f.Close()
		return // another check says so
	}
	uid, _ := strconv.Atoi(daemon.Uid)
	gid, _ := strconv.Atoi(daemon.Gid)
	err = errors.Join(f.Chown(uid+1, gid+1), f.Close())
	if err != nil {
		d.fail(check, err.Error(), "look whether "+d.cfg.UploadDir+" is a file system that knows owners")
		return
	}
	cmd := exec.Command("/proc/self/exe", leaseProbe, f.Name())
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		AmbientCaps: []uintptr{unix.CAP_DAC_READ_SEARCH, unix.CAP_LEASE},
	}
	err = cmd.Run()
	unsure := d.cfg.Upload.SettleUnsure.Std().String() + " of quiet instead of by proof"
	switch code := cmd.ProcessState.ExitCode(); {
	case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL):
		d.add("warn", check, "root itself cannot give picdayd CAP_LEASE and CAP_DAC_READ_SEARCH here, as in a container that is kept from them: uploads may not be readable, and are taken after "+unsure,
			"give the container these two capabilities")
	case code == probeFree:
		d.ok(check, "the kernel tells picdayd when an upload is closed")
	case code == probeNone:
		d.add("warn", check, "the upload volume's file system has none: uploads are taken after "+unsure, "use ext4, xfs or btrfs for "+d.cfg.UploadDir)
	case code == probeRefused:
		d.add("warn", check, "the kernel does not tell picdayd who has an upload open, as in a container with a user namespace of its own (unprivileged LXC): uploads are taken after "+unsure,
			"run picday on a machine or in a privileged container; or set upload.settle_unsure to what your uploaders' slowest pause is")
	case code == probeHeld:
		d.fail(check, "a closed file seems to be open", "look whether "+d.cfg.UploadDir+" is a healthy local file system")
	default:
		d.fail(check, fmt.Sprintf("picdayd could not look at a file of somebody else's: %v %s", err, strings.TrimSpace(said.String())), "look whether "+d.cfg.UploadDir+" is a healthy local file system")
	}
}
