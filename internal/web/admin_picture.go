package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"strings"
	"time"

	"picday/store"
	"picday/store/pictures"
)

// serveRendition serves a rendition, also of a withdrawn photo: /photos/7/thumb.jpg.
func serveRendition(w http.ResponseWriter, v *visit) error {
	name, ok := strings.CutSuffix(v.PathValue("file"), ".jpg")
	if !ok {
		return store.ErrNotFound
	}
	// When renditions are made anew, the old file is deleted after the catalogue names the
	// new one: then asking the catalogue again finds it.
	for try := 0; ; try++ {
		p, err := v.photo()
		if err != nil {
			return err
		}
		file, bytes := pictures.Name(""), int64(0)
		for _, r := range p.Renditions {
			if r.Name == name {
				file, bytes = pictures.Rendition(p.SHA, r.Spec), r.Bytes
			}
		}
		if file == "" {
			return store.ErrNotFound
		}
		// With v, the beginning of the picture's hash, an address shows the same bytes
		// for good.
		if v.FormValue("v") == p.SHA.String()[:8] {
			w.Header().Set("Cache-Control", "private, max-age=3600, immutable")
		}
		if err := servePicture(w, v, file, bytes); !errors.Is(err, fs.ErrNotExist) || try == 3 {
			return err
		}
	}
}

// serveEarlierPicture serves an earlier picture of a photo.
func serveEarlierPicture(w http.ResponseWriter, v *visit) error {
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
			if err := servePicture(w, v, pictures.Rendition(h.SHA, r.Spec), r.Bytes); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return store.ErrNotFound
}

// serveOriginal serves the uploaded bytes as a download.
func serveOriginal(w http.ResponseWriter, v *visit) error {
	p, err := v.photo()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", attachment(p.File))
	return servePicture(w, v, pictures.Original(p.SHA), p.Bytes)
}

// attachment names a download. The name is an uploader's, so it is made harmless.
func attachment(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// servePicture serves a file. If it has another size, it is damaged, and that is an error.
func servePicture(w http.ResponseWriter, v *visit, name pictures.Name, bytes int64) error {
	f, err := v.site.Files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if fi.Size() != bytes {
		return errDamaged(f.Name(), fi.Size(), bytes)
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	if !strings.Contains(h.Get("Cache-Control"), "immutable") {
		h.Set("Cache-Control", "private, no-cache")
	}
	h.Set("Etag", fileTag(f.Name(), fi))
	http.ServeContent(w, v.Request, "", time.Time{}, f)
	return nil
}

// fileTag is an ETag that differs if the bytes do: by the file's name (original, settings)
// and its time (made anew). It is hashed so that it tells nothing.
func fileTag(file string, info fs.FileInfo) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", file, info.ModTime().UnixNano(), info.Size()))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}
