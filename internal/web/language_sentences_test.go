package web

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"picday/internal/language"
)

// written is where other packages write English sentences that pages show: in which files,
// as which argument of which functions, and whether root's helper makes them a sentence
// with a capital and a full stop.
var written = []struct {
	files    string
	at       map[string]int
	refusals bool
}{
	{files: "../roothelper/*.go", at: map[string]int{"refuse": 1, "Sentence": 0}},
	{files: "../roster/*.go", at: map[string]int{"Errorf": 0, "note": 0}},
	{files: "../export/export.go", at: map[string]int{"Sprintf": 0}},
	{files: "../activation/busy.go", at: map[string]int{"return String": 0}},
	{files: "../activation/activation.go", at: map[string]int{"return Error": 0, "New": 0}},
	{files: "../../cmd/picdayd/jobs.go", at: map[string]int{"Refused": 0}},
	{files: "../status/status.go", at: map[string]int{"Warn": 0, "Text": 0, "atLimit": 1}},
	{files: "../jailgroup/*.go", at: map[string]int{"append": 1}},
	{files: "../account/names.go", at: map[string]int{"invalid": 0, "bad": 0}, refusals: true},
	{files: "../account/keys.go", at: map[string]int{"invalid": 0}, refusals: true},
	{files: "../account/job_folders.go", at: map[string]int{"invalid": 0, "refused": 0}, refusals: true},
	{files: "../provision/job.go", at: map[string]int{"Usagef": 0, "Refusalf": 0}, refusals: true},
	{files: "../provision/login.go", at: map[string]int{"Usagef": 0, "Refusalf": 0, "Errorf": 0}, refusals: true},
	{files: "../../store/upload_volume.go", at: map[string]int{"Errorf": 0}},
	{files: "../../store/room.go", at: map[string]int{"Errorf": 0}},
	{files: "../health/health.go", at: map[string]int{"Errorf": 0}},
}

// notShown are parts of errors without a word for people.
var notShown = regexp.MustCompile(`^(%s|[: %s]*|%s: %s|catalogue: %s|data directory: %s|reserve: %s|starting)\.?$`)

var anyVerb = regexp.MustCompile(`%(\[\d+\])?[a-z.0-9]*[a-z]`)

// TestEverySentenceOfOtherPackagesHasItsGerman: pages recognise it by its English, in
// internal/language/de/sentences.toml.
func TestEverySentenceOfOtherPackagesHasItsGerman(t *testing.T) {
	known := map[string]bool{}
	for _, key := range language.Sentences() {
		known[anyVerb.ReplaceAllString(key, "%s")] = true
	}
	found := 0
	for _, w := range written {
		for _, file := range must(filepath.Glob(w.files)) {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, key := range sentencesIn(must(parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)), w.at) {
				if notShown.MatchString(key) {
					continue
				}
				if found++; w.refusals && !strings.HasPrefix(key, "it") && !strings.HasPrefix(key, "use ") && !strings.HasPrefix(key, "clients ") {
					key = strings.TrimPrefix(key, "--")
					key = strings.ToUpper(key[:1]) + key[1:] + "."
				}
				if !known[key] && !known[strings.TrimPrefix(key, "%s: ")] && !language.Has(key) {
					t.Errorf("%s: %q has no German. Add to internal/language/de/sentences.toml:\n%q = \"…\"", file, key, key)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("this test sees only %d sentences", found)
	}
}

// sentencesIn are the texts that a file gives to the functions, or to the fields or results
// of that name, with %s for what differs.
func sentencesIn(file *ast.File, at map[string]int) (all []string) {
	add := func(e ast.Expr) {
		if text := shape(e); text != "" && !slices.Contains(all, text) && strings.ContainsFunc(text, unicode.IsLetter) {
			all = append(all, text)
		}
	}
	method := ""
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			method = n.Name.Name
		case *ast.ReturnStmt:
			if _, ok := at["return "+method]; ok && len(n.Results) == 1 {
				add(n.Results[0])
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				if _, ok := at[key.Name]; ok {
					add(n.Value)
				}
			}
		case *ast.CallExpr:
			if i, ok := at[called(n)]; ok && len(n.Args) > i {
				add(n.Args[i])
			}
		}
		return true
	})
	return all
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// shape is what an expression writes: %s for what is no literal.
func shape(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != gotoken.STRING {
			return "%s"
		}
		return anyVerb.ReplaceAllString(must(strconv.Unquote(e.Value)), "%s")
	case *ast.BinaryExpr:
		return shape(e.X) + shape(e.Y)
	case *ast.CallExpr:
		if called(e) == "Sprintf" {
			return shape(e.Args[0])
		}
	}
	return "%s"
}
