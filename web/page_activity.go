package web

import (
	"net/http"
	"strconv"
	"time"

	"picday/store"
)

// An activityRow is an entry as it is shown.
type activityRow struct {
	store.Activity
	Day   time.Time // set where another day begins
	Thumb string    // "" = nothing to show
}

// activityRows adds days and pictures.
func activityRows(all []store.Activity, site *Site) []activityRow {
	rows := make([]activityRow, len(all))
	last := ""
	for i, a := range all {
		rows[i].Activity = a
		if today := a.At.Local().Format(time.DateOnly); today != last {
			rows[i].Day, last = a.At, today
		}
		if a.PhotoID != 0 {
			rows[i].Thumb = photoURL(a.PhotoID) + "/" + site.thumb() + ".jpg"
		}
	}
	return rows
}

// thumb is the name of the smallest rendition that is large enough for a tile.
func (s *Site) thumb() string {
	best := store.RenditionSpec{Name: "thumb"}
	for i, r := range s.Renditions {
		if i == 0 || r.Longest >= 200 && (r.Longest < best.Longest || best.Longest < 200) {
			best = r
		}
	}
	return best.Name
}

// What is what happened, in a few words.
func (a activityRow) What() string {
	return map[store.Event]string{
		store.EventAdded: "Added", store.EventReplaced: "Replaced", store.EventMoved: "Moved", store.EventRestored: "Restored",
		store.EventWithdrawn: "Withdrawn", store.EventReverted: "Earlier picture put back", store.EventAccepted: "New picture accepted", store.EventRotated: "Link rotated", store.EventProblem: "Problem", store.EventDeleted: "Deleted",
	}[a.Event]
}

// More is what else there is to say about it.
func (a activityRow) More() string {
	switch {
	case a.Event == store.EventMoved && a.Detail != "":
		return "from " + a.Detail
	case a.Event == store.EventProblem:
		return store.Reason(a.Detail).Message()
	case a.Event == store.EventDeleted:
		return "A badly named file, after its days."
	case a.Event == store.EventWithdrawn && a.Operator == "":
		return "The uploader deleted the file."
	}
	return ""
}

type activityPage struct {
	Rows          []activityRow
	Accounts      []string
	Events        []choice
	Account, Text string
	Event         string
	Next, First   string
	live
}

const activityPerPage = 100

func activityList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := activityPage{Account: v.FormValue("account"), Text: v.FormValue("q"), Event: v.FormValue("event"), live: following}
	before, _ := strconv.ParseInt(v.FormValue("before"), 10, 64)
	found, err := v.view.Activity(v.Context(), store.ActivityQuery{
		Account: page.Account, Event: store.Event(page.Event), Text: page.Text, Before: max(0, before), Limit: activityPerPage + 1,
	})
	if err != nil {
		return err
	}
	q := v.URL.Query()
	if len(found) > activityPerPage {
		found = found[:activityPerPage]
		page.Next = query("/activity", q, "before", strconv.FormatInt(found[activityPerPage-1].ID, 10))
	}
	if before > 0 {
		page.First = query("/activity", q, "before", "")
	}
	page.Rows = activityRows(found, v.site)
	if v.view.Everything() {
		if page.Accounts, err = v.view.AccountNames(v.Context()); err != nil {
			return err
		}
	}
	page.Events = []choice{{"All", query("/activity", q, "event", "", "before", ""), 0, page.Event == ""}}
	for _, e := range store.Events {
		page.Events = append(page.Events, choice{
			activityRow{Activity: store.Activity{Event: e}}.What(), query("/activity", q, "event", string(e), "before", ""), 0, page.Event == string(e),
		})
	}
	return render(w, v, http.StatusOK, "activity", page)
}

type trashPage struct {
	Photos      []store.Photo
	Keep        time.Duration
	Account     string
	Next, First string
	live
}

// Ends is when a withdrawn photo ends.
func (t trashPage) Ends(p store.Photo) time.Time { return p.WithdrawnAt.Add(t.Keep) }

// Days is how long they are kept.
func (t trashPage) Days() string { return span(t.Keep, "a short time", "") }

func trashList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := trashPage{Account: v.FormValue("account"), Keep: v.site.TrashKeep, live: following}
	want := store.PhotoQuery{
		PhotoFilter: store.PhotoFilter{Account: page.Account, Job: v.FormValue("job")}, Show: store.ShowWithdrawn, Order: store.ByWithdrawn,
		After: keyFrom(v, store.ByWithdrawn), Limit: photosPerPage + 1,
	}
	photos, err := v.view.Photos(v.Context(), want)
	if err != nil {
		return err
	}
	q := v.URL.Query()
	if len(photos) > photosPerPage {
		photos = photos[:photosPerPage]
		page.Next = query("/trash", q, keyParams(photos[photosPerPage-1].Key(want.Order))...)
	}
	if want.After.ID != 0 {
		page.First = query("/trash", q, "after", "", "id", "")
	}
	page.Photos = photos
	return render(w, v, http.StatusOK, "trash", page)
}
