package packaging_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// have finds a program that make test-package installs.
func have(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is missing: run make test-package, which installs it", program)
	}
}

func sh(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := exec.Command("sh", append([]string{"-ec", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func TestLintian(t *testing.T) {
	needs(t)
	t.Parallel()
	have(t, "lintian")
	deb := build(t, "deb", shipped) // which makes the pages, if it can
	args := []string{"--allow-root", "--fail-on", "error,warning,info,pedantic", "--display-info", "--pedantic", "--tag-display-limit", "0"}
	// The strings of a Go program lie next to each other: whether two of them look
	// like one misspelt word changes with code that has nothing to do with either.
	suppress := "spelling-error-in-binary"
	if pages, _ := filepath.Glob("build/man/*"); len(pages) == 0 {
		t.Log("there are no manual pages in packaging/build/man: not asked for")
		suppress += ",no-manual-page"
	}
	args = append(args, "--suppress-tags", suppress)
	if out, err := exec.Command("lintian", append(args, deb)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The oldest libc that has all we ask for is what the package depends on, and
// no younger than Debian 12's.
func TestOldestLibc(t *testing.T) {
	needs(t)
	t.Parallel()
	have(t, "objdump")
	deb := build(t, "deb", shipped)
	dir := t.TempDir()
	sh(t, `dpkg-deb -x "$1" "$2"`, deb, dir)
	newest := ""
	for _, program := range []string{"/usr/bin/picday", "/usr/sbin/picdayd"} {
		needed := sh(t, `objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1`, dir+program)
		if needed = strings.TrimPrefix(strings.TrimSpace(needed), "GLIBC_"); needed > newest {
			newest = needed
		}
		libs := sh(t, `objdump -p "$1" | awk '/NEEDED/ && $2 !~ /^ld-linux/ {print $2}'`, dir+program)
		if strings.TrimSpace(libs) != "libc.so.6" {
			t.Errorf("%s needs %q, and only libc is the same everywhere", program, libs)
		}
	}
	depends := sh(t, `dpkg-deb -f "$1" Depends`, deb)
	if want := "libc6 (>= " + newest + "),"; !strings.Contains(depends, want) || newest > "2.36" {
		t.Errorf("needs libc %s, depends on %s", newest, depends)
	}
}

// TestReproducible builds a second time: in another directory, under another
// umask and time zone, with all of picday compiled anew, and compares what is
// in the .deb before it is compressed. "make test-package" compares its bytes,
// and builds without anything that the first build has cached, the standard
// library, the modules and SQLite included, which takes minutes.
func TestReproducible(t *testing.T) {
	needs(t)
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "somewhere/much/deeper")
	must(t, os.MkdirAll(dir, 0o755))
	sh(t, `cd ..; git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || echo "$f"; done' sh | tar -cf - -T - | tar -xf - -C "$1"; rm -f "$1"/.git`, dir)
	epoch := strings.TrimSpace(sh(t, "git log -1 --format=%ct"))
	more, bytesOf := []string{"GOCACHE=" + t.TempDir()}, func(file string) string { return sh(t, `sha256sum <"$1"`, file) }
	if os.Getenv("PICDAY_PACKAGE") != "must" {
		more = []string{"COMPRESSION=zstd"}
		bytesOf = func(file string) string {
			if strings.HasSuffix(file, ".rpm") {
				return sh(t, `sha256sum <"$1"`, file)
			}
			return sh(t, `for part in ctrl fsys; do dpkg-deb --$part-tarfile "$1" | sha256sum; done`, file)
		}
		// To the cache a longer comment is another source.
		sh(t, `find "$1" -name '*.go' -exec sh -c 'for f; do echo "// Compiled anew." >>"$f"; done' sh {} +`, dir)
	}
	env := append(more, "SOURCE_DATE_EPOCH="+epoch, "UMASK=077", "TZ=Pacific/Auckland")
	again := buildIn(t, dir, "deb rpm", shipped, filepath.Join(dir, "dist"), env...)
	for i, kind := range []string{"deb", "rpm"} {
		if first, second := bytesOf(build(t, kind, shipped)), bytesOf(again[i]); first != second {
			t.Errorf("two builds of one source make different packages: .%s\n%s%s", kind, first, second)
		}
	}
}

// Piuparts installs, upgrades, removes and purges in a chroot in which no
// systemd runs, and looks for what is left behind.
func TestPiuparts(t *testing.T) {
	needs(t)
	have(t, "piuparts")
	t.Parallel()
	for _, suite := range suites[:2] {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			// What is left over after purging is an error.
			out, err := exec.Command("piuparts", "--existing-chroot="+rootOf(t, suite), "--distribution="+suite,
				"--mirror="+debianMirror(t), "--no-eatmydata",
				// debconf's own, of which a piuparts of Debian 12 does not know.
				"--ignore-regex=.*/debconf/tmp[.]ci.*", build(t, "deb", shipped)).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, tail(out, 60))
			}
		})
	}
}

// The .rpm has the same files; nobody here can install one.
func TestRPM(t *testing.T) {
	needs(t)
	t.Parallel()
	have(t, "rpm")
	deb, rpm := build(t, "deb", shipped), build(t, "rpm", shipped)
	inDeb := strings.Fields(sh(t, `dpkg-deb -c "$1" | awk '!/\/$/ {sub("^\\.", "", $6); print $6}' | grep -v lintian | sort`, deb))
	inRPM := strings.Fields(sh(t, `rpm -qpl "$1" | sort`, rpm))
	if strings.Join(inDeb, "\n") != strings.Join(inRPM, "\n") {
		t.Errorf("the .deb has %q, the .rpm %q", inDeb, inRPM)
	}
	if scripts := sh(t, `rpm -qp --scripts "$1"`, rpm); !strings.Contains(scripts, "picday close") {
		t.Errorf("the .rpm does not lock accounts out:\n%s", scripts)
	}
}

// The scripts run under any sh, and are short enough to be read.
func TestScriptsAreShell(t *testing.T) {
	files, _ := filepath.Glob("*/*")
	for _, file := range files {
		dir := filepath.Dir(file)
		if dir != "deb" && dir != "rpm" || strings.HasSuffix(file, "overrides") {
			continue
		}
		if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
		text, err := os.ReadFile(file)
		must(t, err)
		if n := bytes.Count(text, []byte("\n")); n > 80 {
			t.Errorf("%s has %d lines", file, n)
		}
	}
}

func tail(text []byte, lines int) []byte {
	all := bytes.SplitAfter(text, []byte("\n"))
	return bytes.Join(all[max(0, len(all)-lines):], nil)
}
