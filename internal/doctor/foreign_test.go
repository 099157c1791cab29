package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

func TestFilesOfSomebodyElseAreNamedWithTheFix(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"acme/job 1/A", ".active/acme/job2", "lincoln/lincoln/user-pictures"} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "acme/job 1/A/x.jpg"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	accounts := []store.Account{{Name: "acme", Layout: layout.Jobs}, {Name: "lincoln", Layout: layout.Portraits}}
	examine := func(owner int) *examination {
		x := &examination{Doctor: &Doctor{Machine: &machine{owner: owner}}}
		x.cfg.UploadDir = dir
		x.foreign(t.Context(), accounts)
		return x
	}
	if x := examine(os.Getuid()); len(x.findings) != 1 || x.findings[0].Status != "ok" {
		t.Errorf("%+v", x.findings)
	}
	x := examine(os.Getuid() + 1)
	if len(x.findings) != 2 {
		t.Fatalf("%+v", x.findings)
	}
	acme := x.findings[0]
	if acme.Status != "warn" || !strings.HasPrefix(acme.Message, "4 files or folders") || !strings.Contains(acme.Message, dir+"/acme/job 1/A/x.jpg") ||
		acme.Fix != "sudo chown -hR acme: '"+dir+"/acme/job 1' "+dir+"/.active/acme/job2" {
		t.Errorf("%+v", acme)
	}
}
