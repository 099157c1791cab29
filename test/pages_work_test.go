package test

import (
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"picday/internal/test/bed"
)

// waitVisible waits until an element can be seen, or cannot.
func (b *browser) waitVisible(selector string, want bool) {
	b.t.Helper()
	bed.Eventually(b.t, selector+" can be seen", func() (bool, any) {
		var seen bool
		b.eval("(() => { const e = document.querySelector('"+selector+"'); return !!e && e.checkVisibility({ visibilityProperty: true }) && e.innerText.trim() !== ''; })()", &seen)
		return seen == want, seen
	})
}

// An open page says by itself that picdayd was stopped or hangs, and that the volume is
// away; it takes that back. What an operator has done stays said until he closes it.
func TestAnOpenPageIsNeverAFalseGreen(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/1.jpg", photo()))
	s.waitPhotos(u, "job1/A/1.jpg")
	b := s.newBrowser()
	b.logIn("eva", s.operator("eva"))
	b.waitVisible(".health .state", true)
	b.waitVisible("#lost", false)

	s.daemon.Freeze()
	b.waitText("#lost", "picdayd does not answer")
	b.waitVisible(".health .state", false)
	b.checkPage("picdayd-does-not-answer")
	s.daemon.Thaw()
	b.waitVisible("#lost", false)
	b.waitVisible(".health .state", true)

	s.daemon.Stop(syscall.SIGTERM)
	b.waitText("#lost", "picdayd does not answer")
	s.daemon = s.StartDaemon()
	b.waitVisible("#lost", false)
	b.requireNoErrors("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")

	b.open("/jobs/" + u.Name + "/job1/A")
	marker := s.Uploads + "/.picday-volume"
	s.must(os.Rename(marker, marker+".away"))
	b.waitVisible("#alerts", true)
	b.checkPage("volume-away")
	s.must(os.Rename(marker+".away", marker))
	b.waitVisible("#alerts", false)

	b.follow(".grid a")
	b.do(chromedp.Click("details:nth-of-type(2) summary"))
	b.follow(`form[action$="/withdraw"] button`)
	b.waitText("main .done", "Withdrawn")
	s.must(wire.Put("/job1/A/2.jpg", photo()))
	s.waitPhotos(u, "job1/A/2.jpg")
	b.open("/") // its URL has no message of a past action
	b.waitCount("main .done", 0)
	b.waitText(".strip", "2.jpg")
	b.follow(".strip a")
	b.do(chromedp.Click("details:nth-of-type(2) summary"))
	b.follow(`form[action$="/withdraw"] button`)
	var mark string
	b.eval("document.body.dataset.mark", &mark)
	s.must(wire.Put("/job1/A/3.jpg", photo()))
	bed.Eventually(t, "the page was brought up to date", func() (bool, any) {
		var now string
		b.eval("document.body.dataset.mark", &now)
		return now != mark, now
	})
	b.waitText("main .done", "Withdrawn")
	b.checkPage("photo-just-withdrawn")
	b.do(chromedp.Focus("[data-close]"))
	b.key(kb.Enter)
	b.waitCount("main .done", 0)
	b.requireNoErrors()
}

// What an operator does all day, on one site in one browser: each part is a task.
func TestTheDaysWorkInABrowser(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1", "job2", "job10")
	wire := u.ByKey().MustWire()
	var paths []string
	for _, album := range []string{"Klasse 2", "Klasse 10", "Ägypten", "Apfel"} {
		s.must(wire.Mkdir("/job1/" + album))
	}
	for _, path := range []string{"job1/Klasse 2/IMG_10.jpg", "job1/Klasse 2/IMG_2.jpg", "job1/Klasse 2/IMG_1.jpg", "job1/Klasse 10/Müller_Anna.jpg", "job1/Ägypten/1.jpg", "job1/Apfel/1.jpg"} {
		s.must(wire.Put("/"+path, photo()))
		paths = append(paths, path)
	}
	s.waitPhotos(u, paths...)
	b := s.newBrowser()
	b.logIn("eva", s.operator("eva", "--account", u.Name))
	t.Run("finding", func(*testing.T) { testFindingInBrowser(b, u) })
	t.Run("on paper", func(*testing.T) { testPaperInBrowser(b, u) })
	t.Run("many at once", func(*testing.T) { testSelectionInBrowser(b, u, s) })
	t.Run("problems", func(*testing.T) { testProblemsInBrowser(b, u, s) })
	t.Run("arrival", func(*testing.T) { testArrivalInBrowser(b, u, s) })
}

// texts are the texts of all elements.
func (b *browser) texts(selector string) (all []string) {
	b.t.Helper()
	b.eval(`[...document.querySelectorAll("`+selector+`")].map((e) => e.innerText.trim())`, &all)
	return all
}

