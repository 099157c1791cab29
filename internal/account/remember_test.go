package account

import (
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// userFiles are what the programs of the package passwd change.
var userFiles = []string{passwdFile, shadowFile, groupFile, "/etc/gshadow", "/etc/subuid", "/etc/subgid"}

var userPrograms = []string{"useradd", "usermod", "userdel", "groupadd", "groupdel", "chage", "chpasswd"}

// An answer is what a program printed, and what it left in the files that it may change.
type answer struct {
	Text  string
	Files map[string][]byte
}

// remembering is runCommand for worlds that are made again and again, and for the tests
// that fail or kill one change at each of its places. To get to a place a change asks sshd
// and changes users as it did on the way to the place before. What a program did with the
// same files is taken from there, in all processes of the tests. A program that fails is
// run anew, and so is every one with PICDAY_TORTURE=1.
func remembering(ctx context.Context, stdin, name string, args ...string) (string, error) {
	question := name == "sshd" && (slices.Contains(args, "-t") || slices.Contains(args, "-T"))
	changes := slices.Contains(userPrograms, name)
	if !question && !changes || os.Getenv("PICDAY_TORTURE") != "" {
		return runCommand(ctx, stdin, name, args...)
	}
	var before map[string][]byte
	var err error
	if changes {
		before, err = readAll("/etc/login.defs", "/etc/default/useradd")
	} else {
		before, err = readAll("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*")
	}
	users, uerr := readAll(userFiles...)
	if err := errors.Join(err, uerr); err != nil {
		return "", err
	}
	if question { // it knows no passwords
		delete(users, shadowFile)
		delete(users, "/etc/gshadow")
	}
	path := "/run/answers/" + hashOf(name, args, stdin, before, users)
	var a answer
	if f, err := os.Open(path); err == nil {
		defer f.Close()
		if err := gob.NewDecoder(f).Decode(&a); err != nil {
			return "", err
		}
		return a.Text, a.lay(users)
	}
	if a.Text, err = runCommand(ctx, stdin, name, args...); err != nil {
		return a.Text, err
	}
	if changes {
		if a.Files, err = readAll(userFiles...); err != nil {
			return "", err
		}
	}
	return a.Text, a.save(path)
}

func (a answer) save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	if err := errors.Join(gob.NewEncoder(f).Encode(a), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// lay writes the files that are not as they were after the program. Like the programs it
// makes new ones.
func (a answer) lay(now map[string][]byte) error {
	for name, text := range a.Files {
		if string(now[name]) == string(text) {
			continue
		}
		fi, err := os.Stat(name)
		if err != nil {
			return err
		}
		uid, gid := owner(fi)
		laid := name + ".laid"
		if err := errors.Join(os.WriteFile(laid, text, 0o600), os.Chown(laid, uid, gid), os.Chmod(laid, fi.Mode()), os.Rename(laid, name)); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads the regular files that patterns match.
func readAll(patterns ...string) (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if fi, err := os.Stat(name); err != nil || !fi.Mode().IsRegular() {
				continue
			}
			text, err := os.ReadFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all[name] = text
		}
	}
	return all, nil
}

func hashOf(parts ...any) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%q\n", part) // maps are printed in the order of their keys
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// TestRememberedUsers: a program whose work is taken from memory leaves the files as the
// program itself has left them.
func TestRememberedUsers(t *testing.T) {
	s := newWorld(t)
	s.run = remembering
	var ways [2]string
	for i := range ways {
		must(t, freshEtc())
		_, err := s.Init(t.Context())
		must(t, err)
		for _, c := range [][]string{
			{"useradd", "-g", JailGroup, "acme"}, {"usermod", "--expiredate", "1", "acme"}, {"groupadd", "more"}, {"usermod", "-aG", "more", "acme"}, {"groupdel", "more"},
		} {
			_, err := s.run(t.Context(), "", c[0], c[1:]...)
			must(t, err)
		}
		_, err = s.run(t.Context(), "acme:some-password\n", "chpasswd")
		must(t, err)
		ways[i] = snapshot(t)
	}
	if ways[0] != ways[1] { // a password is never hashed twice alike
		t.Error(differences(ways[0], ways[1]))
	}
	for _, name := range userFiles {
		if _, err := os.Stat(name + ".laid"); err == nil {
			t.Errorf("%s.laid stays", name)
		}
	}
}
