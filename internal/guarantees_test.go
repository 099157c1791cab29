package internal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile("`(Test[A-Z]\\w*)`")
	testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
)

// Each guarantee in ARCHITECTURE.md ends with the names of the tests that hold it, and they
// are there.
func TestEachGuaranteeNamesItsTest(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Guaranteed, and not\n")
	section, _, _ = strings.Cut(section, "\n## ")
	tests := map[string]bool{}
	for _, pattern := range []string{"*/*_test.go", "*/*/*_test.go", "*/*/*/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			code, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range testFunc.FindAllSubmatch(code, -1) {
				tests[string(m[1])] = true
			}
		}
	}
	n := 0
	for _, guarantee := range strings.Split(section, "\n- ")[1:] {
		if guarantee = strings.TrimSpace(guarantee); strings.HasPrefix(guarantee, "Not: ") {
			continue
		}
		n++
		names := testName.FindAllStringSubmatch(guarantee, -1)
		if len(names) == 0 || !strings.HasSuffix(guarantee, "`).") {
			t.Errorf("ends with no test: %s", guarantee)
		}
		for _, name := range names {
			if !tests[name[1]] {
				t.Errorf("there is no %s: %s", name[1], guarantee)
			}
		}
	}
	if n < 5 {
		t.Errorf("%d guarantees: this test cannot see", n)
	}
}
