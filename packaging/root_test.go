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

// each runs a test on a machine of every suite, which boot makes.
func each(t *testing.T, boot func(*testing.T, string) *machine, test func(*machine)) {
	needs(t)
	t.Parallel()
	for _, suite := range suites {
		t.Run(filepath.Base(suite), func(t *testing.T) { test(boot(t, suite)) })
	}
}

// one runs a test on a machine of one suite, or, where the long form of the tests is
// wanted, of every suite: for what the suites hardly differ in.
func one(t *testing.T, boot func(*testing.T, string) *machine, suite string, test func(*machine)) {
	if os.Getenv("PICDAY_PACKAGE") == "must" {
		each(t, boot, test)
		return
	}
	needs(t)
	test(boot(t, suite))
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
// The roots of different suites are made at the same time.
func rootOf(t *testing.T, suite string) string {
	t.Helper()
	if filepath.IsAbs(suite) {
		return suite
	}
	mirror := debianMirror(t)
	args := []string{
		"--variant=minbase", "--format=directory", "--skip=cleanup/apt", "--include=systemd-sysv,dbus",
		"--customize-hook=" + fetch, suite,
	}
	return once(t, suite, strings.Join(append(args, mirror), " "), func(made string) *exec.Cmd {
		return exec.Command("mmdebstrap", append(args, made, "deb "+mirror+" "+suite+" main")...)
	})
}

// listedOf is rootOf, as lower directories of an overlay, with apt's lists cut
// down to what is there: installed, or in apt's cache. With all of Debian in them
// most of what apt-get does is reading them. TestNumbers has them all.
func listedOf(t *testing.T, suite string) string {
	t.Helper()
	return layerOn(t, rootOf(t, suite), "listed", cutLists)
}

const cutLists = `{ chroot . dpkg-query -W -f '${Package}\n'; ls var/cache/apt/archives | sed -n 's/_.*[.]deb$//p'; } >tmp/keep
for list in var/lib/apt/lists/*_Packages; do
	[ -f "$list" ] || continue
	awk 'BEGIN { while ((getline name <"tmp/keep") > 0) keep[name] = 1; RS = ""; ORS = "\n\n" } keep[$2]' "$list" >tmp/list
	mv tmp/list "$list"
done
rm tmp/keep
chroot . apt-get check -qq`

// serverOf is listedOf with openssh-server and LittleCMS installed.
func serverOf(t *testing.T, suite string) string {
	t.Helper()
	return layerOn(t, listedOf(t, suite), "server", `chroot . apt-get install -qq -y openssh-server liblcms2-2`)
}

// layerOn makes what a script changes in a system into a directory that lies
// above it in an overlay.
func layerOn(t *testing.T, lower, name, script string) string {
	t.Helper()
	script = `mkdir -p "$2/up" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
cd "$2/root"
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
` + script
	top, _, _ := strings.Cut(lower, ":")
	layer := once(t, filepath.Base(strings.TrimSuffix(top, "/up"))+"-"+name, script, func(made string) *exec.Cmd {
		return exec.Command("unshare", "--mount", "sh", "-ec", script, "sh", lower, made)
	})
	return layer + "/up:" + lower
}

// once makes a directory by a command, once for all runs on a machine with
// the same recipe, and returns its path.
func once(t *testing.T, name, recipe string, make func(dir string) *exec.Cmd) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	must(t, err)
	dir := filepath.Join(cache, "picday", "roots")
	must(t, os.MkdirAll(dir, 0o755))
	lock, err := os.OpenFile(filepath.Join(dir, "."+name+".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	must(t, err)
	defer lock.Close()
	must(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX))
	sum := sha256.Sum256([]byte(recipe))
	done := filepath.Join(dir, fmt.Sprintf("%s-%x", name, sum[:4]))
	if _, err := os.Stat(done); err == nil {
		return done
	}
	t.Logf("making %s", name)
	must(t, os.RemoveAll(done+".new"))
	if out, err := make(done + ".new").CombinedOutput(); err != nil {
		cannot(t, "%s cannot be made: %v\n%s", name, err, out)
	}
	must(t, os.Rename(done+".new", done))
	return done
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
