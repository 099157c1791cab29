package web

import (
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"picday/internal/language"
	"picday/store"
)

// jobCSV streams a list of the photos of a job with their links.
func jobCSV(w http.ResponseWriter, v *visit) error {
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	return v.sendCSV(w, job.Account, job.Name, job.Photos, shootColumns, v.photosOf(job, ""))
}

// A column of a list has a name and the text of a photo.
type column struct {
	name string
	text func(*visit, store.Photo) string
}

var (
	pictureColumns = []column{
		{"link", func(v *visit, p store.Photo) string { return v.site.PublicURL + "/" + p.Link + ".jpg" }},
		{"taken", func(_ *visit, p store.Photo) string {
			if p.Taken.Clock.IsZero() {
				return ""
			}
			return p.Taken.Clock.Format("2006-01-02 15:04:05")
		}},
		{"width", func(_ *visit, p store.Photo) string { return strconv.Itoa(p.Width) }},
		{"height", func(_ *visit, p store.Photo) string { return strconv.Itoa(p.Height) }},
		{"bytes", func(_ *visit, p store.Photo) string { return strconv.FormatInt(p.Bytes, 10) }},
		{"sha256", func(_ *visit, p store.Photo) string { return p.SHA.String() }},
	}
	shootColumns = append([]column{
		{"job", func(_ *visit, p store.Photo) string { return cell(p.Job) }},
		{"album", func(_ *visit, p store.Photo) string { return cell(p.Album) }},
		{"area", func(_ *visit, p store.Photo) string { return p.Area }},
		{"file", func(_ *visit, p store.Photo) string { return cell(p.File) }},
	}, pictureColumns...)
	portraitColumns = append([]column{
		{"id", func(_ *visit, p store.Photo) string { return cell(p.Person) }},
	}, pictureColumns...)
)

// sendCSV streams a list of n photos of an account, and enters in its activity that what
// was listed.
func (v *visit) sendCSV(w http.ResponseWriter, account, what string, n int, columns []column, photos iter.Seq2[int64, error]) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", attachment(harmless(what)+".csv"))
	if v.Method == http.MethodHead {
		return nil
	}
	if err := v.downloaded(account, what, language.M("%d links, as a list", n).String()); err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // fails only where there is none
	_, _ = io.WriteString(w, "\ufeff")                             // by which Excel knows that it is UTF-8; a failure shows below
	out := csv.NewWriter(w)
	out.UseCRLF = true
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	_ = out.Write(row)
	for id, err := range photos {
		var p store.Photo
		if err == nil {
			p, err = v.view.Photo(v.Context(), id)
		}
		if errors.Is(err, store.ErrNotFound) || err == nil && !p.WithdrawnAt.IsZero() {
			continue
		}
		if err == nil {
			for i, c := range columns {
				row[i] = c.text(v, p)
			}
			err = out.Write(row)
		}
		if err != nil {
			v.cut(err)
		}
	}
	if out.Flush(); out.Error() != nil {
		v.cut(out.Error())
	}
	return nil
}

// cell makes a name no formula, which a spreadsheet would compute.
func cell(name string) string {
	if name != "" && strings.ContainsAny(name[:1], "=+-@\t\r") {
		return "'" + name
	}
	return name
}
