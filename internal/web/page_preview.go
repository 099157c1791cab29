package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"path"
	"strconv"

	"picday/internal/layout"
	"picday/store"
)

// previewable tells whether a file may be a picture that only lies in a wrong place or has
// a wrong name. What is wrong with the picture itself is not decoded to be shown.
func previewable(p store.Problem) bool {
	switch p.Reason {
	case layout.NoAlbum, layout.UnknownFolder, layout.BadName, layout.DuplicateID, layout.TooManyFiles, layout.Reverted:
		_, jpeg := layout.TrimJPEG(path.Base(layout.Shown(p.RawPath)))
		return jpeg
	}
	return false
}

// previewURL is another address for another file.
func previewURL(p store.Problem) string {
	return "/problems/files/" + strconv.FormatInt(p.ID, 10) + "/preview.jpg?v=" + fileVersion(p)
}

func fileVersion(p store.Problem) string {
	sum := sha256.Sum256(p.Identity.Bytes())
	return hex.EncodeToString(sum[:4])
}

// problemPreview shows the file of a problem. For one that shows nothing the answer is
// empty, because there it is no error that a page leaves the place empty.
func problemPreview(w http.ResponseWriter, v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	p, err := v.view.Problem(v.Context(), id)
	if err != nil {
		return err
	}
	a, err := v.view.Account(v.Context(), p.Account)
	if err != nil {
		return err
	}
	if v.preview == nil || !previewable(p) {
		return store.ErrNotFound
	}
	jpeg, err := v.preview(v.Context(), a, p)
	if errors.Is(err, store.ErrNotFound) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	h := w.Header()
	if v.FormValue("v") == fileVersion(p) {
		h.Set("Cache-Control", "private, max-age=3600, immutable")
	}
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(jpeg)))
	_, _ = w.Write(jpeg) // fails only if the client is gone
	return nil
}
