package web

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/store"
)

// page asks for a page and requires that it is there.
func (b *adminBed) page(cookie, path string) string {
	b.Helper()
	w := b.ask("GET", path, nil, "Cookie", cookie)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// Following the links from page to page shows every photo of an album once,
// in both orders; a contact sheet shows them all at once.
func TestAnAlbumInPages(t *testing.T) {
	b := newAdminBed(t)
	b.must(catalogues.Fill(t.Context(), b.s, catalogues.Plan{Accounts: []catalogues.Account{{Name: "studio", Layout: layout.Jobs, Jobs: []catalogues.Job{
		{Name: "j", Albums: []catalogues.Album{{Name: "many", Individuals: 450, Group: 201}}},
	}}}}))
	b.addOperator("eva", 0)
	cookie := b.session("eva")
	tile := regexp.MustCompile(`<li id="photo-(\d+)">`)
	next := regexp.MustCompile(`rel="next" href="([^"]+)"`)
	for _, sort := range []string{"", "?sort=taken", "?sheet=1"} {
		seen := map[string]int{}
		for todo := []string{"/jobs/studio/j/many" + sort}; len(todo) > 0; todo = todo[1:] {
			html := b.page(cookie, todo[0])
			for _, m := range tile.FindAllStringSubmatch(html, -1) {
				seen[m[1]]++
			}
			for _, m := range next.FindAllStringSubmatch(html, -1) {
				todo = append(todo, strings.ReplaceAll(m[1], "&amp;", "&"))
			}
			if sort == "?sheet=1" && len(todo) > 1 {
				t.Error("a sheet that goes on")
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%q: photo %s %d times", sort, id, n)
			}
		}
		if len(seen) != 651 {
			t.Errorf("%q: %d of 651 photos", sort, len(seen))
		}
	}
	if html := b.page(cookie, "/jobs/studio/j/many?from=IMG_0440"); strings.Contains(html, "IMG_0439.jpg") || !strings.Contains(html, "IMG_0440.jpg") || !strings.Contains(html, "IMG_0450.jpg") {
		t.Error("from a file name: not from there to the end")
	}
	for _, path := range []string{"/jobs/studio/j/none", "/jobs/studio/none", "/jobs/none/j", "/accounts/none", "/photos/999999", "/portraits?account=studio"} {
		if w := b.ask("GET", path, nil, "Cookie", cookie); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/jobs/studio/j/many?area=individuals&after=x&id=y", "/jobs/studio/j/many?area=odd", "/problems?after=-1", "/activity?after=x&back=1&event=odd", "/trash?id=9&after=z", "/portraits?q=%25", "/jobs?state=odd&q=%27"} {
		b.page(cookie, path)
	}
}

// A name is text, whatever it is, and no page has anything that the policy
// would stop.
func TestNamesAreText(t *testing.T) {
	b := newAdminBed(t)
	names := append([]string{`<script>alert(1)</script>.jpg`}, catalogues.Hostile...)
	b.must(catalogues.Fill(t.Context(), b.s, catalogues.Plan{Accounts: []catalogues.Account{{Name: "studio", Layout: layout.Jobs, Problem: 1, Jobs: []catalogues.Job{
		{Name: "j", Albums: []catalogues.Album{{Name: `"><script>alert(2)</script>`, Files: names}}},
	}}}}))
	b.addOperator("eva", 0)
	cookie := b.session("eva")
	b.status.Warnings = []control.Warning{{Text: "<script>alert(3)</script>"}}
	b.status.Uploading = []control.Progress{{Account: "studio", Path: `j/<img src=x onerror=alert(4)>`, Since: time.Now()}}
	bad := regexp.MustCompile(`(?i)<script>|<img src=x|<[^>]*\son\w+=|<[^>]*\sstyle=|<style|javascript:`)
	values := regexp.MustCompile(`"[^"<>]*"`) // of attributes, where a name may stand
	photos, err := b.s.View(0).Photos(t.Context(), store.PhotoQuery{Account: "studio"})
	b.must(err)
	if len(photos) != len(names) {
		t.Fatalf("%d photos", len(photos))
	}
	paths := []string{
		"/", "/jobs", "/jobs/studio/j", albumURL("studio", "j", photos[0].Album), "/problems", "/activity", "/trash", "/accounts", "/accounts/studio",
		"/portraits?q=%3Cscript%3E", "/jobs?q=%22%3E%3Cscript%3E", "/activity?q=%22%3E%3Cscript%3E&account=%3Cscript%3E", "/problems?job=%3Cscript%3E",
		albumURL("studio", "j", photos[0].Album) + "?from=%3Cscript%3E",
	}
	for _, p := range photos {
		paths = append(paths, photoURL(p.ID))
	}
	for _, path := range paths {
		if found := bad.FindString(values.ReplaceAllString(b.page(cookie, path), `""`)); found != "" {
			t.Errorf("%s: %s", path, found)
		}
	}
	if html := b.page(cookie, paths[3]); !strings.Contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;.jpg") {
		t.Error("the album does not show the name")
	}
}

