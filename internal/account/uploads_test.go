package account

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

// A picture goes back where it was, into the folder of a planned or an active
// job, and never through a link that the uploader has put in its way.
func TestRestoreFile(t *testing.T) {
	s := initWorld(t)
	ctx := t.Context()
	acme := store.Account{Name: "acme", Layout: layout.Jobs, Enabled: true}
	_, err := s.Add(ctx, Spec{Account: acme, Password: "pass word"}, nil)
	must(t, err)
	_, err = s.AddJob("acme", "job1")
	must(t, err)
	picture := func(to io.Writer) error {
		_, err := to.Write([]byte("picture"))
		return err
	}

	back := func(path, at string) {
		t.Helper()
		fi, err := s.RestoreFile(acme, path, picture)
		must(t, err)
		text, err := os.ReadFile(at)
		must(t, err)
		now, err := os.Lstat(at)
		must(t, err)
		u, err := lookupUser("acme")
		must(t, err)
		for _, p := range []string{at, filepath.Dir(at)} {
			dir, err := os.Lstat(p)
			must(t, err)
			if uid, _ := owner(dir); uid != u.uid {
				t.Errorf("%s belongs to %d", p, uid)
			}
		}
		if string(text) != "picture" || !os.SameFile(fi, now) {
			t.Errorf("%s is %q", at, text)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(at), ".picday*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
	refusedAt := func(path string) {
		t.Helper()
		if _, err := s.RestoreFile(acme, path, picture); !errors.Is(err, ErrRefused) && !errors.Is(err, ErrNoAccount) {
			t.Errorf("%s: %v", path, err)
		}
	}
	job := s.JobDir("acme", "job1")
	back("job1/A/group/1.jpg", job+"/A/group/1.jpg")
	refusedAt("job1/A/group/1.jpg")
	must(t, os.Symlink("..", job+"/B"))
	must(t, os.Symlink("A", job+"/C"))
	// What turns out to be wrong while it is copied leaves nothing behind.
	rotten := errors.New("rotten")
	if _, err := s.RestoreFile(acme, "job1/A/3.jpg", func(to io.Writer) error { return errors.Join(picture(to), rotten) }); !errors.Is(err, rotten) {
		t.Errorf("a rotten picture: %v", err)
	}
	if left, _ := os.ReadDir(job + "/A"); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
	refusedAt("job1/B/1.jpg")
	refusedAt("job1/B/C/1.jpg")
	refusedAt("job1/C/1.jpg")
	refusedAt("job1/A/group/1.jpg/2.jpg")
	refusedAt("job2/A/1.jpg")
	if names, _ := filepath.Glob(s.Base("acme") + "/*"); len(names) != 1 {
		t.Errorf("in the root of the view: %v", names)
	}
	_, err = s.HideJob("acme", "job1")
	must(t, err)
	back("job1/A/2.jpg", s.HiddenJobDir("acme", "job1")+"/A/2.jpg")
	if exists(job) {
		t.Error("an active job's folder is visible")
	}
}

// A kept account gets its files back although somebody else has its number now.
func TestKeptPortraitsComeBack(t *testing.T) {
	s := initWorld(t)
	ctx := t.Context()
	school := store.Account{Name: "school", Layout: layout.Portraits, Enabled: true}
	_, err := s.Add(ctx, Spec{Account: school, Password: "pass word"}, nil)
	must(t, err)
	old, err := lookupUser("school")
	must(t, err)
	pic := s.Base("school") + "/school/user-pictures/12.jpg"
	must(t, os.WriteFile(pic, []byte("picture"), 0o600))
	must(t, os.Chown(pic, old.uid, old.gid))
	_, err = s.Remove(ctx, school, nil, false)
	must(t, err)
	sys(t, "useradd", "--no-create-home", "--uid", fmt.Sprint(old.uid), "taker")
	_, err = s.Add(ctx, Spec{Account: school, Password: "pass word"}, nil)
	must(t, err)
	now, err := lookupUser("school")
	must(t, err)
	for _, p := range []string{pic, filepath.Dir(pic)} {
		fi, err := os.Lstat(p)
		must(t, err)
		if uid, gid := owner(fi); uid != now.uid || gid != now.gid || uid == old.uid {
			t.Errorf("%s belongs to %d:%d, the account is %d", p, uid, gid, now.uid)
		}
	}
}
