package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"strings"
	"time"

	"picday/internal/language"
	"picday/store"
)

//go:embed assets all:templates
var embedded embed.FS

// assetsVersion changes with every asset, so that browsers may keep them for
// good.
var assetsVersion = func() string {
	h := sha256.New()
	for _, name := range must(fs.Glob(embedded, "assets/*")) {
		h.Write(must(embedded.ReadFile(name)))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}()

// must is for embedded files, which cannot be missing.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// asset is the URL of a file below assets.
func asset(file string) string { return "/assets/" + assetsVersion + "/" + file }

func serveAsset(w http.ResponseWriter, v *visit) error {
	file := v.PathValue("file")
	data, err := embedded.ReadFile("assets/" + file)
	if err != nil || v.PathValue("version") != assetsVersion {
		return store.ErrNotFound
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, v.Request, file, time.Time{}, bytes.NewReader(data))
	return nil
}

// parsePages are the templates by name. Each defines "title" and "main". layout.html and files
// whose names begin with _ are part of all of them.
func parsePages(w *language.Words) map[string]*template.Template {
	funcs := template.FuncMap{"asset": asset}
	maps.Copy(funcs, pageFuncs)
	maps.Copy(funcs, wordFuncs(w))
	shared := template.Must(template.New("").Funcs(funcs).ParseFS(embedded, "templates/layout.html"))
	all := map[string]*template.Template{}
	var names []string
	for _, file := range must(fs.Glob(embedded, "templates/*.html")) {
		switch name := path.Base(file); {
		case strings.HasPrefix(name, "_"):
			template.Must(shared.ParseFS(embedded, file))
		case name != "layout.html":
			names = append(names, file)
		}
	}
	for _, file := range names {
		all[strings.TrimSuffix(path.Base(file), ".html")] = template.Must(template.Must(shared.Clone()).ParseFS(embedded, file))
	}
	return all
}

// A frame is the data of a template: what the layout shows, and Data.
type frame struct {
	Operator string // "": nobody has logged in
	Role     store.Role
	Account  string   // the only one that the operator sees; "": all
	Section  string   // the first part of the path, for the navigation; "": overview
	Done     string   // a sentence about what was just done
	Problems int      // how many there are
	Mark     string   // the change mark of this page, "" if it follows nothing
	Follows  string   // what it follows
	Alerts   []string // what keeps picday from working
	Status   int
	Data     any
	Language language.Language
	Here     string // the address of this page
	root     Root
}

// Languages are what the page can be in.
func (frame) Languages() []language.Choice { return language.All }

// MayWork tells whether the page offers changes.
func (f frame) MayWork() bool { return f.Role.May(store.Work) }

// MayAdmin tells whether the page offers changes of log-ins.
func (f frame) MayAdmin() bool { return f.Role.May(store.Admin) }

// render writes a page.
func render(w http.ResponseWriter, v *visit, status int, page string, data any) error {
	f := frame{Operator: v.name, Role: v.role, Account: v.account, Status: status, Data: data, Language: v.words.Language, Here: hereOf(v, status), root: v.root}
	if done := doneSentences[v.URL.Query().Get("done")]; done != "" {
		f.Done = v.t(done)
	}
	f.Section, _, _ = strings.Cut(strings.TrimPrefix(v.URL.Path, "/"), "/")
	if s, ok := data.(interface{ section() string }); ok {
		f.Section = s.section()
	}
	if err := f.add(v); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pagesIn(v.words)[page].ExecuteTemplate(&b, "layout.html", f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // fails only if the client is gone
	return nil
}

// add reads what the layout shows of the catalogue if somebody has logged in.
func (f *frame) add(v *visit) error {
	if v.name == "" {
		return nil
	}
	counts, err := v.view.Counts(v.Context())
	if err != nil {
		return err
	}
	replaced, err := v.view.ReplacedCounts(v.Context())
	if err != nil {
		return err
	}
	f.Problems = counts.Problems
	for _, c := range replaced {
		f.Problems += c.N
	}
	if l, ok := f.Data.(interface{ follows() (string, string) }); ok {
		f.Follows, f.Mark = l.follows()
		for _, alert := range v.alerts() {
			f.Alerts = append(f.Alerts, v.words.Sentence(alert))
		}
	}
	return nil
}
