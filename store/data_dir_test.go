package store

import (
	"os"
	"path/filepath"
	"testing"
)

// Only the owner can open the lock file. A member of picday's group could otherwise lock
// it, and the daemon could not start.
func TestOnlyTheOwnerCanTakeTheLock(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "picdayd.lock"), nil, 0o640); err != nil { // with the mode that earlier versions gave it
		t.Fatal(err)
	}
	unlock, err := LockDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if fi, err := os.Stat(filepath.Join(dir, "picdayd.lock")); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi.Mode(), err)
	}
}
