package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// spectral is the linter of API descriptions, of the version that was looked at.
const spectral = "@stoplight/spectral-cli@6.16.3"

// The API's description has nothing that its linter warns of.
func TestTheLinterHasNothingToSay(t *testing.T) {
	t.Parallel()
	bed.Need(t, "npm", "npm, or nodejs from elsewhere")
	cmd := exec.Command("npm", "exec", "--yes", "--ignore-scripts", "--package="+spectral, "--",
		"spectral", "lint", "--fail-severity=hint", "--ruleset=apiclient/.spectral.yaml", "../internal/web/openapi.json")
	cmd.Env = append(os.Environ(), "npm_config_update_notifier=false")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "No results with a severity of 'hint' or higher found") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A client that a generator makes of the description compiles, and lists photos.
func TestAGeneratedClient(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	token := s.token("shop")
	s.uploadAndWait(u, pictures(u)+"12.jpg")
	s.uploadAndWait(u, pictures(u)+"13.jpg")
	dir := t.TempDir()
	s.must(os.CopyFS(dir, os.DirFS("apiclient")))
	spec, err := filepath.Abs("../internal/web/openapi.json")
	s.must(err)
	for _, args := range [][]string{
		{"tool", "oapi-codegen", "-package", "main", "-generate", "types,client", "-o", "client.go", spec},
		{"build", "-o", "list", "."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}
	out, err := exec.Command(filepath.Join(dir, "list"), "http://"+s.Admin, token).CombinedOutput()
	listed := s.photos(u)
	for _, file := range []string{"12.jpg", "13.jpg"} {
		p := listed[strings.TrimPrefix(pictures(u), "/")+file]
		if want := p.Path + " " + p.Renditions[0].SHA256; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("the client lists %v\n%s\nwithout %s", err, out, want)
		}
	}
}
