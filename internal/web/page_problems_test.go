package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// wrong enters a problem of acme.
func (b *adminBed) wrong(path string, reason layout.Reason) {
	b.Helper()
	b.tx(func(tx *store.Tx) error {
		id := upload.Identity{Volume: 1, Ino: b.ino.Add(1), Size: 3}
		return tx.Problem(b.other, store.Place{Path: path, Shown: path, Job: "job00001"}, id, reason, 0, gone{})
	})
}

// groups are the problem groups of acme, newest first.
func (b *adminBed) groups() []store.ProblemGroup {
	b.Helper()
	all, err := b.s.All().ProblemGroups(b.Context(), store.ProblemGroupQuery{Account: "acme"})
	b.must(err)
	return all
}

func (b *adminBed) has(html string, want ...string) {
	b.Helper()
	for _, w := range want {
		if yes, no := strings.CutPrefix(w, "!"); no && strings.Contains(html, yes) || !no && !strings.Contains(html, w) {
			b.Errorf("not as it should be: %s", w)
		}
	}
}

// The problems are grouped by folder and reason, a group opens its files with a message
// for the photographer, and a role "work" says that files are no photos.
func TestProblemsAreWork(t *testing.T) {
	b := newAdminBed(t)
	for i := range 43 {
		b.wrong(fmt.Sprintf("job00001/Klasse 1a/Einzelfotos/IMG_%04d.jpg", i), layout.UnknownFolder)
	}
	b.wrong("job00001/Klasse 1a/logo.png", layout.NotJPEG)
	b.wrong("job00001/Klasse 1a/names.pdf", layout.NotJPEG)
	b.addOperator("ann", 0)
	b.addOperator("lin", b.acct.ID)
	b.tx(func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: "looker", AccountID: b.other.ID, Role: store.Look}, passwordHash())
	})
	ann, looker, lin := b.session("ann"), b.session("looker"), b.session("lin")
	groups := b.groups()
	if len(groups) != 2 {
		t.Fatalf("%+v", groups)
	}
	mixed, folder := groups[0], groups[1]
	address := groupURL(folder.ID, false)
	list := b.page(ann, "/problems")
	b.has(list, "43 files in <bdi>job00001/Klasse 1a/Einzelfotos</bdi>", "neither &#39;individuals&#39;", "2 files in <bdi>job00001/Klasse 1a</bdi>", `Problems <span class="n">45<`, address, "!Ignored files")
	b.has(b.page(ann, "/"), "43 files in")
	b.has(b.page(lin, "/problems"), "!Klasse")
	html := b.page(ann, address)
	b.has(html, "<bdi>IMG_0000.jpg</bdi>", "<bdi>IMG_0042.jpg</bdi>", "43 files of your upload have not become photos.", "Folder: job00001/Klasse 1a/Einzelfotos", `<textarea id="message"`, "Ignore all 43 files", "sudo picday account areas acme --group Einzelfotos")
	b.has(b.page(ann, groupURL(mixed.ID, false)), "This is a PDF", "Export it as JPEG", "  names.pdf\n")
	b.has(b.page(looker, address), "IMG_0000.jpg", "Message for the photographer", "!Ignore all", "!Not a photo")

	post := func(who, path, back string, seen time.Time, want int) {
		t.Helper()
		form := url.Values{"seen": {fmt.Sprint(seen.UnixMilli())}, "back": {back}}
		if w := b.ask("POST", path, form, "Cookie", who); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	problems := func(want int) {
		t.Helper()
		if c, err := b.s.All().Counts(t.Context()); err != nil || c.Problems != want {
			t.Errorf("%d problems, want %d: %v", c.Problems, want, err)
		}
	}
	files, err := b.s.All().ProblemsOf(t.Context(), folder, store.GroupPage{})
	b.must(err)
	file := fmt.Sprintf("/problems/files/%d", files[7].ID)
	group := groupURL(folder.ID, false)
	for _, action := range []string{"/ignore", "/unignore"} {
		post(looker, file+action, "", folder.Latest, http.StatusForbidden)
		post(lin, file+action, "", folder.Latest, http.StatusNotFound)
		post(looker, group+action, "", folder.Latest, http.StatusForbidden)
		post(lin, group+action, "", folder.Latest, http.StatusNotFound)
	}
	if w := b.ask("GET", group, nil, "Cookie", lin); w.Code != http.StatusNotFound {
		t.Errorf("another account's operator: %d", w.Code)
	}
	problems(45)
	post(ann, file+"/ignore", group, files[7].Since, http.StatusSeeOther)
	problems(44)
	b.has(b.page(ann, group), "42 files in", "!IMG_0007", "1 file of this folder that somebody ignores")
	b.has(b.page(ann, group+"?ignored=1"), "IMG_0007", "ignored by ann", "!IMG_0008")
	b.has(b.page(ann, "/problems"), "Ignored files")
	b.has(b.page(ann, "/problems?ignored=1"), "IMG_0007")
	b.has(b.page(lin, "/problems?ignored=1"), "!IMG_0007")
	post(ann, group+"/ignore", "", folder.Latest.Add(-time.Hour), http.StatusSeeOther) // a page that was open before they came
	problems(44)
	post(ann, group+"/ignore", "", folder.Latest, http.StatusSeeOther)
	problems(2)
	b.has(b.page(ann, "/activity"), "Ignored", "42 files", "by ann")
	post(ann, group+"/unignore", "/problems?ignored=1", folder.Latest, http.StatusSeeOther)
	problems(45)
	w := b.ask("POST", file+"/ignore", url.Values{"seen": {fmt.Sprint(files[7].Since.UnixMilli())}, "back": {"//evil.example/"}}, "Cookie", ann)
	if to := w.Header().Get("Location"); to != "/?done=ignored" {
		t.Errorf("sent to %s", to)
	}
}

// The pages of problems and of activity lead forth and back.
func TestListsByIDLeadBothWays(t *testing.T) {
	b := newAdminBed(t)
	for i := range 2*groupsPerPage + 10 {
		b.wrong(fmt.Sprintf("job00001/A/%03d/x.jpg", i), layout.UnknownFolder)
	}
	b.addOperator("ann", 0)
	cookie := b.session("ann")
	link := func(html, name string) string {
		t.Helper()
		_, rest, _ := strings.Cut(html, `rel="`+name+`"`)
		_, rest, _ = strings.Cut(rest, `href="`)
		to, _, _ := strings.Cut(rest, `"`)
		return strings.ReplaceAll(to, "&amp;", "&")
	}
	for _, c := range []struct{ list, first, second string }{
		{"/problems", "A/109/", "A/059/"},
		{"/activity", "A/109/", "A/009/"},
	} {
		one := b.page(cookie, c.list)
		b.has(one, c.first, "!"+c.second)
		two := b.page(cookie, link(one, "next"))
		b.has(two, "!"+c.first, c.second)
		b.has(b.page(cookie, link(two, "prev")), c.first, "!"+c.second)
	}
}

// A file that lost its ID to another one leads to the picture that is shown.
func TestADuplicateLeadsToTheWinner(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.tx(func(tx *store.Tx) error {
		path := "lincoln/user-pictures/12.jpeg"
		return tx.Problem(b.acct, store.Place{Path: path, Shown: path}, upload.Identity{Volume: 1, Ino: b.ino.Add(1)}, layout.DuplicateID, 0, gone{})
	})
	b.addOperator("ann", 0)
	b.has(b.page(b.session("ann"), "/problems"), `<a href="`+photoURL(b.photo("12").ID)+`">The picture that is shown under this ID`)
}
