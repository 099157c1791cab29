package packaging_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// needs tells why the tests that boot systems do not run. PICDAY_PACKAGE is
// "must" in "make test-package", where what cannot be tested is a failure, and
// "try" in "make test", for root: there a poor container only skips them.
func needs(t *testing.T) {
	t.Helper()
	if os.Getenv("PICDAY_PACKAGE") == "" {
		t.Skip("boots whole systems: run make test-package")
	}
	if os.Getuid() != 0 {
		t.Skip("boots whole systems, which needs root: sudo env PATH=$PATH make test-package")
	}
	for _, program := range []string{"mmdebstrap", "systemd-nspawn", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			cannot(t, "%s is missing: run make test-package, which installs it", program)
		}
	}
}

// The systems that one package must run on. PICDAY_PACKAGE_ROOTS names
// directories with others, made like these: minimal, with systemd and apt.
var suites = append([]string{"bookworm", "trixie"}, filepath.SplitList(os.Getenv("PICDAY_PACKAGE_ROOTS"))...)

// fetch completes what an admin's machine has before picday: systemd, apt with
// its lists, and in apt's cache what openssh-server needs, since containers
// here have no network.
const fetch = `chroot "$1" apt-get install -y -o APT::Install-Recommends=true --download-only openssh-server liblcms2-2`

var rooting sync.Mutex

// each runs a test on a machine of every suite.
func each(t *testing.T, test func(*machine)) {
	needs(t)
	for _, suite := range suites {
		t.Run(filepath.Base(suite), func(t *testing.T) { test(newMachine(t, suite)) })
	}
}

// cannot ends a test that this machine cannot run.
func cannot(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("PICDAY_PACKAGE") == "must" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// rootOf makes the minimal system of a suite, once for all runs on a machine.
func rootOf(t *testing.T, suite string) string {
	t.Helper()
	if filepath.IsAbs(suite) {
		return suite
	}
	rooting.Lock()
	defer rooting.Unlock()
	cache, err := os.UserCacheDir()
	must(t, err)
	mirror := debianMirror(t)
	args := []string{
		"--variant=minbase", "--format=directory", "--skip=cleanup/apt", "--include=systemd-sysv,dbus",
		"--customize-hook=" + fetch, suite,
	}
	recipe := sha256.Sum256([]byte(strings.Join(append(args, mirror), " ")))
	dir := filepath.Join(cache, "picday", "roots")
	root := filepath.Join(dir, fmt.Sprintf("%s-%x", suite, recipe[:4]))
	must(t, os.MkdirAll(dir, 0o755))
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	must(t, err)
	defer lock.Close()
	must(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX))
	if _, err := os.Stat(root); err == nil {
		return root
	}
	t.Logf("making the root of %s", suite)
	made := root + ".new"
	must(t, os.RemoveAll(made))
	out, err := exec.Command("mmdebstrap", append(args, made, "deb "+mirror+" "+suite+" main")...).CombinedOutput()
	if err != nil {
		cannot(t, "mmdebstrap %s: %v\n%s", suite, err, out)
	}
	must(t, os.Rename(made, root))
	return root
}

// debianMirror is where this machine gets its own packages.
func debianMirror(t *testing.T) string {
	t.Helper()
	files, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	for _, file := range append(files, "/etc/apt/sources.list") {
		text, _ := os.ReadFile(file)
		for _, line := range bytes.Split(text, []byte("\n")) {
			if m := regexp.MustCompile(`^(?:URIs:|deb(?: \[[^]]*\])?) +(\S+/debian)/?( |$)`).FindSubmatch(line); m != nil {
				return string(m[1])
			}
		}
	}
	return "http://deb.debian.org/debian"
}
