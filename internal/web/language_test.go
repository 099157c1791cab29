package web

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"picday/internal/helper"
	"picday/internal/language"
	"picday/internal/layout"
	"picday/store"
)

// germanOf is the file that has the German of what a source file says.
func germanOf(source string) string {
	name := strings.TrimSuffix(path.Base(source), path.Ext(source))
	name = strings.TrimPrefix(name, "page_")
	known := map[string]string{
		"layout": "general", "_parts": "general", "_jobs": "jobs", "_arrival": "jobs", "arrival": "jobs", "job": "jobs", "job_status": "jobs", "album": "jobs", "account": "accounts", "made": "accounts",
		"root": "accounts", "login": "general", "me": "operators", "_people": "people", "roster": "people", "missing": "people", "export": "people", "sheet": "people", "subject": "people", "secret": "operators", "staff": "operators", "deliveries": "operators", "error": "general", "routes": "general", "funcs": "general",
		"trash": "activity", "card": "accounts", "changes": "general", "picday": "general", "replaced": "problems", "reason": "problems", "problem": "problems", "problem_group": "problems", "selected": "photo", "download": "photo", "search": "overview", "portraits": "photo",
	}
	if strings.HasPrefix(name, "admin") {
		name = "general"
	}
	if other, ok := known[name]; ok {
		name = other
	}
	return "internal/language/de/" + name + ".toml"
}

// withNumber is a text with a number, which has a form for 1.
var withNumber = regexp.MustCompile(`%d`)

// wantGerman fails if a text has no German.
func wantGerman(t *testing.T, source, key string) {
	t.Helper()
	switch {
	case withNumber.MatchString(key) && !language.Plural(key):
		t.Errorf("%s: %q has no German. Add to %s:\n%q = {english = \"English for 1\", one = \"German for 1\", other = \"German for others\"}", source, key, germanOf(source), key)
	case !language.Has(key):
		t.Errorf("%s: %q has no German. Add to %s:\n%q = \"…\"", source, key, germanOf(source), key)
	}
}

var (
	templateAction  = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	templateComment = regexp.MustCompile(`(?s)\{\{/\*.*?\*/\}\}|<!--.*?-->`)
	templateCode    = regexp.MustCompile(`(?s)<code[^>]*>.*?</code>|<!doctype html>`)
	templateKey     = regexp.MustCompile(`(?:\bt|\bthtml|\$w\.T|\$w\.HTML) ("(?:[^"\\]|\\.)*"|` + "`[^`]*`)")
	templateLiteral = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	shownAttribute  = regexp.MustCompile(`\s(?:alt|title|placeholder|aria-label|aria-description|data-label|label)="([^"]*)"`)
	htmlTag         = regexp.MustCompile(`(?s)<[^>]*>`)
	word            = regexp.MustCompile(`\pL{2,}`)
	sentence        = regexp.MustCompile(`^\s*\p{Lu}\p{Ll}+|\p{Ll}+ \p{Ll}+`)
)

// properNames are written alike in all languages.
var properNames = strings.NewReplacer("ssh-ed25519 AAAA", "", "picday", "", "SFTP", "", "FileZilla", "", "WinSCP", "", "SHA-256", "", "CSV", "", "ZIP", "", "ID", "", "PDF", "", "&nbsp;", "", "&amp;", "")

// TestEveryTextOfTemplatesHasItsGerman: what a template shows is {{t "…"}} or {{thtml "…"}},
// and its German is there.
func TestEveryTextOfTemplatesHasItsGerman(t *testing.T) {
	for _, file := range must(fs.Glob(embedded, "templates/*.html")) {
		source := templateComment.ReplaceAllString(string(must(embedded.ReadFile(file))), "")
		bare := func(text string) {
			text = strings.TrimSpace(text)
			if word.MatchString(properNames.Replace(text)) {
				t.Errorf("%s: %q is in English only: write {{t %q}}, and add its German to %s", file, text, text, germanOf(file))
			}
		}
		for _, action := range templateAction.FindAllString(source, -1) {
			for _, key := range templateKey.FindAllStringSubmatch(action, -1) {
				wantGerman(t, file, must(strconv.Unquote(key[1])))
			}
			for _, literal := range templateLiteral.FindAllString(templateKey.ReplaceAllString(action, ""), -1) {
				if text := must(strconv.Unquote(literal)); sentence.MatchString(text) && !strings.HasPrefix(text, "sudo ") && !strings.HasSuffix(text, ".html") {
					bare(text)
				}
			}
		}
		html := templateCode.ReplaceAllString(templateAction.ReplaceAllString(source, ""), "")
		for _, attribute := range shownAttribute.FindAllStringSubmatch(html, -1) {
			bare(attribute[1])
		}
		for _, text := range htmlTag.Split(html, -1) {
			bare(text)
		}
	}
}

