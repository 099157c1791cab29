package web

import (
	"errors"
	"iter"
	"net/http"
	"strconv"

	"picday/store"
)

// maxSelected is how many photos one request can change. It bounds the transaction.
const maxSelected = 1000

// selectedPhotos does something with the photos whose numbers are in the form: with all
// of them or, if one of them is not there or cannot be changed, with none.
func selectedPhotos(w http.ResponseWriter, v *visit) error {
	ids, err := selectedIDs(v.PostForm["photo"])
	if err != nil {
		return err
	}
	back := ownPath(v.PostForm.Get("back"))
	done := ""
	switch v.PostForm.Get("do") {
	case "withdraw":
		done, err = "withdrawn-all", v.changeAll(ids, (*store.Tx).WithdrawBy)
	case "restore":
		done, err = "restored-all", v.changeAll(ids, (*store.Tx).RestoreBy)
		if errors.Is(err, store.ErrNoFile) {
			err = refuse(http.StatusConflict, "Nothing was restored: the uploader has deleted the file of one of them, which only 'picday trash restore' brings back. Select the others.")
		}
	default:
		return refuse(http.StatusBadRequest, "What is to be done with them?")
	}
	if err != nil {
		return err
	}
	return redirect(w, withDone(back, done))
}

func selectedIDs(texts []string) (ids []int64, err error) {
	switch {
	case len(texts) == 0:
		return nil, refuse(http.StatusBadRequest, "Nothing is selected. Go back and tick the photos.")
	case len(texts) > maxSelected:
		return nil, refuse(http.StatusBadRequest, "At most %d photos at once.", maxSelected)
	}
	for _, text := range texts {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			return nil, store.ErrNotFound
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// downloadSelected streams the ZIP of selected photos.
func downloadSelected(w http.ResponseWriter, v *visit) error {
	ids, err := selectedIDs(v.PostForm["photo"])
	if err != nil {
		return err
	}
	accounts := map[string]int{}
	for _, id := range ids {
		p, err := v.view.Photo(v.Context(), id) // of another account: not one of them is given out
		if err != nil {
			return err
		}
		accounts[p.Account]++
	}
	var photos iter.Seq2[int64, error] = func(yield func(int64, error) bool) {
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
	d := download{size: v.PostForm.Get("size"), name: "photos", photos: photos}
	if len(accounts) > 1 {
		d.folders = func(p store.Photo) []string { return []string{p.Account, p.Job, p.Album} }
	}
	return v.sendZip(w, d, func(tell func(account, what string, n int) error) error {
		for account, n := range accounts {
			if err := tell(account, "a selection", n); err != nil {
				return err
			}
		}
		return nil
	})
}

// A chosenView is the bar with what can be done with the selected photos of a page.
type chosenView struct {
	Do    string // withdraw, besides downloading; restore; "" = the operator may only look
	Back  string // where the page is
	Sizes []string
}

func (v *visit) chosen(do string) chosenView {
	if !v.role.May(store.Work) {
		do = ""
	}
	return chosenView{do, query(v.URL.EscapedPath(), v.URL.Query()), v.sizes()}
}
