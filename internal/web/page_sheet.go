package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"picday/internal/people"
	"picday/store"
)

type sheetPageData struct {
	placeView
	Top     int // the rule of the place, in per cent
	Class   string
	Classes []store.ClassCount
	People  []posedPerson
	Pages   pageLinks
	followed
}

// A posedPerson is somebody with the photos, of which one is exported.
type posedPerson struct {
	store.Subject
	Photos []posedPhoto
	Chosen int64 // by an operator; 0 = the latest is exported
}

// A posedPhoto is a photo as it is cut for other programs.
type posedPhoto struct {
	store.Photo
	Crop     store.Crop
	ByHand   bool // somebody has said how
	Exported bool // it is the one of its subject
	Form     string
}

// Left and Top are the crop as pages know it: in steps of 5 per cent.
func (p posedPhoto) Left() int { return (p.Crop.Left + 2) / 5 * 5 }
func (p posedPhoto) Top() int  { return (p.Crop.Top + 2) / 5 * 5 }

// Lying tells whether a photo is left out of exports until somebody says how it is cut.
func (p posedPhoto) Lying() bool { return p.Width >= p.Height && !p.ByHand }

const peoplePerSheet = 60

// sheetPage shows the photos of everybody who has any, and which are exported.
func sheetPage(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	p, s, err := v.place()
	if err != nil {
		return err
	}
	page := sheetPageData{placeView: placeOf(p, "sheet"), Class: v.FormValue("class"), followed: following}
	if page.Classes, err = v.view.Classes(v.Context(), s.AccountID, s.JobID); err != nil {
		return err
	}
	if page.Top, err = v.view.CropTop(v.Context(), s); err != nil {
		return err
	}
	q := store.SubjectQuery{AccountID: s.AccountID, JobID: s.JobID, Class: page.Class, Kind: store.Person, WithPhoto: true, Limit: peoplePerSheet}
	all, pages, err := v.turnSubjects(q, page.PageURL("sheet"), "")
	if err != nil {
		return err
	}
	page.Pages = pages
	for _, s := range all {
		who, err := v.posed(s, page.Top)
		if err != nil {
			return err
		}
		page.People = append(page.People, who)
	}
	return render(w, v, http.StatusOK, "sheet", page)
}

// posed reads the photos of somebody.
func (v *visit) posed(s store.Subject, top int) (who posedPerson, err error) {
	who.Subject = s
	if who.Chosen, err = v.view.Pose(v.Context(), s); err != nil {
		return who, err
	}
	photos, err := v.view.PhotosOf(v.Context(), s, 1000)
	if err != nil {
		return who, err
	}
	exported, _ := people.Pose(photos, who.Chosen)
	if exported.ID != who.Chosen {
		who.Chosen = 0 // the subject is not on it any more
	}
	photos = slices.DeleteFunc(photos, func(p store.Photo) bool { return !p.WithdrawnAt.IsZero() })
	for _, p := range photos[max(0, len(photos)-50):] {
		posed := posedPhoto{Photo: p, Crop: store.Crop{Left: 50, Top: top}, Exported: p.ID == exported.ID, Form: photoURL(p.ID) + "/crop"}
		c, err := v.view.CropOf(v.Context(), p)
		if err != nil {
			return who, err
		}
		if c != nil {
			posed.Crop, posed.ByHand = *c, true
		}
		who.Photos = append(who.Photos, posed)
	}
	return who, nil
}

// choosePoses takes what was chosen on a contact sheet: all of it or, on an error, nothing.
func choosePoses(w http.ResponseWriter, v *visit) error {
	p, s, err := v.place()
	if err != nil {
		return err
	}
	poses := map[int64]int64{}
	for key, values := range v.PostForm {
		id, ok := strings.CutPrefix(key, "pose-")
		if !ok {
			continue
		}
		subject, err := strconv.ParseInt(id, 10, 64)
		photo, perr := strconv.ParseInt(values[0], 10, 64)
		if err != nil || perr != nil || photo < 0 {
			return store.ErrNotFound
		}
		who, err := v.view.Subject(v.Context(), subject)
		if err != nil {
			return err
		}
		if who.AccountID != s.AccountID || who.JobID != s.JobID {
			return store.ErrNotFound
		}
		poses[subject] = photo
	}
	if len(poses) > 2*peoplePerSheet {
		return refuse(http.StatusBadRequest, "That is more than can be sent here.")
	}
	err = v.changePeople(p.Account.Name, func(tx *store.Tx, operator string) error {
		for subject, photo := range poses {
			if err := tx.ChoosePose(subject, photo, operator); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return poseError(err)
	}
	return redirect(w, withDone(ownPath(v.PostForm.Get("back")), "poses"))
}

func poseError(err error) error {
	if errors.Is(err, store.ErrNotOfSubject) {
		return refuse(http.StatusConflict, "Who is on these photos has changed since. Load the page again.")
	}
	return err
}

// perCent reads a part from a form.
func (v *visit) perCent(field string) (int, error) {
	n, err := strconv.Atoi(v.PostForm.Get(field))
	if err != nil || n < 0 || n > 100 {
		return 0, refuse(http.StatusBadRequest, "What is cut off is a number of per cent, from 0 to 100.")
	}
	return n, nil
}

// setCropRule says how the pictures of a place are cut.
func setCropRule(w http.ResponseWriter, v *visit) error {
	p, s, err := v.place()
	if err != nil {
		return err
	}
	top, err := v.perCent("top")
	if err != nil {
		return err
	}
	if err := v.changePeople(p.Account.Name, func(tx *store.Tx, _ string) error { return tx.SetCropTop(s, top) }); err != nil {
		return err
	}
	return redirect(w, placeURL("sheet", p.Account.Name, p.Job)+"?done=cut")
}

// cropPhoto says how one photo is cut, or that the rule holds for it.
func cropPhoto(w http.ResponseWriter, v *visit) error {
	p, err := v.photo()
	if err != nil {
		return err
	}
	var c store.Crop
	if v.PostForm.Get("by") != "rule" {
		if c.Top, err = v.perCent("top"); err != nil {
			return err
		}
		if c.Left, err = v.perCent("left"); err != nil {
			return err
		}
	}
	if err := v.change(p.ID, func(tx *store.Tx, id int64, operator string) error {
		if v.PostForm.Get("by") == "rule" {
			return tx.DropCrop(id)
		}
		return tx.SetCrop(id, c, operator)
	}); err != nil {
		return err
	}
	return redirect(w, withDone(ownPath(v.PostForm.Get("back")), "cut"))
}
