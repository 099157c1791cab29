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

// must is for what is embedded: it is there, or no picdayd starts.
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

// pages are the templates by name. Each defines "title" and "main"; what is in
// layout.html and in files whose names begin with _ is there for all of them.
var pages = func() map[string]*template.Template {
	funcs := template.FuncMap{"asset": asset}
	maps.Copy(funcs, pageFuncs)
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
}()

// A frame is what templates are given: what the layout shows, and Data.
type frame struct {
	Operator string // "" = nobody has logged in
	Account  string // the only one he sees; "" = all
	Section  string // the first part of the path, for the navigation; "" = overview
	Done     string // a sentence about what was just done
	Problems int    // how many there are
	Pulse    string // of this page, "" = it follows nothing
	Follows  string // what it follows
	Status   int
	Data     any
}

// render answers with a page.
func render(w http.ResponseWriter, v *visit, status int, page string, data any) error {
	f := frame{Operator: v.name, Account: v.account, Done: doneSentences[v.URL.Query().Get("done")], Status: status, Data: data}
	f.Section, _, _ = strings.Cut(strings.TrimPrefix(v.URL.Path, "/"), "/")
	if s, ok := data.(interface{ section() string }); ok {
		f.Section = s.section()
	}
	if err := f.add(v); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pages[page].ExecuteTemplate(&b, "layout.html", f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // fails only if the client is gone
	return nil
}

// add is what the layout shows of the catalogue to who has logged in.
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
		f.Follows, f.Pulse = l.follows()
	}
	return nil
}
