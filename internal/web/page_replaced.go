package web

import (
	"cmp"
	"net/http"
	"slices"

	"picday/store"
)

// A replacedRow is a photo that took another shot's place, with what was there.
type replacedRow struct {
	Photo store.Photo
	Was   *store.EarlierPicture // nil: just ended
	Form  string                // the photo's address
	May   bool                  // the operator may decide about it
}

// earlier finds the picture that was replaced by another shot.
func earlier(p store.Photo, history []store.EarlierPicture) *store.EarlierPicture {
	i := slices.IndexFunc(history, func(h store.EarlierPicture) bool { return h.SHA == p.Replaced })
	if i < 0 || p.Replaced == (store.SHA{}) {
		return nil
	}
	return &history[i]
}

const replacedPerPage = 50

// replacedRows are the first ones of an account and a job, or (empty) of all.
func (v *visit) replacedRows(account, job string) (rows []replacedRow, err error) {
	for after := int64(0); len(rows) < replacedPerPage; {
		photos, err := v.view.Replaced(v.Context(), account, after, replacedPerPage)
		if err != nil || len(photos) == 0 {
			return rows, err
		}
		for _, p := range photos {
			if after = p.ID; job != "" && p.Job != job {
				continue
			}
			history, err := v.view.History(v.Context(), p)
			if err != nil {
				return nil, err
			}
			rows = append(rows, replacedRow{p, earlier(p, history), photoURL(p.ID), v.role.May(store.Work)})
		}
	}
	return rows[:replacedPerPage], nil
}

func acceptPhoto(w http.ResponseWriter, v *visit) error {
	return v.alter(w, (*store.Tx).Accept, "accepted")
}

func revertPhoto(w http.ResponseWriter, v *visit) error {
	sha := v.FormValue("sha256")
	return v.alter(w, func(tx *store.Tx, id int64, operator string) error {
		if len(sha) != 2*len(store.SHA{}) { // the page gives the whole hash, so that a change in between cannot make it another picture
			return refuse(http.StatusBadRequest, "Which picture? Load the page again and choose one.")
		}
		_, err := tx.Revert(id, sha, operator)
		return err
	}, "reverted")
}

// counted adds the counts of both kinds, by account.
func counted(files, photos []store.ProblemCount) []store.ProblemCount {
	all := append(files, photos...)
	slices.SortStableFunc(all, func(a, b store.ProblemCount) int { return cmp.Compare(a.Account, b.Account) })
	return all
}
