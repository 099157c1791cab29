package test

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"picday/internal/test/bed"
)

// A browser is a window of a real Chromium, without history, cookies or cache. It records
// what must never happen: a message on the console, an exception of a script, a request to
// another server.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string // of the pages

	mu   sync.Mutex
	bad  []string
	live map[network.RequestID]bool // by which an open page follows what changes
}

// chromium is the one process of this package: each test has a profile of its own in it,
// because to start one takes longer than most of what is done with it. It ends with the
// process ids of the package (see bed).
var chromium struct {
	mu  sync.Mutex
	ctx context.Context
}

// startChromium returns the running Chromium, or a new one if there is none any more.
func (s *site) startChromium() context.Context {
	s.t.Helper()
	bed.Need(s.t, "/usr/bin/chromium", "chromium")
	chromium.mu.Lock()
	defer chromium.mu.Unlock()
	if chromium.ctx != nil && chromium.ctx.Err() == nil {
		return chromium.ctx
	}
	dir, err := os.MkdirTemp(filepath.Dir(s.Dir), "chromium")
	s.must(err)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
	)
	ctx, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	started := make(chan error)
	go func() {
		// The kernel ends Chromium with the thread that has started it. Other tests end
		// threads, so it gets one that nobody else uses.
		goruntime.LockOSThread()
		started <- chromedp.Run(ctx)
		<-ctx.Done()
	}()
	s.must(<-started)
	chromium.ctx = ctx
	return ctx
}

// newBrowser opens a window that shares nothing with those of other tests.
func (s *site) newBrowser() *browser {
	s.t.Helper()
	process := s.startChromium()
	var profile cdp.BrowserContextID
	var window target.ID
	inProcess := func(do func(context.Context) error) error {
		return chromedp.Run(process, chromedp.ActionFunc(func(ctx context.Context) error {
			return do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		}))
	}
	s.must(inProcess(func(ctx context.Context) (err error) {
		if profile, err = target.CreateBrowserContext().Do(ctx); err != nil {
			return err
		}
		window, err = target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(ctx)
		return err
	}))
	s.t.Cleanup(func() { _ = inProcess(target.DisposeBrowserContext(profile).Do) }) // fails if Chromium is dead
	ctx, end := chromedp.NewContext(process, chromedp.WithTargetID(window))
	s.t.Cleanup(end)
	ctx, end = context.WithTimeout(ctx, 20*bed.Limit)
	s.t.Cleanup(end)
	b := &browser{t: s.t, ctx: ctx, base: "http://" + s.Admin, live: map[network.RequestID]bool{}}
	chromedp.ListenTarget(ctx, b.record)
	b.do(network.Enable(), emulation.SetFocusEmulationEnabled(true)) // of several windows only one would have the focus
	b.size(1280, 900, "light")
	return b
}

func (b *browser) record(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			b.bad = append(b.bad, "console: "+string(arg.Value))
		}
	case *runtime.EventExceptionThrown:
		b.bad = append(b.bad, "exception: "+e.ExceptionDetails.Text)
	case *cdplog.EventEntryAdded:
		// Chromium reports that it has done what logging out asks for.
		cleared := e.Entry.Level == cdplog.LevelInfo && strings.HasPrefix(e.Entry.Text, "Clear-Site-Data header on ")
		// An open page asks for itself once more when what it shows was removed.
		gone := b.live[e.Entry.NetworkRequestID] && strings.Contains(e.Entry.Text, "404")
		if !cleared && !gone {
			b.bad = append(b.bad, "log: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if _, live := e.Request.Headers["X-Live"]; live {
			b.live[e.RequestID] = true
		}
		if !strings.HasPrefix(e.Request.URL, b.base+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			b.bad = append(b.bad, "a request to "+e.Request.URL)
		}
	}
}

// requireNoErrors requires that the browser has recorded nothing since the last call, except what
// contains one of the words.
func (b *browser) requireNoErrors(except ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, line := range b.bad {
		for _, word := range except {
			if strings.Contains(line, word) {
				continue next
			}
		}
		b.t.Error("the browser saw: " + line)
	}
	b.bad = nil
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.capture("failed", cmp.Or(os.Getenv("PICDAY_ARTIFACTS"), filepath.Join("..", "dist", "pages")))
		b.t.Fatalf("%v\nthe page says:\n%.1500s", err, b.text("body"))
	}
}

func (b *browser) size(width, height int64, scheme string) {
	b.t.Helper()
	b.do(emulation.SetDeviceMetricsOverride(width, height, 1, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// open goes to a page of the listener.
func (b *browser) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base+path), chromedp.WaitReady("main"))
}

// eval evaluates an expression in the page.
func (b *browser) eval(expression string, into any) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, chromedp.Evaluate(expression, into)); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// text returns the text of an element in one line; "" if there is no such element.
func (b *browser) text(selector string) (text string) {
	b.t.Helper()
	b.eval(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector), &text)
	return strings.Join(strings.Fields(text), " ")
}

// waitText waits until an element contains the words, without loading a page.
func (b *browser) waitText(selector, words string) {
	b.t.Helper()
	bed.Eventually(b.t, fmt.Sprintf("%s says %q", selector, words), func() (bool, any) {
		text := b.text(selector)
		return strings.Contains(text, words), text
	})
}

