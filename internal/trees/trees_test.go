package trees

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

func TestWhereAPathBegins(t *testing.T) {
	d := Dir(t.TempDir())
	for _, dir := range []string{d.Job("acme", "planned"), d.ActiveJob("acme", "active"), d.Job("acme", "both"), d.ActiveJob("acme", "both"), d.ActiveJob("lincoln", "lincoln")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	acme, lincoln := store.Account{Name: "acme", Layout: layout.Jobs}, store.Account{Name: "lincoln", Layout: layout.Portraits}
	for _, c := range []struct {
		acct store.Account
		path string
		want string
	}{
		{acme, "planned/A/x.jpg", d.Base("acme")},
		{acme, "active/A/x.jpg", d.ActiveBase("acme")},
		{acme, "active", d.ActiveBase("acme")},
		{acme, "both/A/x.jpg", d.Base("acme")},
		{acme, "neither/A/x.jpg", d.Base("acme")},
		{lincoln, "lincoln/user-pictures/12.jpg", d.Base("lincoln")},
	} {
		if got := d.Of(c.acct, c.path); got != c.want {
			t.Errorf("%s %s: %s", c.acct.Name, c.path, got)
		}
	}
}

func TestMoveReplacesNothing(t *testing.T) {
	d := t.TempDir()
	from, to := filepath.Join(d, "from"), filepath.Join(d, "to")
	for _, dir := range []string{from, to} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := Move(from, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over an empty directory: %v", err)
	}
	if err := os.Remove(to); err != nil {
		t.Fatal(err)
	}
	if err := Move(from, to); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(to); err != nil {
		t.Error(err)
	}
	if err := Move(from, to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a second time: %v", err)
	}
}