// Everything is in the order in which people look for it, found by a word from any page by
// the keyboard alone, and left again to the same place.
func testFindingInBrowser(b *browser, u *bed.Uploader) {
	t := b.t
	b.open("/jobs")
	if got := b.texts("tbody th"); !slices.Equal(got, []string{"job1", "job2", "job10"}) {
		t.Errorf("jobs: %q", got)
	}
	b.follow(`.choices a[href*="sort=latest"]`)
	if got := b.texts("tbody th"); got[0] != "job1" {
		t.Errorf("jobs by their last upload: %q", got)
	}
	b.follow("tbody th a")
	if got := b.texts(".album .caption:not(.soft)"); !slices.Equal(got, []string{"Ägypten", "Apfel", "Klasse 2", "Klasse 10"}) {
		t.Errorf("albums: %q", got)
	}
	b.key("/")
	b.do(chromedp.SendKeys("#find", "klasse 1"))
	b.leave(func() { b.key(kb.Enter) })
	if got := b.texts(".found bdi"); !slices.Equal(got, []string{"Klasse 10"}) {
		t.Errorf("found: %q", got)
	}
	b.checkPage("search")
	b.open("/search?q=MULLER")
	b.leave(func() { b.do(chromedp.Focus(".grid a")); b.key(kb.Enter) })
	b.waitText("h1", "Müller_Anna.jpg")
	b.open("/search?q=nobody")
	b.waitText("main", "Nothing")
	b.checkPage("search-nothing")
	b.open("/jobs/" + u.Name + "/job1/Klasse%202")
	if got := b.texts(".grid .caption"); !slices.Equal(got, []string{"IMG_1.jpg", "IMG_2.jpg", "IMG_10.jpg"}) {
		t.Errorf("photos: %q", got)
	}
	b.follow(".grid li:nth-child(3) a")
	b.leave(func() { b.key(kb.Escape) })
	b.waitText("li:target", "IMG_10.jpg")
	b.checkPage("album-back-at-a-tile")
	b.requireNoErrors()
}

// Many photos are selected by the keyboard or with Shift, withdrawn, restored and
// downloaded at once, also without scripts.
func testSelectionInBrowser(b *browser, u *bed.Uploader, s *site) {
	album := "/jobs/" + u.Name + "/job1/Klasse%202"
	b.open(album)
	b.waitVisible("#chosen", false)
	b.do(chromedp.Focus(".grid a"))
	b.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(input.ModifierCtrl)))
	b.waitText("#chosen", "3 photos selected")
	b.checkPage("album-selected")
	b.do(chromedp.Click("[data-none]"))
	b.waitVisible("#chosen", false)
	b.do(chromedp.Click(".grid li:nth-child(1) .pick"))
	b.eval("document.querySelector('.grid li:nth-child(3) .pick').dispatchEvent(new MouseEvent('click', { shiftKey: true, bubbles: true }))", nil)
	b.waitText("#chosen", "3 photos selected")
	b.do(chromedp.Click("#chosen summary"))
	b.follow("#chosen button.danger")
	b.waitText("h1", "job1") // the empty album has disappeared, so the job's page is shown
	b.waitText("main .done", "are withdrawn")
	s.waitPhotos(u, "job1/Klasse 10/Müller_Anna.jpg", "job1/Ägypten/1.jpg", "job1/Apfel/1.jpg")

	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open("/trash")
	b.do(chromedp.Click(".grid li:nth-child(1) .pick"), chromedp.Click(".grid li:nth-child(2) .pick"))
	b.follow(`#chosen [value="restore"]`)
	b.waitText("main .done", "are restored")
	b.waitCount(".grid li", 1)
	b.do(emulation.SetScriptExecutionDisabled(false))
	b.open("/trash")
	b.checkPage("trash-one")
	b.do(chromedp.Click("[data-all]"))
	b.follow(`#chosen [value="restore"]`)

	// The page fetches what the browser would save.
	b.open(album)
	var kinds []string
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.do(chromedp.Click(".downloads summary"))
	b.checkPage("album-downloads")
	b.do(chromedp.Evaluate(`Promise.all([...document.querySelectorAll('.downloads a')].map((a) => fetch(a.href).then(async (r) => r.headers.get('content-type') + ' ' + new Uint8Array(await r.arrayBuffer()).slice(0, 2))))`, &kinds, await))
	if len(kinds) != 3 || kinds[0] != "application/zip 80,75" {
		b.t.Errorf("downloads: %q", kinds)
	}
	b.open("/activity?event=downloaded")
	b.waitText("main", "Downloaded job1/Klasse 2")
	b.waitText("main", "3 photos, originals")
	b.requireNoErrors()
}
