package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"picday/store"
)

// serveRendition shows a photo to who has logged in, also one that is
// withdrawn: /photos/7/thumb.jpg.
func serveRendition(w http.ResponseWriter, v *visit) error {
	name, ok := strings.CutSuffix(v.PathValue("file"), ".jpg")
	if !ok {
		return store.ErrNotFound
	}
	// When renditions are made anew the old file goes once the new one is in
	// the catalogue: then another look finds it.
	for try := 0; ; try++ {
		p, err := v.photo()
		if err != nil {
			return err
		}
		file, bytes := "", int64(0)
		for _, r := range p.Renditions {
			if r.Name == name {
				file, bytes = v.site.Files(p.SHA, r.RenditionSpec), r.Bytes
			}
		}
		if file == "" {
			return store.ErrNotFound
		}
		// An address with the picture's own name in it never shows another one.
		if v.FormValue("v") == p.SHA.String()[:8] {
			w.Header().Set("Cache-Control", "private, max-age=3600, immutable")
		}
		if err := servePicture(w, v, file, bytes); !errors.Is(err, fs.ErrNotExist) || try == 3 {
			return err
		}
	}
}

// servePast shows a picture that a photo was before.
func servePast(w http.ResponseWriter, v *visit) error {
	p, err := v.photo()
	if err != nil {
		return err
	}
	history, err := v.view.History(v.Context(), p)
	if err != nil {
		return err
	}
	for _, h := range history {
		for _, r := range h.Renditions {
			if h.SHA.String() != v.PathValue("sha") || r.Name+".jpg" != v.PathValue("file") {
				continue
			}
			if err := servePicture(w, v, v.site.Files(h.SHA, r.RenditionSpec), r.Bytes); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return store.ErrNotFound
}

// serveOriginal gives the uploaded bytes, as a file to keep.
func serveOriginal(w http.ResponseWriter, v *visit) error {
	p, err := v.photo()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", attachment(p.File))
	return servePicture(w, v, v.site.Originals(p.SHA), p.Bytes)
}

// attachment names a download. An uploader has chosen the name.
func attachment(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// servePicture sends a file that has so many bytes, or is damaged.
func servePicture(w http.ResponseWriter, v *visit, file string, bytes int64) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if fi.Size() != bytes {
		return errDamaged(file, fi.Size(), bytes)
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	if !strings.Contains(h.Get("Cache-Control"), "immutable") {
		h.Set("Cache-Control", "private, no-cache")
	}
	h.Set("Etag", fileTag(file, fi))
	http.ServeContent(w, v.Request, "", time.Time{}, f)
	return nil
}

// fileTag is another one whenever the bytes are other ones: another original,
// other settings, or the same ones made again, which the file's own time tells.
// Hashed, because it is nobody's business what.
func fileTag(file string, info fs.FileInfo) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", file, info.ModTime().UnixNano(), info.Size()))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}
