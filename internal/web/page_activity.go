package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"picday/internal/helper"
	"picday/internal/language"
	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/store"
)

// An activityRow is an entry as it is shown.
type activityRow struct {
	store.Activity
	Day   time.Time // set where another day begins
	Thumb string    // "": there is none
	words *language.Words
}

// activityRows adds days and pictures.
func (v *visit) activityRows(all []store.Activity) []activityRow {
	rows := make([]activityRow, len(all))
	last := ""
	for i, a := range all {
		rows[i].Activity, rows[i].words = a, v.words
		if today := a.At.Local().Format(time.DateOnly); today != last {
			rows[i].Day, last = a.At, today
		}
		if a.PhotoID != 0 {
			rows[i].Thumb = photoURL(a.PhotoID) + "/" + v.site.thumb() + ".jpg"
		}
	}
	return rows
}

// thumb is the name of the smallest rendition that is large enough for a tile.
func (s *Site) thumb() string {
	best := rendition.Spec{Name: "thumb"}
	for i, r := range s.Renditions {
		if i == 0 || r.Longest >= 200 && (r.Longest < best.Longest || best.Longest < 200) {
			best = r
		}
	}
	return best.Name
}

// What says in a few words what happened.
func (a activityRow) What() string {
	return a.words.Sentence(eventNames[a.Event])
}

// eventNames say what happened.
var eventNames = map[store.Event]string{
	store.EventAdded: "Added", store.EventReplaced: "Replaced", store.EventMoved: "Moved", store.EventRestored: "Restored",
	store.EventWithdrawn: "Withdrawn", store.EventReverted: "Earlier picture put back", store.EventAccepted: "New picture accepted", store.EventRotated: "Link rotated", store.EventProblem: "Problem", store.EventCard: "Card named", store.EventProposal: "Proposal decided", store.EventDeleted: "Deleted",
	store.EventActivated: "Put on sale", store.EventPlanned: "Planned again", store.EventDownloaded: "Downloaded",
	store.EventExpected: "Photos expected", store.EventIgnored: "Ignored", store.EventUnignored: "No longer ignored",
	store.EventJobAdded: "Job added", store.EventJobRemoved: "Job removed", store.EventAccount: "Account changed", store.EventRoster: "List of people taken", store.EventRefused: "Refused",
}

// Where is the path that it happened to, or of a download in words what was downloaded.
func (a activityRow) Where() string {
	if a.Event == store.EventDownloaded {
		return a.words.Sentence(a.Path)
	}
	return a.Path
}

// More adds details.
func (a activityRow) More() string {
	switch {
	case a.Event == store.EventDownloaded || a.Event == store.EventRoster:
		return a.words.Sentence(a.Detail)
	case a.Event == store.EventMoved && a.Detail != "":
		return a.words.T("from %s", a.Detail)
	case a.Event == store.EventProblem:
		return a.words.Sentence(layout.Reason(a.Detail).Message())
	case a.Event == store.EventExpected:
		n, _ := strconv.Atoi(a.Detail)
		return a.words.T("%d photos", n)
	case a.Event == store.EventIgnored || a.Event == store.EventUnignored:
		if n, err := strconv.Atoi(a.Detail); err == nil {
			return a.words.T("%d files", n)
		}
		return a.words.Sentence(reasonNames[layout.Reason(a.Detail)])
	case a.Event == store.EventAccount:
		return a.words.Sentence(accountChanges[a.Detail])
	case a.Event == store.EventRefused:
		verb, why, _ := strings.Cut(a.Detail, " ")
		return a.words.T("%s: %s", a.words.Sentence(askedFor[verb]), a.words.Sentence(why))
	case a.Event == store.EventDeleted:
		return a.words.T("A badly named file, after its days.")
	case a.Event == store.EventWithdrawn && a.Operator == "":
		return a.words.T("The uploader deleted the file.")
	}
	return ""
}

// accountChanges say what operators have asked root's helper for.
var accountChanges = map[string]string{
	string(helper.AccountAdd): "made", string(helper.AccountPasswd): "new password", string(helper.AccountKey): "new keys",
	string(helper.AccountAllow): "other addresses", string(helper.AccountDisable): "closed", string(helper.AccountEnable): "opened again",
	string(helper.LoginAdd): "a log-in made", string(helper.LoginRemove): "a log-in ended",
	string(helper.LoginUntil): "another last day of a log-in",
	languageChanged:           "another language",
}

// askedFor says what operators ask root's helper for.
var askedFor = map[string]string{
	string(helper.JobAdd): "add a job", string(helper.JobRemove): "remove a job", string(helper.TrashRestore): "restore with the file",
	string(helper.AccountAdd): "make an account", string(helper.AccountPasswd): "set a new password", string(helper.AccountKey): "replace the keys",
	string(helper.AccountAllow): "replace the addresses", string(helper.AccountDisable): "close the account", string(helper.AccountEnable): "open the account",
	string(helper.LoginAdd): "make a log-in", string(helper.LoginUntil): "change the last day of a log-in", string(helper.LoginRemove): "end a log-in",
}

type activityPage struct {
	Rows          []activityRow
	Accounts      []string
	Events        []choice
	Account, Text string
	Event         string
	Pages         pageLinks
	followed
}

const activityPerPage = 100

func activityList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := activityPage{Account: v.FormValue("account"), Text: v.FormValue("q"), Event: v.FormValue("event"), followed: following}
	q := v.URL.Query()
	here := func(change ...string) string {
		return query("/activity", q, append([]string{"after", "", "back", ""}, change...)...)
	}
	want := store.ActivityQuery{Account: page.Account, Event: store.Event(page.Event), Text: page.Text}
	found, pages, err := turnByID(v, activityPerPage, func(a store.Activity) int64 { return a.ID }, here, func(beyond int64, back bool, limit int) ([]store.Activity, error) {
		want.Beyond, want.Backwards, want.Limit = beyond, back, limit
		return v.view.Activity(v.Context(), want)
	})
	if err != nil {
		return err
	}
	page.Pages = pages
	page.Rows = v.activityRows(found)
	if v.view.Everything() {
		if page.Accounts, err = v.view.AccountNames(v.Context()); err != nil {
			return err
		}
	}
	page.Events = []choice{{v.t("All"), here("event", ""), 0, page.Event == ""}}
	for _, e := range store.Events {
		page.Events = append(page.Events, choice{
			v.t(eventNames[e]), here("event", string(e)), 0, page.Event == string(e),
		})
	}
	return render(w, v, http.StatusOK, "activity", page)
}

type trashPage struct {
	Photos  []store.Photo
	Keep    time.Duration
	Account string
	Pages   pageLinks
	Chosen  chosenView
	followed
}

// Ends is when a withdrawn photo ends.
func (t trashPage) Ends(p store.Photo) time.Time { return p.WithdrawnAt.Add(t.Keep) }

func trashList(w http.ResponseWriter, v *visit) error {
	following := v.follow("catalogue")
	page := trashPage{Account: v.FormValue("account"), Keep: v.site.TrashKeep, Chosen: v.chosen("restore"), followed: following}
	want := store.PhotoQuery{
		Account: page.Account, Job: v.FormValue("job"), Show: store.ShowWithdrawn, Order: store.ByWithdrawn,
		After: keyFrom(v, store.ByWithdrawn), Backwards: v.FormValue("back") != "",
	}
	var err error
	page.Photos, page.Pages, err = v.turn(want, func(change ...string) string { return query("/trash", v.URL.Query(), change...) })
	if err != nil {
		return err
	}
	return render(w, v, http.StatusOK, "trash", page)
}
