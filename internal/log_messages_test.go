package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// composed are the documented messages that the code puts together.
var composed = []string{
	"its Unix user is not in the group picday-sftp",
	"a program has been reading the catalogue since …",
	"http: panic serving …",
	"published pictures are served, and nothing else is done, because the catalogue cannot be written: …",
	"nothing is served and nothing is taken in: …",
}

// composedCalls is how many calls log them.
const composedCalls = 4

// logMessage returns the literal message of a call of zerolog's Msg at the level warn or
// error; composed tells that it is not a literal.
func logMessage(call *ast.CallExpr) (message string, composed, found bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Msg" || len(call.Args) != 1 {
		return "", false, false
	}
	for chain := sel.X; ; {
		link, ok := chain.(*ast.CallExpr)
		if !ok {
			return "", false, false
		}
		if sel, ok = link.Fun.(*ast.SelectorExpr); !ok {
			return "", false, false
		}
		if name := sel.Sel.Name; (name == "Warn" || name == "Error") && len(link.Args) == 0 {
			break
		}
		chain = sel.X
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", true, true
	}
	message, err := strconv.Unquote(lit.Value)
	return message, false, err == nil
}

// Each warning and error that picdayd logs is explained in docs/log-messages.md, and
// nothing else is.
func TestLogMessagesAreExplained(t *testing.T) {
	logged := map[string]string{}
	assembled := 0
	for _, root := range []string{"watcher", "ingest", "store", "internal", "cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if path == "internal/test" {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					switch message, composed, found := logMessage(call); {
					case composed:
						assembled++
					case found:
						logged[message] = path
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(logged) < 40 || assembled != composedCalls {
		t.Errorf("found %d messages and %d that are not literals, want %d of those: add what they say to composed", len(logged), assembled, composedCalls)
	}
	page, err := os.ReadFile("docs/log-messages.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := slices.Clone(composed)
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*?)` \\|").FindAllStringSubmatch(string(page), -1) {
		if _, ok := logged[row[1]]; !ok && !slices.Contains(composed, row[1]) {
			t.Errorf("docs/log-messages.md explains %q, which is not logged as a warning or an error", row[1])
		}
		explained = append(explained, row[1])
	}
	for message, path := range logged {
		if !slices.Contains(explained, message) {
			t.Errorf("%s logs %q, which docs/log-messages.md does not explain", path, message)
		}
	}
	for _, message := range composed {
		if !strings.Contains(string(page), "| `"+message+"` |") {
			t.Errorf("docs/log-messages.md does not explain %q", message)
		}
	}
}
