package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestVersion takes a repository from a release to the next one.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "packaging"), 0o755))
	for _, script := range []string{"version.sh", "release.sh"} {
		text, err := os.ReadFile(script)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, "packaging", script), text, 0o755))
	}
	must(t, os.WriteFile(filepath.Join(dir, "packaging", "build.sh"), []byte("#!/bin/sh\nfor kind in $1; do echo built $kind \"$(packaging/version.sh)\"; done\n"), 0o755))
	changelog := func(text string) {
		must(t, os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte("# Changes\n\n"+text), 0o644))
	}
	run := func(name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-11-28T18:15:42Z")
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	done := func(name string, args ...string) string {
		t.Helper()
		out, err := run(name, args...)
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return out
	}
	version := func(want string) {
		t.Helper()
		if got := done("packaging/version.sh"); got != want {
			t.Errorf("version %q, want %q", got, want)
		}
	}
	refused := func(number, word string) {
		t.Helper()
		if out, err := run("packaging/release.sh", number); err == nil || !strings.Contains(out, word) {
			t.Errorf("release %s: %v, %q; want it refused with %q", number, err, out, word)
		}
	}
	commit := func() (suffix string) {
		t.Helper()
		done("git", "add", "-A")
		done("git", "commit", "-q", "--allow-empty", "-m", "Change something")
		return "+20261128181542." + done("git", "rev-parse", "--short=10", "HEAD")
	}

	changelog("## 1.0.0 (2026-11-28)\n\n- The first.\n")
	version("1.0.0") // an archive without git
	done("git", "init", "-q")
	first := commit()
	version("1.0.0")
	changelog("## 1.0.0 (2026-11-28)\n\n- The first, changed.\n")
	version("1.0.0" + first)
	refused("1.0.0", "git status")
	done("git", "checkout", "-q", ".")
	if out := done("packaging/release.sh", "1.0.0"); !strings.Contains(out, "built deb 1.0.0\nbuilt rpm 1.0.0") {
		t.Errorf("the first release: %s", out)
	}
	version("1.0.0" + commit()) // no longer what the tag names
	refused("1.1.0", "Unreleased")
	changelog("## Unreleased\n\n- A second thing.\n\n## 1.0.0 (2026-11-28)\n\n- The first.\n")
	version("1.0.0" + commit())
	for number, word := range map[string]string{"1.0.0": "already", "0.9.0": "higher", "1.1": "three numbers", "v1.1.0": "three numbers", "": "three numbers"} {
		refused(number, word)
	}
	if out := done("packaging/release.sh", "1.1.0"); !strings.Contains(out, "built deb 1.1.0\nbuilt rpm 1.1.0") {
		t.Errorf("the second release: %s", out)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "CHANGELOG.md")); !strings.HasPrefix(string(text), "# Changes\n\n## 1.1.0 (2") {
		t.Errorf("the changelog after the release:\n%s", text)
	}
	if tags := done("git", "tag"); tags != "v1.0.0\nv1.1.0" {
		t.Errorf("tags %q", tags)
	}
}
