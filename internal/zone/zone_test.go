package zone

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLoad(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "UTC", "America/Argentina/Ushuaia", "Asia/Kathmandu"} {
		for range 2 {
			if l, err := Load(name); err != nil || l.String() != name {
				t.Errorf("%s: %v %v", name, l, err)
			}
		}
	}
	for _, name := range []string{"", "Local", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "Europe", "+02:00", "CEST", "Europe/Berlin\n", "a\x00b"} {
		if l, err := Load(name); err == nil {
			t.Errorf("%q: %v", name, l)
		}
	}
}

func TestMachine(t *testing.T) {
	if got := machine(t.TempDir()); got != UTC {
		t.Error(got)
	}
	for _, c := range []struct{ link, text, want string }{
		{"/usr/share/zoneinfo/Europe/Berlin", "Asia/Tokyo\n", "Europe/Berlin"},
		{"../usr/share/zoneinfo/Etc/UTC", "", "Etc/UTC"},
		{"/usr/share/zoneinfo/localtime", "Asia/Tokyo\n", "Asia/Tokyo"},
		{"/elsewhere", "nonsense", UTC},
	} {
		etc := t.TempDir()
		if err := os.Symlink(c.link, filepath.Join(etc, "localtime")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(etc, "timezone"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := machine(etc); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
