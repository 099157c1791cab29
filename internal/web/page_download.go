package web

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"picday/internal/language"
	"picday/store"
	"picday/store/pictures"
)

// maxDownloads is how many downloads of many photos one operator can have at once.
const maxDownloads = 4

// A download is a ZIP of photos.
type download struct {
	size    string // the name of a rendition, "" = the originals
	name    string // of the ZIP, without its ending
	photos  iter.Seq2[int64, error]
	folders func(store.Photo) []string // in the ZIP; nil: none
}

// jobZip streams the photos of a job, or of one album of it.
func jobZip(w http.ResponseWriter, v *visit) error {
	job, err := v.view.Job(v.Context(), v.PathValue("account"), v.PathValue("job"))
	if err != nil {
		return err
	}
	d := download{size: v.FormValue("size"), name: job.Name, photos: v.photosOf(job, v.FormValue("album"))}
	n, what := job.Photos, job.Name
	if album := v.FormValue("album"); album != "" {
		al, err := v.view.Album(v.Context(), job, album)
		if err != nil {
			return err
		}
		d.name, n, what = job.Name+" "+album, al.Individuals+al.Group, job.Name+"/"+album
	}
	if n == 0 {
		return refuse(http.StatusNotFound, "There are no photos yet.")
	}
	d.folders = func(p store.Photo) []string { return []string{job.Name, p.Album, p.Area} }
	return v.sendZip(w, d, func(tell func(account, what string, n int) error) error { return tell(job.Account, what, n) })
}

