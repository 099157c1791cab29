package store

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The daemon and root's tool are two processes. The test binary runs itself as either.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PICDAY_TEST_CATALOGUE"); dir != "" {
		if err := hammer(dir, os.Getenv("PICDAY_TEST_NAME")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if faults := judge(); code == 0 && len(faults) > 0 {
		fmt.Println(strings.Join(faults, "\n"))
		code = 1
	}
	os.Exit(code)
}

// hammer makes 100 transactions, each reading what it then changes.
func hammer(dir, name string) error {
	ctx := context.Background()
	s, _, err := Create(ctx, dir)
	if err != nil {
		return err
	}
	defer s.Close()
	for range 100 {
		if err := s.Update(ctx, func(tx *Tx) error {
			var n int
			if err := tx.queryRow(`SELECT count(*) FROM meta WHERE key <> 'changed'`).Scan(&n); err != nil {
				return err
			}
			_, err := tx.exec(`INSERT INTO meta VALUES (?, ?)`, fmt.Sprint(n), name)
			return err
		}); err != nil {
			return err
		}
		if _, err := s.Version(ctx); err != nil {
			return err
		}
	}
	return nil
}

func process(t *testing.T, dir, name string, uid uint32) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "PICDAY_TEST_CATALOGUE="+dir, "PICDAY_TEST_NAME="+name)
	if uid != 0 {
		// The user uid cannot reach the directory of the test binary.
		file, err := os.Open(exe)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		cmd.Path, cmd.ExtraFiles = "/proc/self/fd/3", []*os.File{file}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	return cmd
}

// All processes start at once without a catalogue; one of them makes the key and schema.
func TestProcessesShareACatalogue(t *testing.T) {
	dir := t.TempDir()
	var all []*exec.Cmd
	outs := map[*exec.Cmd]*strings.Builder{}
	for _, name := range []string{"daemon", "tool", "another"} {
		cmd := process(t, dir, name, 0)
		outs[cmd] = &strings.Builder{}
		cmd.Stdout = outs[cmd]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, outs[cmd])
		}
	}
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := s.noted(t); n != 300 {
		t.Errorf("%d of 300", n)
	}
	if err := s.QuickCheck(t.Context()); err != nil {
		t.Error(err)
	}
}

// The daemon can use what root has made, whichever of them starts first.
func TestRootAndDaemonInBothOrders(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	const nobody = 65534
	for _, order := range [][]uint32{{0, nobody, 0}, {nobody, 0, nobody}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			base, err := os.MkdirTemp("", "picday-store-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(base)
			dir := filepath.Join(base, "data")
			if err := os.Chmod(base, 0o711); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			// Keep a connection open, so that SQLite never deletes -wal and -shm.
			first, _, err := Create(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if order[0] == nobody {
				first.Close()
			} else {
				defer first.Close()
			}
			for _, uid := range order {
				if out, err := process(t, dir, "x", uid).CombinedOutput(); err != nil {
					t.Fatalf("as %d: %v\n%s", uid, err, out)
				}
			}
			names, _ := filepath.Glob(filepath.Join(dir, "*"))
			for _, name := range names {
				fi, err := os.Lstat(name)
				if err != nil {
					t.Fatal(err)
				}
				if uid := fi.Sys().(*syscall.Stat_t).Uid; uid != nobody {
					t.Errorf("%s belongs to %d", name, uid)
				}
			}
		})
	}
}
