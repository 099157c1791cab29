package internal

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Links between the pages of the documentation lead somewhere, and each page can be reached
// from the README or the index of questions. The README stays short.
func TestDocumentationIsLinked(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("%q %v", pages, err)
	}
	anchor := strings.NewReplacer(" ", "-", ",", "", "?", "", ":", "", "`", "", ".", "", "'", "", "…", "")
	linked := map[string]bool{"docs/questions.md": false}
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md", "packaging/prometheus/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)\s:]+)\)`).FindAllStringSubmatch(string(text), -1) {
			file, section, _ := strings.Cut(m[1], "#")
			to := filepath.Join(filepath.Dir(page), file)
			target, err := os.ReadFile(to)
			if err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
			if page == "README.md" || page == "docs/questions.md" {
				linked[to] = true
			}
			found := section == ""
			for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(target), -1) {
				found = found || anchor.Replace(strings.ToLower(heading[1])) == section
			}
			if !found {
				t.Errorf("%s links to %s: there is no such heading", page, m[1])
			}
		}
	}
	for _, page := range pages {
		if !linked[page] {
			t.Errorf("neither README.md nor docs/questions.md links to %s", page)
		}
	}
	if text, _ := os.ReadFile("README.md"); strings.Count(string(text), "\n") > 120 {
		t.Errorf("README.md has %d lines: what is for later belongs into docs/", strings.Count(string(text), "\n"))
	}
}
