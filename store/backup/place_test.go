package backup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/failure"
)

func TestPlace(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err := errors.Join(err, os.Mkdir(dir+"/disk", 0o755), os.Symlink("disk", dir+"/link"), os.WriteFile(dir+"/file", nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	place := func(name string) (string, error) { return Place(dir+name, "/srv/picday", "/var/lib/picday") }
	for name, want := range map[string]string{"/disk": "/disk", "/disk/new": "/disk/new", "/link": "/disk", "/link/new": "/disk/new"} {
		if got, err := place(name); err != nil || got != dir+want {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
	if _, err := place("/disk/not/there"); !errors.Is(err, fs.ErrNotExist) || !failure.IsUsage(err) || !strings.Contains(err.Error(), "is its disk mounted?") {
		t.Error(err)
	}
	for _, name := range []string{"/file", "/file/x"} {
		if _, err := place(name); err == nil || !failure.IsUsage(err) || err.Error() != dir+name+" is not a directory" {
			t.Error(err)
		}
	}
}

func TestPlaceIsApartFromWhatIsBackedUp(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err := errors.Join(err, os.Mkdir(dir+"/disk", 0o755), os.Symlink("disk", dir+"/link")); err != nil {
		t.Fatal(err)
	}
	for other, want := range map[string]bool{"/disk": true, "/link": true, "": true, "/disk/new/deep": true, "/disk/newer": false, "/elsewhere": false} {
		for _, key := range []string{"upload_dir", "data_dir"} {
			own := map[string]string{"upload_dir": "/srv/picday", "data_dir": "/var/lib/picday", key: dir + other}
			_, err := Place(dir+"/disk/new", own["upload_dir"], own["data_dir"])
			if failure.IsRefusal(err) != want || want && !strings.Contains(err.Error(), "/disk/new and "+key+" ") {
				t.Errorf("%s %s: %v", key, other, err)
			}
		}
	}
}