// The card can be had in every form, and says what is known.
func TestCards(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	cookie := b.session("eva")
	if html := b.page(cookie, "/accounts/lincoln"); !strings.Contains(html, "sudo picday account card lincoln") {
		t.Error("it does not say how the host key becomes known")
	}
	b.tx(func(tx *store.Tx) error {
		return tx.SetHostKeys([]store.HostKey{{Type: "ssh-ed25519", SHA256: "SHA256:abc+d/e"}})
	})
	for path, want := range map[string]string{
		"": "SHA256:abc&#43;d/e", "/filezilla.xml": "<Host>sftp.example</Host>", "/card.txt": "SHA256:abc+d/e",
		"/winscp.url": "[InternetShortcut]\r\nURL=sftp://lincoln;fingerprint=ssh-ed25519-abc-d_e@sftp.example:22/lincoln/\r\n",
	} {
		w := b.ask("GET", "/accounts/lincoln"+path, nil, "Cookie", cookie)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if path != "" && !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
	if w := b.ask("GET", "/accounts/lincoln/password.txt", nil, "Cookie", cookie); w.Code != http.StatusNotFound {
		t.Errorf("another file: %d", w.Code)
	}
}

// A stream says when something has changed, to who may see it; it ends when
// picdayd stops, and there are only so many of them.
func TestEvents(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("lea", b.acct.ID)
	b.addOperator("max", b.other.ID)
	server := httptest.NewServer(b.gate)
	t.Cleanup(server.Close)
	ctx, end := context.WithCancel(t.Context())
	t.Cleanup(end)
	get := func(name string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events?follow=catalogue", nil)
		b.must(err)
		req.Header.Set("Cookie", b.session(name))
		res, err := http.DefaultClient.Do(req)
		b.must(err)
		t.Cleanup(func() { res.Body.Close() })
		return res
	}
	stream := func(name string) (marks chan string) {
		res := get(name)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%d %v", res.StatusCode, res.Header)
		}
		marks = make(chan string, 100)
		go func() {
			defer close(marks)
			for lines := bufio.NewScanner(res.Body); lines.Scan(); {
				if mark, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					marks <- mark
				}
			}
		}()
		return marks
	}
	lea, max := stream("lea"), stream("max")
	before, others := <-lea, <-max
	b.put("12", "Ann")
	after := <-lea
	if after == before {
		t.Error("the same mark twice")
	}
	if html := b.page(b.session("lea"), "/portraits"); !strings.Contains(html, fmt.Sprintf(`data-mark="%s"`, after)) {
		t.Error("the page does not carry the mark that it shows")
	}
	if html := b.page(b.session("max"), "/portraits"); !strings.Contains(html, fmt.Sprintf(`data-mark="%s"`, others)) {
		t.Error("the mark of another account has changed")
	}
	var all []chan string
	for range maxStreams - 1 {
		all = append(all, stream("lea"))
	}
	if res := get("lea"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", res.StatusCode)
	}
	b.gate.Stop()
	for _, marks := range append(all, lea, max) {
		for range marks { // until it ends
		}
	}
}

// The banner says to who sees one account that work stands still, and what is about that
// account, but nothing of the machine or of another account.
func TestAlertsAreScoped(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("lea", b.acct.ID)
	b.addOperator("eva", 0)
	b.status.Warnings = []control.Warning{
		{Kind: control.UploadsNotTaken, Text: "the disk /dev/secret is full"},
		{Kind: control.AccountAtLimit, Account: "lincoln", Text: "lincoln is full"},
		{Kind: control.AccountAtLimit, Account: "acme", Text: "acme is full"},
		{Text: "something of the machine"},
	}
	for name, sees := range map[string]string{
		"eva": "the disk /dev/secret is full, lincoln is full, acme is full, something of the machine", "lea": "Uploads are not taken in at the moment, lincoln is full",
	} {
		html := b.page(b.session(name), "/trash") + b.page(b.session(name), "/problems")
		for _, text := range []string{"the disk /dev/secret is full", "lincoln is full", "acme is full", "something of the machine", "Uploads are not taken in at the moment"} {
			if want := strings.Contains(sees, text); strings.Contains(html, text) != want {
				t.Errorf("%s sees %q: %v", name, text, !want)
			}
		}
	}
}

// Who sees one account sees what is arriving for it, and nothing of the
// machine.
func TestOverviewOfOneAccount(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("lea", b.acct.ID)
	b.addOperator("eva", 0)
	b.gate.Site.Disks = func() []Disk { return []Disk{{"Uploads", 1000, 50}} }
	at := time.Now()
	b.status.LastProvenAlive, b.status.Queued, b.status.Warnings = &at, 77, []control.Warning{{Text: "something of the machine"}}
	b.status.Uploading = []control.Progress{{Account: "lincoln", Path: "mine.jpg", Since: at}, {Account: "acme", Path: "theirs.jpg", Since: at}}
	b.status.InProgress = []control.Progress{{Account: "acme", Path: "theirs too.jpg", Since: at}}
	all := []string{"mine.jpg", "theirs.jpg", "theirs too.jpg", "something of the machine", "Disk space", "Nearly full", ">77<", "Working"}
	for name, sees := range map[string][]string{"eva": all, "lea": {"mine.jpg", "Working"}} {
		html := b.page(b.session(name), "/")
		for _, text := range all {
			if want := strings.Contains(strings.Join(sees, "\n"), text); strings.Contains(html, text) != want {
				t.Errorf("%s sees %q: %v, not %v", name, text, !want, want)
			}
		}
	}
	old := at.Add(-time.Hour)
	b.status.LastProvenAlive = &old
	if html := b.page(b.session("lea"), "/"); !strings.Contains(html, "Not proven alive") {
		t.Error("an hour without a proof is shown as work")
	}
}
