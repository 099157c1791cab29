package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the pages may is not read from a file that anybody but root can change, nor by a way
// that leads through a directory that others can change.
func TestLoadRootOwned(t *testing.T) {
	if os.Getuid() != 0 {
		name := filepath.Join(t.TempDir(), "picday.toml")
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadRootOwned(name); err == nil {
			t.Error("taken from a file that is not root's")
		}
		return
	}
	dir, err := os.MkdirTemp("/run", "picday-config-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(dir, 0o755))
	name := filepath.Join(dir, "picday.toml")
	must(os.WriteFile(name, []byte("[web]\nmay = [\"job.add\"]\n"), 0o644))
	if c, err := LoadRootOwned(name); err != nil || len(c.Web.May) != 1 {
		t.Fatalf("%v, %v", c.Web.May, err)
	}
	refused := func(what, why, name string) {
		t.Helper()
		if _, err := LoadRootOwned(name); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(os.Chmod(name, 0o664))
	refused("a file that a group can write", "chmod go-w", name)
	must(os.Chmod(name, 0o644))
	must(os.Chown(name, 1, 0))
	refused("a file of somebody else's", "chown root", name)
	must(os.Chown(name, 0, 0))
	must(os.Chmod(dir, 0o777))
	refused("a directory that all can write", "chmod go-w", name)
	must(os.Chmod(dir, 0o755))
	must(os.Mkdir(dir+"/theirs", 0o755))
	must(os.Symlink(name, dir+"/theirs/picday.toml"))
	must(os.Chown(dir+"/theirs", 1, 0))
	refused("a link of somebody else's", "chown root", dir+"/theirs/picday.toml")
	refused("no file", "no such file", dir+"/nothing")
}

func TestMayListsVerbs(t *testing.T) {
	if _, err := Parse([]byte("[web]\nmay = [\"job.add\", \"account.remove\"]\n")); err == nil || !strings.Contains(err.Error(), "account.remove") {
		t.Error(err)
	}
}
