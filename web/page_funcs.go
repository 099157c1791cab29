package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"time"

	"picday/internal/shell"
	"picday/store"
)

// pageFuncs are what templates can call, besides asset.
var pageFuncs = template.FuncMap{
	"num": num, "size": size, "count": count, "ago": ago, "until": until, "iso": iso, "stamp": stamp, "clock": clock, "day": day,
	"sh": shell.Line, "icon": icon, "list": items, "small": isSmall, "flag": flagTitle,
	"jobURL": jobURL, "albumURL": albumURL, "photoURL": photoURL, "accountURL": accountURL, "homeOf": homeOf,
	"picture": pictureOf, "past": pastPicture,
	"choicesOf": func(label string, all []choice) choicesView { return choicesView{label, all} },
	"pagerOf":   func(label, first, next string) pagerView { return pagerView{label, first, next} },
}

type choicesView struct {
	Label   string
	Choices []choice
}

type pagerView struct{ Label, First, Next string }

// num writes 1204331 as 1,204,331.
func num(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return num(n) + " " + noun
}

// size writes bytes as cameras and file managers do.
func size(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	f, i := float64(n), 0
	for ; f >= 999.5 && i < len(units)-1; i++ {
		f /= 1000
	}
	if i == 0 || f >= 99.5 {
		return fmt.Sprintf("%.0f %s", f, units[i])
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

func percent(part, whole int64) int {
	if whole <= 0 {
		return 0
	}
	return int(max(0, min(100, part*100/whole)))
}

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// stamp, clock and day are in the server's zone; the browser turns them into
// its own.
func stamp(t time.Time) string { return t.Local().Format("2 Jan 2006, 15:04 MST") }
func clock(t time.Time) string { return t.Local().Format("15:04") }
func day(t time.Time) string   { return t.Local().Format("Monday, 2 January 2006") }

func ago(t time.Time) string {
	if d := time.Since(t); d >= 0 {
		return span(d, "just now", " ago")
	}
	return "just now" // clocks differ a little
}

func until(t time.Time) string { return span(time.Until(t), "at any moment", "") }

// span is a duration as people say it: at most one unit.
func span(d time.Duration, none, after string) string {
	for _, unit := range []struct {
		d    time.Duration
		noun string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int(d / unit.d); n >= 1 && (unit.noun != "second" || n >= 2) {
			return count(n, unit.noun) + after
		}
	}
	return none
}

func items(all ...any) []any { return all }

// flagTitle says what a photo's flag means.
func flagTitle(flag string) string {
	switch flag {
	case "small":
		return "Narrower than 600 pixels"
	case string(store.OtherShot):
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

// homeOf is the page that a photo is one of many on.
func homeOf(p store.Photo) string {
	switch {
	case p.Person != "":
		return "/portraits?" + url.Values{"account": {p.Account}}.Encode()
	case p.Album != "":
		return albumURL(p.Account, p.Job, p.Album)
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

// pastPicture is one that a photo was before.
func pastPicture(p store.Photo, h store.Past, longest int) pictureView {
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
	"trash":     `<path d="M4 6h12M8 6V4h4v2M5.500 6l.8 10.500h7.400L14.500 6M8.500 9v5M11.500 9v5"/>`,
	"copy":      `<path d="M7 7h9v9H7zM4 13V4h9"/>`,
	"before":    `<path d="m12 4-6 6 6 6"/>`,
	"after":     `<path d="m8 4 6 6-6 6"/>`,
	"out":       `<path d="M8 4H4v12h4M8 10h9m-3-3 3 3-3 3"/>`,
	"down":      `<path d="M10 3v10m-4-4 4 4 4-4M4 16.500h12"/>`,
}

func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`) //nolint:gosec // constants
}
