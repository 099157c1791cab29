package web

import (
	"errors"
	"io"
	"net/http"
	"time"

	"picday/internal/layout"
	"picday/internal/roster"
	"picday/store"
)

// maxList bounds the body of a request that brings a list, in bytes: the file and what a
// browser puts around it.
const maxList = roster.MostBytes + 64<<10

// listTimeout is how long a list may take to arrive: 10 MB over a school's DSL.
const listTimeout = 5 * time.Minute

// shownOfList is how many people of a kind a page names.
const shownOfList = 100

type rosterPageData struct {
	placeView
	Refused string // why a list was not taken, in the visitor's language
	Waiting *waitingList
	Lists   []store.Roster
	People  bool // there is somebody
}

// A waitingList is a list that waits, and what it would change.
type waitingList struct {
	store.Roster
	Broken string // why it cannot be taken, in the visitor's language
	Diff   roster.Diff
	Mark   string // of the diff
}

// FirstAdded and the like are as many as the page names, the More the others.
func (l waitingList) FirstAdded() []roster.Person {
	return l.Diff.Added[:min(len(l.Diff.Added), shownOfList)]
}

func (l waitingList) FirstChanged() []roster.Change {
	return l.Diff.Changed[:min(len(l.Diff.Changed), shownOfList)]
}

func (l waitingList) FirstMissing() []roster.Known {
	return l.Diff.Missing[:min(len(l.Diff.Missing), shownOfList)]
}
func (l waitingList) MoreAdded() int   { return max(0, len(l.Diff.Added)-shownOfList) }
func (l waitingList) MoreChanged() int { return max(0, len(l.Diff.Changed)-shownOfList) }
func (l waitingList) MoreMissing() int { return max(0, len(l.Diff.Missing)-shownOfList) }

// fieldNames are the names of columns for people; others are the list's own.
var fieldNames = map[string]string{
	string(roster.ID): "ID", string(roster.Code): "code", string(roster.First): "first name", string(roster.Last): "last name",
	string(roster.Class): "class", string(roster.Grade): "grade",
}

func rosterPage(w http.ResponseWriter, v *visit) error { return v.showRosters(w, http.StatusOK, "") }

// showRosters writes the page of the lists of the place in the path. refused says why one
// was not taken.
func (v *visit) showRosters(w http.ResponseWriter, status int, refused string) error {
	p, s, err := v.place()
	if err != nil {
		return err
	}
	page := rosterPageData{placeView: placeOf(p, "rosters"), Refused: refused}
	if page.Lists, err = v.view.Rosters(v.Context(), s); err != nil {
		return err
	}
	if page.People, err = v.view.HasPeople(v.Context(), s); err != nil {
		return err
	}
	for _, l := range page.Lists {
		if l.Waiting {
			page.Waiting = &waitingList{Roster: l}
			if err := v.lookAtList(page.Waiting, s); err != nil {
				return err
			}
			break // there is never another one
		}
	}
	return render(w, v, status, "roster", page)
}

// lookAtList finds out what a list that waits would change now.
func (v *visit) lookAtList(l *waitingList, s store.Scope) error {
	f, err := v.view.WaitingRoster(v.Context(), s, l.ID)
	if err != nil {
		return err
	}
	l.Diff, err = v.diff(f)
	if broken := (notTaken{}); errors.As(err, &broken) {
		l.Broken, err = v.words.Sentence(broken.Error()), nil
	}
	l.Mark = l.Diff.Mark()
	return err
}

// notTaken is why a list cannot be taken, which is the list's fault and no error of ours.
type notTaken struct{ error }

// parse reads a list. One at a time does: a workbook may unpack to many times its size.
func (v *visit) parse(content []byte) (roster.List, error) {
	leave, err := v.makeOne()
	if err != nil {
		return roster.List{}, err
	}
	defer leave()
	l, err := roster.Parse(content)
	if err != nil {
		err = notTaken{err}
	}
	return l, err
}

// diff is what a list would change.
func (v *visit) diff(f store.RosterFile) (roster.Diff, error) {
	l, err := v.parse(f.Content)
	if err != nil {
		return roster.Diff{}, err
	}
	d, err := v.view.RosterDiff(v.Context(), f.Scope, l)
	if err != nil && d.People > 0 { // two lines are one person
		err = notTaken{err}
	}
	return d, err
}

// bringRoster takes the file of a form, and keeps it until somebody has seen what it changes.
func bringRoster(w http.ResponseWriter, v *visit) error {
	p, s, err := v.place()
	if err != nil {
		return err
	}
	leave, ok := v.bringing.enter(v.name, 1)
	if !ok {
		return refuse(http.StatusTooManyRequests, "Another list of yours is still arriving. Wait for it.")
	}
	defer leave()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(listTimeout)) // fails only where there is none
	f := store.RosterFile{Scope: s, Operator: v.name}
	f.File, f.Content, err = v.listOfForm()
	if err != nil {
		return err
	}
	d, err := v.diff(f)
	if broken := (notTaken{}); errors.As(err, &broken) {
		return v.showRosters(w, http.StatusBadRequest, v.words.Sentence(broken.Error()))
	}
	if err != nil {
		return err
	}
	if d.Nothing() && len(d.Notes) == 0 {
		return redirect(w, placeURL("rosters", p.Account.Name, p.Job)+"?done=list-same")
	}
	if err := v.changePeople(p.Account.Name, func(tx *store.Tx, _ string) error {
		_, err := tx.HoldRoster(f, d)
		return err
	}); err != nil {
		return err
	}
	return redirect(w, placeURL("rosters", p.Account.Name, p.Job)+"#waiting")
}