// waitCount waits until the page has want elements.
func (b *browser) waitCount(selector string, want int) {
	b.t.Helper()
	bed.Eventually(b.t, fmt.Sprintf("%d of %s", want, selector), func() (bool, any) {
		var n int
		b.eval(fmt.Sprintf("document.querySelectorAll(%q).length", selector), &n)
		return n == want, n
	})
}

// follow clicks an element that leads to another page, and waits until that is loaded.
func (b *browser) follow(selector string) {
	b.t.Helper()
	b.leave(func() { b.do(chromedp.Click(selector, chromedp.ByQuery)) })
}

// leave does what leads to another page, and waits until that is loaded.
func (b *browser) leave(do func()) {
	b.t.Helper()
	b.eval("window.stillHere = true", nil)
	do()
	bed.Eventually(b.t, "another page", func() (bool, any) {
		var there bool
		var where string
		err := chromedp.Run(b.ctx, chromedp.Evaluate("!window.stillHere && document.readyState === 'complete'", &there), chromedp.Location(&where))
		return err == nil && there, where
	})
}

// key presses a key once the page and its script are loaded.
func (b *browser) key(key string) {
	b.t.Helper()
	bed.Eventually(b.t, "the page is there", func() (bool, any) {
		var state string
		err := chromedp.Run(b.ctx, chromedp.Evaluate("document.readyState", &state))
		return err == nil && state == "complete", state
	})
	b.do(chromedp.KeyEvent(key))
}

func (b *browser) path() string {
	b.t.Helper()
	var at string
	b.do(chromedp.Location(&at))
	u, err := url.Parse(at)
	if err != nil {
		b.t.Fatal(err)
	}
	return u.Path
}

func (b *browser) logIn(name, password string) {
	b.t.Helper()
	b.open("/login")
	b.do(chromedp.SendKeys("#name", name), chromedp.SendKeys("#password", password))
	b.follow("main button")
	if b.path() != "/" {
		b.t.Fatalf("after the log-in at %s:\n%s", b.path(), b.text("main"))
	}
}

// screenshot saves a screenshot of the page in $PICDAY_ARTIFACTS, if that is given.
func (b *browser) screenshot(name string) {
	if dir := os.Getenv("PICDAY_ARTIFACTS"); dir != "" {
		b.capture(name, dir)
	}
}

func (b *browser) capture(name, dir string) {
	var png []byte
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = chromedp.Run(b.ctx, chromedp.CaptureScreenshot(&png))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Errorf("screenshot %s: %v", name, err)
	}
}

// lowContrast finds text with less contrast than WCAG AA requires.
const lowContrast = `(() => {
  const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const found = [];
  for (const e of document.body.querySelectorAll('*')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.nodeValue.trim());
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!own && !(e.placeholder && !e.value) || box.width <= 1 || style.visibility === 'hidden') continue;
    const color = parse(e.placeholder && !own ? getComputedStyle(e, '::placeholder').color : style.color);
    const a = light(color), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), big = size >= 24 || size >= 18.66 && parseInt(style.fontWeight) >= 700;
    if (color[3] !== 1 || ratio < (big ? 3 : 4.5)) found.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + (e.innerText || e.placeholder).slice(0, 30));
  }
  return found;
})()`

// checkPage requires that the open page is readable in both colour schemes, is not wider
// than the window, and has a name for each control.
func (b *browser) checkPage(name string) {
	b.t.Helper()
	for _, window := range []struct {
		name          string
		width, height int64
	}{{"desktop", 1280, 900}, {"phone", 375, 812}} {
		for _, scheme := range []string{"light", "dark"} {
			b.size(window.width, window.height, scheme)
			var wide int
			b.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth", &wide)
			if wide > 0 {
				b.t.Errorf("%s on a %s is %d pixels too wide", name, window.name, wide)
			}
			var texts []string
			b.eval(lowContrast, &texts)
			for _, text := range texts {
				b.t.Errorf("%s, %s: hard to read: %s", name, scheme, text)
			}
			b.screenshot(name + "-" + window.name + "-" + scheme)
			if (window.name == "phone") == (scheme == "dark") {
				b.accessible(name + " on a " + window.name)
			}
		}
	}
	b.size(1280, 900, "light")
	var odd []string
	b.eval(`[
		...(document.querySelectorAll('h1').length === 1 ? [] : ['h1: ' + document.querySelectorAll('h1').length]),
		...(document.querySelectorAll('main').length === 1 ? [] : ['main']),
		...[...document.querySelectorAll('img:not([alt]), [style], [onclick]')].map((e) => e.outerHTML.slice(0, 80)),
		...[...document.querySelectorAll('a, button')].filter((e) => !e.hidden && !e.ariaHidden && !(e.innerText || e.textContent || e.title || e.querySelector('img')?.alt).trim()).map((e) => e.outerHTML.slice(0, 80)),
		...[...document.querySelectorAll('input:not([type=hidden]), select')].filter((e) => !e.labels.length).map((e) => e.outerHTML),
		...[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i).map((id) => 'twice: ' + id),
	]`, &odd)
	for _, what := range odd {
		b.t.Errorf("%s: %s", name, what)
	}
}
