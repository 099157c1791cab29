package packaging_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"picday/internal/test/bed"
)

// Two versions of the package. The first is packed as it ships. The next one is
// packed faster, and so is unpacked faster; it is what the first is upgraded to,
// and what those tests install for which the packing makes no difference.
const (
	shipped = "1.0"
	next    = "2.0"
)

var built struct {
	sync.Mutex
	files map[string]string
	dir   string
}

// More machines run at once than there are cores: what takes long in them is
// waiting for systemd, dpkg and sshd.
func TestMain(m *testing.M) {
	bed.StepBack()
	flag.Parse()
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "test.parallel" })
	if !explicit {
		_ = flag.Set("test.parallel", strconv.Itoa(4*runtime.NumCPU()))
	}
	status := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// build makes the package of a version, once. The one that is packed fast comes
// first, because most tests wait for it.
func build(t *testing.T, kind, version string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "picday-packages-")
		must(t, err)
		built.dir, built.files = dir, map[string]string{}
		built.files["deb"+next] = buildIn(t, "..", "deb", next, filepath.Join(dir, next), "COMPRESSION=zstd")[0]
	}
	if built.files[kind+version] == "" {
		both := buildIn(t, "..", "deb rpm", version, filepath.Join(built.dir, version))
		built.files["deb"+version], built.files["rpm"+version] = both[0], both[1]
	}
	return built.files[kind+version]
}

// buildIn runs the build of a checkout, with more in its environment, and
// returns the package of each kind.
func buildIn(t *testing.T, checkout, kinds, version, out string, env ...string) []string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `umask "$UMASK"; exec packaging/build.sh "$1" "$2"`, "sh", kinds, out)
	cmd.Dir = checkout
	cmd.Env = append(append(os.Environ(), "VERSION="+version, "UMASK=022"), env...)
	var said strings.Builder
	cmd.Stderr = &said
	names, err := cmd.Output()
	if err != nil {
		t.Fatalf("packaging/build.sh: %v\n%s%s", err, names, said.String())
	}
	return strings.Fields(string(names))
}
