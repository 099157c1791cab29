// Package internal_test checks the architecture: a package imports packages of
// lower floors only, siblings do not import each other, and no file gets long.
package internal_test

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
// only.
var floors = [][]string{
	{"cmd/picday", "cmd/picdayd"},
	{"internal/roothelper"}, // an engine of cmd/picday that joins others
	{"internal/doctor", "internal/explain", "internal/importer", "internal/mirror", "internal/provision", "internal/rebuild", "internal/restore", "internal/setup", "internal/tables", "internal/trash", "internal/verify"}, // engines of cmd/picday
	{"internal/accountlist", "internal/readonly", "internal/receipts", "internal/status"},                                                                                                                   // engines of cmd/picdayd
	{"watcher", "ingest", "internal/account", "internal/activation", "internal/decoder", "internal/health", "internal/jailgroup", "internal/notify", "internal/preview", "internal/upkeep", "internal/web"}, // siblings: only the floors above join them
	{"internal/people"}, // of cmd/picday and of picdayd's pages
	{"store/backup", "internal/completion", "internal/contract", "internal/filestate", "internal/trees"},
	{"store"},
	{"store/pictures", "internal/photo", "internal/layout"},
	{"internal/language", "internal/manual", "internal/cardsheet", "internal/export", "internal/roster"},
	{"internal/bytesize", "internal/codes", "internal/config", "internal/control", "internal/durable", "internal/failure", "internal/fsuid", "internal/localtime", "internal/names", "internal/qr", "internal/series", "internal/shell", "internal/terminal", "internal/turns", "internal/upload", "internal/version"},
	{"internal/areas", "internal/helper", "internal/rendition", "internal/zone"},
}

// outside are tests, benchmarks and their helpers; nothing that ships may
// import them.
var outside = []string{"internal", "internal/test/bed", "internal/test/photo", "internal/test/catalogues", "internal/test/faults", "internal/test/uploads", "internal/test/receivers", "test", "test/bench", "test/demo/photos", "test/demo/screenshots", "packaging"}

// TestMain runs the tests at the top of the repository.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	m.Run()
}

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
		if slices.Contains(outside, pkg) {
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

// picdayd works on what strangers upload, so it must not contain the code that
// makes Unix accounts.
func TestDaemonCannotMakeAccounts(t *testing.T) {
	if slices.Contains(goList(t, "-deps", "./cmd/picdayd"), "picday/internal/account") {
		t.Error("cmd/picdayd links internal/account")
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
