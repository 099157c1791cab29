package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var built struct {
	sync.Mutex
	files map[string]string
	dir   string
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// build makes the package of a version, once.
func build(t *testing.T, kind, version string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if file := built.files[kind+version]; file != "" {
		return file
	}
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "picday-packages-")
		must(t, err)
		built.dir, built.files = dir, map[string]string{}
	}
	file := buildIn(t, "..", kind, version, filepath.Join(built.dir, version))
	built.files[kind+version] = file
	return file
}

// buildIn runs the build of a checkout.
func buildIn(t *testing.T, checkout, kind, version, out string) string {
	t.Helper()
	cmd := exec.Command("packaging/build.sh", kind, out)
	cmd.Dir = checkout
	cmd.Env = append(os.Environ(), "VERSION="+version)
	var said strings.Builder
	cmd.Stderr = &said
	name, err := cmd.Output()
	if err != nil {
		t.Fatalf("packaging/build.sh: %v\n%s%s", err, name, said.String())
	}
	return strings.TrimSpace(string(name))
}
