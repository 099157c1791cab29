package web

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"picday/internal/export"
	"picday/internal/language"
	"picday/internal/people"
)

type exportPageData struct {
	placeView
	Formats []exportChoice
	Format  exportChoice
	Size    string // of a flat one
	KB      string
	Good    int
	Out     int // left out
	LeftOut []export.LeftOut
	More    int // left out and not named
	Several bool
	URL     string // of the download
	followed
}

// An exportChoice is a format with its name for people.
type exportChoice struct{ Name, Title, Form string }

// exportTitles say what a format is for, and in what form it comes.
var exportTitles = map[string][2]string{
	"pspi":            {"Yearbook (PSPI)", "A volume with an index, and each picture in two sizes."},
	"powerschool":     {"PowerSchool", "Pictures named by student number, with a map."},
	"infinite-campus": {"Infinite Campus", "Pictures named by student number."},
	"destiny":         {"Follett Destiny", "Small pictures with an index of barcodes."},
	"flat":            {"Tills and badges", "Pictures named by ID, all in one size."},
}

const (
	shownLeftOut = 500
	maxExports   = 2
)

// exportForm reads what a form or an address asks for.
func (v *visit) exportForm() (x people.Export, f export.Format, err error) {
	x = people.Export{Format: v.FormValue("format"), Size: strings.TrimSpace(v.FormValue("size")), Top: people.RuleOfPlace}
	if x.Format == "" {
		x.Format = "flat"
	}
	if x.Format != "flat" {
		x.Size = ""
	} else if kb := v.FormValue("kb"); kb != "" {
		if x.KB, err = strconv.Atoi(kb); err != nil || x.KB < 0 || x.KB > 100_000 {
			return x, f, refuse(http.StatusBadRequest, "The limit of a picture is a number of kilobytes.")
		}
	}
	f, err = x.Find()
	if err != nil {
		err = refuse(http.StatusBadRequest, "There is no such format, or the size is not WIDTHxHEIGHT in pixels, upright, such as 480x600.")
	}
	return x, f, err
}

// exportPage says who would be exported, and who would be left out and why.
func exportPage(w http.ResponseWriter, v *visit) error {
	p, _, err := v.place()
	if err != nil {
		return err
	}
	x, f, err := v.exportForm()
	if err != nil {
		return err
	}
	page := exportPageData{placeView: placeOf(p, "export"), Size: x.Size, KB: v.FormValue("kb")}
	for _, name := range export.Names() {
		c := exportChoice{name, v.t(exportTitles[name][0]), v.t(exportTitles[name][1])}
		if page.Formats = append(page.Formats, c); name == x.Format {
			page.Format = c
		}
	}
	all, err := p.Portraits(v.Context())
	if err != nil {
		return err
	}
	good, out := f.Check(all)
	page.Good, page.Out, page.LeftOut, page.Several = len(good), len(out), out, f.Several(len(good))
	if page.More = len(out) - shownLeftOut; page.More > 0 {
		page.LeftOut = out[:shownLeftOut]
	}
	page.URL = query(downloadURL(page.placeView, "export.zip"), nil, "format", x.Format, "size", x.Size, "kb", page.KB)
	return render(w, v, http.StatusOK, "export", page)
}

// exportZip streams an export. If anything goes wrong on the way the connection is cut, and
// no program takes what has arrived for a whole zip.
func exportZip(w http.ResponseWriter, v *visit) error {
	p, _, err := v.place()
	if err != nil {
		return err
	}
	x, f, err := v.exportForm()
	if err != nil {
		return err
	}
	all, err := p.Portraits(v.Context())
	if err != nil {
		return err
	}
	good, out := f.Check(all)
	if len(good) == 0 {
		return refuse(http.StatusNotFound, "There is nobody to export.")
	}
	leave, ok := v.exports.enter("", maxExports) // of everybody together: they take all processors
	if !ok {
		return refuse(http.StatusTooManyRequests, "So many downloads are running that no other one can be begun. Wait for one to end.")
	}
	defer leave()
	at := placeOf(p, "export")
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", attachment(harmless(at.Name()+" "+f.Name)+".zip"))
	if v.Method == http.MethodHead {
		return nil
	}
	if err := v.downloaded(at.Account, at.Name(), language.M("%d people exported as %s, %d left out", len(good), f.Name, len(out)).String()); err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // fails only where there is none
	to := &zipAnswer{w: w, outer: f.Folder() || f.Several(len(good)), name: harmless(at.Name())}
	ctx, stop := v.whileLoggedIn()
	defer stop()
	options, err := p.ExportOptions(ctx, x, to)
	if err == nil {
		err = f.Run(ctx, good, options)
	}
	if err == nil {
		err = to.close()
	}
	if err != nil {
		v.cut(err)
	}
	return nil
}

// whileLoggedIn is the context of a long answer, which ends with the log-in.
func (v *visit) whileLoggedIn() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(v.Context())
	tick := time.NewTicker(sessionEvery)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if !v.loggedIn() {
					cancel(errors.New("the operator has logged out"))
				}
			}
		}
	}()
	return ctx, func() { tick.Stop(); cancel(nil) }
}

// A zipAnswer is an export's files in the answer to a request: a folder, or several zips, in
// a zip around them; one zip as it is.
type zipAnswer struct {
	w     io.Writer
	outer bool
	name  string
	n     int
	zip   *zip.Writer
}

// Create makes a file. One is written at a time.
func (z *zipAnswer) Create(name string) (io.WriteCloser, error) {
	z.n++
	if !z.outer {
		if z.n > 1 {
			return nil, fmt.Errorf("the pictures are larger than was thought, and do not fit into one zip")
		}
		return nothingToClose{z.w}, nil
	}
	if z.zip == nil {
		z.zip = zip.NewWriter(z.w)
	}
	if rest, ok := strings.CutSuffix(name, ".zip"); ok {
		name = z.name + "-" + rest + ".zip"
	}
	f, err := z.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	return nothingToClose{f}, err
}

func (z *zipAnswer) close() error {
	if z.zip == nil {
		return nil
	}
	return z.zip.Close()
}

type nothingToClose struct{ io.Writer }

func (nothingToClose) Close() error { return nil }