// photosOf are the numbers of the published photos of a job, or of one album, in the order
// of the pages.
func (v *visit) photosOf(job store.Job, album string) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		albums := []store.Album{{Name: album}}
		if album == "" {
			var err error
			if albums, err = v.view.Albums(v.Context(), store.AlbumQuery{Account: job.Account, Job: job.Name}); err != nil {
				yield(0, err)
				return
			}
		}
		for _, al := range albums {
			for _, area := range []string{"individuals", "group"} {
				for id, err := range v.photosIn(store.PhotoQuery{Account: job.Account, Job: job.Name, Album: al.Name, Area: area, Order: store.ByFile}) {
					if !yield(id, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// photosIn are the numbers of the photos that a query selects. It reads a page at a time,
// each from a snapshot of its own: a download may take hours.
func (v *visit) photosIn(q store.PhotoQuery) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		q := q
		q.Limit = photosPerPage
		for {
			photos, err := v.view.Photos(v.Context(), q)
			if err != nil {
				yield(0, err)
				return
			}
			for _, p := range photos {
				if !yield(p.ID, nil) {
					return
				}
			}
			if len(photos) < q.Limit {
				return
			}
			q.After = photos[len(photos)-1].Key(q.Order)
		}
	}
}

// sendZip streams a ZIP: neither it nor a picture is ever whole in memory, or on disk. If
// anything goes wrong on the way the connection is cut, and what has arrived has no
// directory at its end, so no program takes it for a whole one. record writes down what is
// given out before the first byte is.
func (v *visit) sendZip(w http.ResponseWriter, d download, record func(tell func(account, what string, n int) error) error) error {
	if d.size != "" && !slices.Contains(v.sizes(), d.size) {
		return store.ErrNotFound
	}
	leave, ok := v.downloads.enter(v.name, maxDownloads)
	if !ok {
		return refuse(http.StatusTooManyRequests, "So many downloads are running that no other one can be begun. Wait for one to end.")
	}
	defer leave()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", attachment(harmless(d.name)+".zip"))
	if v.Method == http.MethodHead {
		return nil
	}
	if err := record(func(account, what string, n int) error {
		detail := language.M("%d photos, originals", n) // the catalogue has it in English
		if d.size != "" {
			detail = language.M("%d photos, size %s", n, d.size)
		}
		return v.downloaded(account, what, detail.String())
	}); err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // fails only where there is none
	z := zip.NewWriter(w)
	called := newZipNames()
	buffer := make([]byte, 256<<10)
	seen := time.Now()
	for id, err := range d.photos {
		if err == nil && time.Since(seen) > sessionEvery {
			seen = time.Now()
			if !v.loggedIn() {
				err = errors.New("the operator has logged out")
			}
		}
		if err == nil {
			err = v.addToZip(z, called, d, id, buffer)
		}
		if err != nil {
			v.cut(err)
		}
	}
	if err := z.Close(); err != nil {
		v.cut(err)
	}
	return nil
}

// cut ends an answer of which a part is sent, so that nobody takes it for whole.
func (v *visit) cut(err error) {
	if v.Context().Err() == nil {
		v.log(err)
	}
	panic(http.ErrAbortHandler)
}

// addToZip adds a photo as it is now. What was withdrawn since the download began is left
// out.
func (v *visit) addToZip(z *zip.Writer, called *zipNames, d download, id int64, buffer []byte) error {
	p, f, err := v.openShown(id, d.size)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	name := p.File
	if p.Person != "" {
		name = p.Person + ".jpg"
	}
	var folders []string
	if d.folders != nil {
		folders = slices.DeleteFunc(d.folders(p), func(f string) bool { return f == "" })
	}
	// JPEG cannot be packed further. Sizes and checksum follow each file.
	to, err := z.CreateHeader(&zip.FileHeader{Name: called.in(name, folders...), Method: zip.Store, Modified: p.IngestedAt})
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{f}, buffer)
	if err == nil && n != fi.Size() {
		err = errDamaged(f.Name(), n, fi.Size())
	}
	return err
}

// openShown opens the original or (size) a rendition of a published photo.
func (v *visit) openShown(id int64, size string) (p store.Photo, f interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
	Name() string
}, err error,
) {
	for try := 0; ; try++ { // see serveRendition
		if p, err = v.view.Photo(v.Context(), id); err != nil {
			return p, nil, err
		}
		if !p.WithdrawnAt.IsZero() {
			return p, nil, store.ErrNotFound
		}
		file, bytes := pictures.Original(p.SHA), p.Bytes
		if size != "" {
			i := slices.IndexFunc(p.Renditions, func(r store.Rendition) bool { return r.Name == size })
			if i < 0 {
				return p, nil, fmt.Errorf("photo %d has no size %q yet", id, size)
			}
			file, bytes = pictures.Rendition(p.SHA, p.Renditions[i].Spec), p.Renditions[i].Bytes
		}
		opened, err := v.site.Files.Open(file)
		if errors.Is(err, fs.ErrNotExist) && try < 3 {
			continue
		}
		if err != nil {
			return p, nil, err
		}
		if fi, err := opened.Stat(); err != nil || fi.Size() != bytes {
			opened.Close()
			return p, nil, errors.Join(fmt.Errorf("photo %d: its file has not the size that it must have", id), err)
		}
		return p, opened, nil
	}
}

// sizes are the names of the renditions.
func (v *visit) sizes() (all []string) {
	for _, r := range v.site.Renditions {
		all = append(all, r.Name)
	}
	return all
}

// downloadsOf are the downloads of a job, or of an album.
func (v *visit) downloadsOf(job store.Job, album string) []choice {
	return v.downloadsAt("/downloads/"+strings.TrimPrefix(jobURL(job.Account, job.Name), "/jobs/"), album)
}

// downloadsAt are the downloads below an address, of one album if it has a name.
func (v *visit) downloadsAt(at, album string) (all []choice) {
	all = append(all, choice{Label: v.t("Originals"), URL: query(at+"/photos.zip", nil, "album", album)})
	for _, size := range v.sizes() {
		all = append(all, choice{Label: v.t("Size %s", size), URL: query(at+"/photos.zip", nil, "album", album, "size", size)})
	}
	if album == "" {
		all = append(all, choice{Label: v.t("List with links (CSV)"), URL: at + "/photos.csv"})
	}
	return all
}