// listOfForm reads the file of a form. It is never on disk: it is bounded, and goes into the
// catalogue.
func (v *visit) listOfForm() (name string, content []byte, err error) {
	form, err := v.MultipartReader()
	if err != nil {
		return "", nil, refuse(http.StatusBadRequest, "The form cannot be read.")
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, refuse(http.StatusBadRequest, "Choose a file first.")
		}
		if err != nil {
			return "", nil, v.formCut(err)
		}
		if part.FormName() != "list" || part.FileName() == "" {
			continue
		}
		content, err := io.ReadAll(io.LimitReader(part, roster.MostBytes+1))
		if err != nil {
			return "", nil, v.formCut(err)
		}
		if len(content) == 0 {
			return "", nil, refuse(http.StatusBadRequest, "The file is empty.")
		}
		return shortened(layout.Shown(part.FileName()), 200), content, nil
	}
}

// formCut is the answer to a form that did not arrive whole.
func (v *visit) formCut(err error) error {
	var body *http.MaxBytesError
	if errors.As(err, &body) {
		return refuse(http.StatusRequestEntityTooLarge, "A list has at most %s.", v.words.Size(roster.MostBytes))
	}
	return refuse(http.StatusBadRequest, "The form cannot be read.")
}

// waitingRoster finds the list whose number is in the path, and whose it is.
func (v *visit) waitingRoster() (l store.Roster, f store.RosterFile, err error) {
	id, err := v.id()
	if err != nil {
		return l, f, err
	}
	all, err := v.view.AllRosters(v.Context(), store.Scope{}, id+1, 1)
	if err != nil {
		return l, f, err
	}
	if len(all) == 0 || all[0].ID != id {
		return l, f, store.ErrNotFound
	}
	l = all[0]
	a, err := v.view.Account(v.Context(), l.Account)
	if err != nil {
		return l, f, err
	}
	s, err := v.view.Scope(v.Context(), a, l.Job)
	if err != nil {
		return l, f, err
	}
	f, err = v.view.WaitingRoster(v.Context(), s, id)
	return l, f, err
}

var errOtherDiff = refuse(http.StatusConflict, "The people have changed since, and the list would change something else now. Look at it again.")

// acceptRoster takes a list that waits, if it changes what the operator has seen.
func acceptRoster(w http.ResponseWriter, v *visit) error {
	l, f, err := v.waitingRoster()
	if err != nil {
		return err
	}
	list, err := v.parse(f.Content)
	if broken := (notTaken{}); errors.As(err, &broken) {
		return refuse(http.StatusConflict, "The list cannot be taken. Drop it, and bring another one.")
	}
	if err != nil {
		return err
	}
	seen := v.PostForm.Get("seen")
	if err := v.changePeople(l.Account, func(tx *store.Tx, operator string) error {
		if err := tx.DropRoster(f.Scope, l.ID); err != nil { // somebody else has decided
			return err
		}
		f.TakenBy = operator
		d, err := tx.TakeRoster(f, list, true)
		if err == nil && d.Mark() != seen {
			err = errOtherDiff
		}
		return err
	}); err != nil {
		return v.listError(err)
	}
	return redirect(w, placeURL("people", l.Account, l.Job)+"?done=list-taken")
}

// listError makes an error of TakeRoster that is the list's fault a refusal.
func (v *visit) listError(err error) error {
	if errors.Is(err, store.ErrCodeTaken) || errors.Is(err, store.ErrIDTaken) {
		return refuse(http.StatusConflict, "The list cannot be taken: a code or an ID on it is somebody else's in this account. Drop it, and bring another one.")
	}
	return err
}

// dropRoster forgets a list that waits.
func dropRoster(w http.ResponseWriter, v *visit) error {
	l, f, err := v.waitingRoster()
	if err != nil {
		return err
	}
	if err := v.changePeople(l.Account, func(tx *store.Tx, _ string) error { return tx.DropRoster(f.Scope, l.ID) }); err != nil {
		return err
	}
	return redirect(w, placeURL("rosters", l.Account, l.Job)+"?done=list-dropped")
}

// makeOne waits until nobody else has something made that takes much of a processor and of
// memory.
func (v *visit) makeOne() (leave func(), err error) {
	select {
	case v.making <- struct{}{}:
		return func() { <-v.making }, nil
	case <-v.Context().Done():
		return nil, v.Context().Err()
	}
}
