package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"time"

	"picday/internal/language"
	"picday/internal/layout"
	"picday/internal/localtime"
	"picday/internal/shell"
	"picday/store"
)

// pageFuncs are what templates can call, besides asset and wordFuncs.
var pageFuncs = template.FuncMap{
	"iso": iso,
	"sh":  shell.Line, "icon": icon, "list": items, "small": isSmall,
	"jobURL": jobURL, "albumURL": albumURL, "photoURL": photoURL, "accountURL": accountURL, "homeOf": homeOf,
	"picture": pictureOf, "past": earlierPictureView,
	"choicesOf": func(label string, all []choice) choicesView { return choicesView{label, all} },
	"pagerOf":   func(label string, p pageLinks) pagerView { return pagerView{label, p} },
}

// wordFuncs are those that write in a language: t a text, thtml one with tags in it, say
// one that was made elsewhere.
func wordFuncs(w *language.Words) template.FuncMap {
	timeHTML := func(t time.Time, text, kind string) template.HTML {
		return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s" data-%s>%s</time>`, iso(t), w.Stamp(t), kind, text)) //nolint:gosec // no part of it is anybody's
	}
	return template.FuncMap{
		"t": w.T, "thtml": w.HTML, "say": w.Sentence, "num": w.Number, "size": w.Size,
		"ago": w.Ago, "stamp": w.Stamp, "clock": w.Clock, "day": w.Day, "texts": func() string { return scriptTexts(w) }, "span": w.Span,
		"within":   func(t time.Time) string { return w.Within(time.Until(t)) },
		"date":     func(d localtime.Day) string { return w.Date(d.End().Add(-time.Hour)) },
		"until":    func(t time.Time) string { return w.Span(time.Until(t), w.T("at any moment")) },
		"field":    func(name string) string { return w.Sentence(cmp.Or(fieldNames[name], name)) },
		"cardsURL": cardsURL, "placeURL": placeURL, "subjectURL": subjectURL,
		"flag":     func(flag string) string { return w.T(flagTitle(flag)) },
		"whenHTML": func(t time.Time) template.HTML { return timeHTML(t, w.Ago(t), "ago") },
		"atHTML":   func(t time.Time) template.HTML { return timeHTML(t, w.Stamp(t), "at") },
	}
}

type choicesView struct {
	Label   string
	Choices []choice
}

type pagerView struct {
	Label string
	pageLinks
}

func percent(part, whole int64) int {
	if whole <= 0 {
		return 0
	}
	return int(max(0, min(100, part*100/whole)))
}

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func items(all ...any) []any { return all }

// flagTitle says what a photo's flag means.
func flagTitle(flag string) string {
	switch flag {
	case "small":
		return "Narrower than 600 pixels"
	case store.CardFlag:
		return "The picture of a card: its link shows nothing"
	case string(layout.OtherShot):
		return "Another shot was here before"
	}
	return "The file breaks the rules of JPEG where the picture does not suffer from it"
}

func isSmall(p store.Photo) bool {
	for _, f := range p.Flags {
		if f == "small" {
			return true
		}
	}
	return false
}

func accountURL(name string) string { return "/accounts/" + url.PathEscape(name) }

func jobURL(account, job string) string {
	return "/jobs/" + url.PathEscape(account) + "/" + url.PathEscape(job)
}

func albumURL(account, job, album string) string {
	return jobURL(account, job) + "/" + url.PathEscape(album)
}

func photoURL(id int64) string { return "/photos/" + strconv.FormatInt(id, 10) }

// homeOf is the place where a photo is one of many, in the order that is called so.
func homeOf(p store.Photo, sort string) string {
	id := strconv.FormatInt(p.ID, 10)
	switch {
	case p.Person != "":
		return query("/portraits", nil, "account", p.Account, "at", id) + "#photo-" + id
	case p.Album != "":
		return query(albumURL(p.Account, p.Job, p.Album), nil, "sort", sort, "at", id) + "#photo-" + id
	}
	return "/jobs"
}

// A pictureView is an <img>.
type pictureView struct {
	Src           string
	Width, Height int
}

// pictureOf is the rendition of a photo that is at least so long, or the
// largest one. Its address changes with the picture.
func pictureOf(p store.Photo, longest int) (v pictureView) {
	best := fitting(p.Renditions, longest)
	return pictureView{photoURL(p.ID) + "/" + best.Name + ".jpg?v=" + p.SHA.String()[:8], best.Width, best.Height}
}

// earlierPictureView describes how a picture that p showed earlier is shown.
func earlierPictureView(p store.Photo, h store.EarlierPicture, longest int) pictureView {
	best := fitting(h.Renditions, longest)
	return pictureView{photoURL(p.ID) + "/history/" + h.SHA.String() + "/" + best.Name + ".jpg", best.Width, best.Height}
}

// fitting is the smallest rendition that is at least so long, or the largest.
func fitting(all []store.Rendition, longest int) (best store.Rendition) {
	best.Name = "thumb" // if there are none: to be made yet
	for i, r := range all {
		if i == 0 || r.Longest >= longest { // the largest come first
			best = r
		}
	}
	return best
}

// icons are drawn on a grid of 20, with the colour of the text around them.
var icons = map[string]string{
	"lens":      `<circle cx="10" cy="10" r="7.5"/><circle cx="10" cy="10" r="3"/>`,
	"overview":  `<path d="M3 10.5 10 4l7 6.5M5 9v7.5h10V9"/>`,
	"jobs":      `<path d="M3 5.5h5l1.5 2H17V16H3z"/>`,
	"portraits": `<circle cx="10" cy="7" r="3.2"/><path d="M3.8 16.5c.8-3.2 3.2-4.6 6.2-4.6s5.400 1.400 6.200 4.600"/>`,
	"problems":  `<path d="M10 3.500 17.500 16.500H2.500zM10 8.500v3.500M10 14.200v.3"/>`,
	"activity":  `<path d="M2.500 10.500H6l2-5.500 3.500 10 2.200-4.500h3.800"/>`,
	"accounts":  `<path d="M4 4h12v12H4zM7 8h6M7 11h6M7 14h3"/>`,
	"operators": `<circle cx="7" cy="7" r="3.2"/><path d="M9.300 9.300 16.500 16.500M13.500 13.500l2-2"/>`,
	"trash":     `<path d="M4 6h12M8 6V4h4v2M5.500 6l.8 10.500h7.400L14.500 6M8.500 9v5M11.500 9v5"/>`,
	"copy":      `<path d="M7 7h9v9H7zM4 13V4h9"/>`,
	"before":    `<path d="m12 4-6 6 6 6"/>`,
	"after":     `<path d="m8 4 6 6-6 6"/>`,
	"out":       `<path d="M8 4H4v12h4M8 10h9m-3-3 3 3-3 3"/>`,
	"close":     `<path d="m5 5 10 10M15 5 5 15"/>`,
	"down":      `<path d="M10 3v10m-4-4 4 4 4-4M4 16.500h12"/>`,
}

func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`) //nolint:gosec // constants
}
