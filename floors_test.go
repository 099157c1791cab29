// Package picday_test holds the building to its plan: imports go down only,
// siblings do not know each other, and no file grows into a second idea.
package picday_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors, from the top down. A package may import packages of lower floors
// only; internal/ is below everything except that its test helpers (testbed)
// stand outside the building.
var floors = [][]string{
	{"cmd/picday", "cmd/picdayd"},
	{"watcher", "ingest", "account", "decoder", "web"}, // siblings: only cmd joins them
	{"contract"},
	{"store"},
	{"photo", "layout"},
	{"internal/manual"},
	{"internal/config", "internal/control", "internal/durable", "internal/fsuid", "internal/shell", "internal/turns", "internal/version", "internal/volume"},
	{"internal/zone"},
}

// outside are helpers for tests, demo and benches; nothing that ships may
// import them.
var outside = []string{"internal/testbed", "internal/testphoto", "store/storetest", "test", "bench", "demo/photos", "packaging"}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	return strings.Fields(string(out))
}

func floorOf(pkg string) int {
	return slices.IndexFunc(floors, func(floor []string) bool { return slices.Contains(floor, pkg) })
}

func TestImportsGoDown(t *testing.T) {
	for _, pkg := range goList(t, "./...") {
		pkg = strings.TrimPrefix(pkg, "picday/")
		if pkg == "picday" || slices.Contains(outside, pkg) {
			continue
		}
		from := floorOf(pkg)
		if from < 0 {
			t.Errorf("%s has no floor: give it one in floors_test.go and ARCHITECTURE.md", pkg)
			continue
		}
		for _, imp := range goList(t, "-f", `{{join .Imports "\n"}}`, "./"+pkg) {
			imp, ours := strings.CutPrefix(imp, "picday/")
			if !ours {
				continue
			}
			if to := floorOf(imp); to <= from {
				t.Errorf("%s imports %s, which is not on a lower floor", pkg, imp)
			}
		}
	}
}

// The daemon is exposed to what strangers upload; it must not even contain
// the code that makes Unix accounts.
func TestDaemonCannotMakeAccounts(t *testing.T) {
	if slices.Contains(goList(t, "-deps", "./cmd/picdayd"), "picday/account") {
		t.Error("cmd/picdayd links picday/account")
	}
}

func TestFilesStaySmall(t *testing.T) {
	const limit = 400 // lines; a longer file usually has a second idea in it
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if n := bytes.Count(text, []byte{'\n'}); n > limit {
			t.Errorf("%s has %d lines, more than %d", path, n, limit)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
