package bed

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// ManualPage requires that man and mandoc show the source of a manual page without
// warnings. It returns the text that is shown, with single spaces.
func ManualPage(t testing.TB, page []byte) string {
	t.Helper()
	Need(t, "man", "man-db")
	Need(t, "mandoc", "mandoc")
	file := t.TempDir() + "/page"
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mandoc", "-Tlint", "-Wwarning", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("mandoc: %v\n%s", err, out)
	}
	man := exec.Command("man", "--warnings", "-l", file)
	man.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=1000", "MANOPT=--nh --nj", "MANPAGER=cat")
	var text, complaints strings.Builder
	man.Stdout, man.Stderr = &text, &complaints
	if err := man.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("man: %v\n%s", err, complaints.String())
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// ExitStatuses are the constants of a file whose names begin with exit, or Exit.
func ExitStatuses(t testing.TB, file string) map[string]int {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(strings.ToLower(v.Names[0].Name), "exit") && len(v.Values) == 1 {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				found[v.Names[0].Name], _ = strconv.Atoi(lit.Value)
			}
		}
		return true
	})
	return found
}
