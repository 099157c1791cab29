package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"picday/internal/shell"
	"picday/store"
)

type photoPageData struct {
	Photo         store.Photo
	Camera        store.Camera
	Taken         string // by the camera's clock
	Link          string
	Sort          string
	Before, After string // the neighbours' addresses
	History       []store.EarlierPicture
	Was           *store.EarlierPicture // another shot that was here before, and people are told of
	Activity      []activityRow
	People        []store.Subject // who is on it
	Expires       time.Time       // withdrawn: when it ends
	Restore       string          // withdrawn: what to type where the file was deleted
	followed
}

// Withdrawn tells whether the photo is in the trash.
func (p photoPageData) Withdrawn() bool { return !p.Photo.WithdrawnAt.IsZero() }

// Title names the photo.
func (p photoPageData) Title() string {
	if p.Photo.Person != "" {
		return p.Photo.Person
	}
	return p.Photo.File
}

func (p photoPageData) section() string {
	switch {
	case p.Withdrawn():
		return "trash"
	case p.Photo.Person != "":
		return "portraits"
	}
	return "jobs"
}

// Shown are the renditions under their own addresses.
func (p photoPageData) Shown() (names []string) {
	for _, r := range p.Photo.Renditions {
		names = append(names, fmt.Sprintf("%s %d × %d", r.Name, r.Width, r.Height))
	}
	return names
}

const photoActivity = 50

func photoPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	p, err := v.photo()
	if err != nil {
		return err
	}
	page := photoPageData{Photo: p, Link: v.site.PublicURL + "/" + p.Link + ".jpg", followed: following}
	if page.Camera, err = v.view.Camera(v.Context(), p); err != nil {
		return err
	}
	if !page.Camera.TakenAt.IsZero() {
		page.Taken = v.words.CameraTime(page.Camera.TakenAt, page.Camera.Zoned)
	}
	if v.FormValue("sort") == "taken" {
		page.Sort = "taken"
	}
	before, after, err := v.view.Neighbours(v.Context(), p, orderOf(page.Sort)) // of a withdrawn one: those that were beside it
	if err != nil {
		return err
	}
	page.Before, page.After = page.beside(before), page.beside(after)
	if page.Withdrawn() {
		if err := v.trashed(&page); err != nil {
			return err
		}
	}
	if page.History, err = v.view.History(v.Context(), p); err != nil {
		return err
	}
	page.Was = earlier(p, page.History)
	if page.People, err = v.view.SubjectsOf(v.Context(), p); err != nil {
		return err
	}
	activity, err := v.view.Activity(v.Context(), store.ActivityQuery{PhotoID: p.ID, Limit: photoActivity})
	if err != nil {
		return err
	}
	page.Activity = v.activityRows(activity)
	return render(w, v, http.StatusOK, "photo", page)
}

func (p photoPageData) beside(id int64) string {
	switch {
	case id == 0:
		return ""
	case p.Sort != "":
		return photoURL(id) + "?sort=" + p.Sort
	}
	return photoURL(id)
}

// trashed says how a withdrawn photo ends, and how it comes back.
func (v *visit) trashed(page *photoPageData) error {
	p := page.Photo
	if v.site.TrashKeep > 0 {
		page.Expires = p.WithdrawnAt.Add(v.site.TrashKeep)
	}
	same, err := v.view.Photos(v.Context(), store.PhotoQuery{Account: p.Account, RawPath: p.RawPath, Show: store.ShowWithdrawn})
	if err != nil {
		return err
	}
	words := []string{"sudo", "picday", "trash", "restore", p.Account, p.Path}
	if len(same) > 1 {
		words = append(words, "--sha256", p.SHA.String()[:12])
	}
	page.Restore = shell.Line(words...)
	return nil
}

// CameraName is maker and model; many models begin with their maker.
func (p photoPageData) CameraName() string {
	maker, model := strings.TrimSpace(p.Camera.Make), strings.TrimSpace(p.Camera.Model)
	first, _, _ := strings.Cut(maker, " ")
	if first == "" || strings.HasPrefix(strings.ToLower(model), strings.ToLower(first)) {
		return model
	}
	return strings.TrimSpace(maker + " " + model)
}

func withdrawPhoto(w http.ResponseWriter, v *visit) error {
	return v.alter(w, (*store.Tx).WithdrawBy, "withdrawn")
}

func restorePhoto(w http.ResponseWriter, v *visit) error {
	return v.alter(w, (*store.Tx).RestoreBy, "restored")
}

func rotateLink(w http.ResponseWriter, v *visit) error {
	return v.alter(w, func(tx *store.Tx, id int64, operator string) error {
		_, err := tx.Rotate(id, operator)
		return err
	}, "rotated")
}

// alter changes the photo in the path, and goes back to its page.
func (v *visit) alter(w http.ResponseWriter, what alteration, done string) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := v.change(id, what); err != nil {
		return err
	}
	return redirect(w, photoURL(id)+"?done="+done)
}