// TestEveryTextOfCodeHasItsGerman: what pages are told by refuse, t, language.M and the
// like is a literal, and its German is there. api_*.go answers programs.
func TestEveryTextOfCodeHasItsGerman(t *testing.T) {
	keyAt := map[string]int{"refuse": 1, "t": 0, "T": 0, "HTML": 0, "M": 0}
	for _, file := range append(must(filepath.Glob("*.go")), "../contract/card.go") {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "api") {
			continue
		}
		files := gotoken.NewFileSet()
		tree := must(parser.ParseFile(files, file, nil, 0))
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch f := call.Fun.(type) {
			case *ast.Ident:
				name = f.Name
			case *ast.SelectorExpr:
				name = f.Sel.Name
			}
			at, ok := keyAt[name]
			if !ok || len(call.Args) <= at {
				return true
			}
			key, err := literal(call.Args[at])
			switch place := files.Position(call.Pos()); {
			case err == nil:
				wantGerman(t, file, key)
			case name == "refuse" && !strings.HasSuffix(fmt.Sprint(call.Args[at]), " Sentence}"):
				t.Errorf("%s: the text is to be one literal with verbs (%%s, %%d), what differs its arguments", place)
			}
			return true
		})
	}
}

// literal is the text of an expression made of literals only.
func literal(e ast.Expr) (string, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.Unquote(e.Value)
	case *ast.BinaryExpr:
		x, err := literal(e.X)
		if err != nil {
			return "", err
		}
		y, err := literal(e.Y)
		return x + y, err
	}
	return "", os.ErrInvalid
}

// TestEverySentenceInATableHasItsGerman: reasons of problems, events, what was just done.
func TestEverySentenceInATableHasItsGerman(t *testing.T) {
	for _, reason := range append(layout.Reasons, layout.OtherShot) {
		wantGerman(t, "internal/layout/reason.go", reason.Message())
		wantGerman(t, "page_problems.go", reasonNames[reason])
	}
	for _, text := range layout.Sentences() {
		wantGerman(t, "internal/layout/reason.go", text)
	}
	wantGerman(t, "internal/layout/reason.go", store.NotInView)
	for _, done := range doneSentences {
		wantGerman(t, "page_routes.go", done)
	}
	for _, alert := range generalAlerts {
		wantGerman(t, "admin.go", alert)
	}
	for _, event := range store.Events {
		wantGerman(t, "page_activity.go", eventNames[event])
	}
	for verb, asked := range askedFor {
		if !slices.Contains(helper.Verbs, helper.Verb(verb)) {
			t.Errorf("%q is no verb", verb)
		}
		wantGerman(t, "page_activity.go", asked)
	}
	for _, disk := range []string{"Uploads", "Photos and catalogue", "Uploads, photos and catalogue"} {
		wantGerman(t, "overview.html", disk)
	}
	for _, sentence := range []string{"a selection", "the catalogue or a disk does not answer: what is shown here may be old", "the catalogue or a disk does not answer, and has not since picdayd was started", "exists already", "is over", "the disk is full", "upload volume"} {
		wantGerman(t, "sentences", sentence)
	}
	for _, flag := range []string{"small", "unusual", "replaced"} {
		wantGerman(t, "page_photo.go", flag)
		wantGerman(t, "page_photo.go", flagTitle(flag))
	}
	for _, state := range []store.JobState{store.Planned, store.Activating, store.Active} {
		wantGerman(t, "page_jobs.go", string(state))
	}
	for _, title := range exportTitles {
		wantGerman(t, "page_export.go", title[0])
		wantGerman(t, "page_export.go", title[1])
	}
	for _, field := range fieldNames {
		if field != "ID" {
			wantGerman(t, "page_roster.go", field)
		}
	}
	for _, change := range accountChanges {
		wantGerman(t, "page_activity.go", change)
	}
}

// TestEveryTextOfTheScriptHasItsGerman: in picday.js.
func TestEveryTextOfTheScriptHasItsGerman(t *testing.T) {
	notShown := regexp.MustCompile(`^(use strict|Arrow\w+|Home|End|Escape|DETAILS|X-Live|.*[\[\]#>].*)$`)
	texts := 0
	for _, m := range scriptLiterals {
		if text := m[1]; strings.Contains(text, "%") || sentence.MatchString(text) && !notShown.MatchString(text) {
			texts++
			wantGerman(t, "assets/picday.js", text)
		}
	}
	if texts < 7 {
		t.Errorf("this test sees only %d texts", texts)
	}
}
