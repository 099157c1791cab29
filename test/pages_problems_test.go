package test

import (
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// tabTo goes with the Tab key alone until an element that the selector names has the focus.
func (b *browser) tabTo(selector string) {
	b.t.Helper()
	var there bool
	for range 150 {
		b.key(kb.Tab)
		if b.eval(fmt.Sprintf("document.activeElement?.matches(%q) ?? false", selector), &there); there {
			return
		}
	}
	b.t.Fatalf("the Tab key does not lead to %s:\n%s", selector, b.text("main"))
}

// press is Enter on the element that has the focus, and the page that it leads to.
func (b *browser) press() {
	b.t.Helper()
	b.leave(func() { b.key(kb.Enter) })
}

// unfold opens, by the keyboard, what is around the form with that action.
func (b *browser) unfold(action string) {
	b.t.Helper()
	b.tabTo(`details:has(form[action$="` + action + `"]) > summary`)
	b.key(kb.Enter)
	b.waitCount(`details[open] form[action$="`+action+`"]`, 1)
}

// typeInto goes to a field with the Tab key and types.
func (b *browser) typeInto(selector, text string) {
	b.t.Helper()
	b.tabTo(selector)
	b.do(chromedp.KeyEvent(text))
}

// Files in a wrong folder are one row with a small picture of what they are. A message for
// the photographer is copied, a file is ignored and is a problem again, by the keyboard
// alone, and without scripts.
func testProblemsInBrowser(b *browser, u *bed.Uploader, s *site) {
	t := b.t
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/Apfel/Einzelfotos"))
	problems := map[string]string{}
	for name, data := range map[string][]byte{"1.jpg": testphoto.Tiny(1), "2.jpg": testphoto.Tiny(2), "3.jpg": []byte("no picture")} {
		s.must(wire.Put("/job1/Apfel/Einzelfotos/"+name, data))
		problems["job1/Apfel/Einzelfotos/"+name] = "unknown-folder"
	}
	s.waitProblems(u, problems)
	b.open("/problems")
	b.waitText(".problems", "3 files in job1/Apfel/Einzelfotos")
	b.tabTo(".problems .path a")
	b.press()
	shown := func(want int) {
		t.Helper()
		bed.Eventually(t, "pictures of files", func() (bool, any) {
			var widths []int
			b.eval(`[...document.querySelectorAll('.problem .nothing img')].map((i) => i.complete ? i.naturalWidth : -1)`, &widths)
			n := 0
			for _, w := range widths {
				if w < 0 {
					return false, widths
				}
				n += min(w, 1)
			}
			return n == want, widths
		})
	}
	shown(2) // and none of the one that does not decode
	b.checkPage("problem-previews")

	// Without a clipboard's permission the page selects the text and copies that; what it
	// copies is asked of the page.
	b.eval("navigator.clipboard.writeText = async (text) => { window.copied = text }", nil)
	b.tabTo("[data-copy]")
	b.key(kb.Enter)
	var copied string
	bed.Eventually(t, "the message is copied", func() (bool, any) {
		b.eval("window.copied ?? ''", &copied)
		return copied != "", copied
	})
	for _, words := range []string{"3 files of your upload have not become photos.", "Folder: job1/Apfel/Einzelfotos", "1.jpg", "3.jpg"} {
		if !strings.Contains(copied, words) {
			t.Errorf("the message does not say %q:\n%s", words, copied)
		}
	}

	b.tabTo(`.problem:last-child form[action$="/ignore"] button`)
	b.press()
	b.waitText("main .done", "Ignored")
	b.waitText("h1", "2 files in")
	b.checkPage("problem-one-ignored")
	b.tabTo(`a[href$="?ignored=1"]`)
	b.press()
	b.waitText("main", "ignored by eva")
	b.checkPage("problem-ignored")
	b.tabTo(`.problem form[action$="/unignore"] button`)
	b.press()
	b.waitText("main .done", "a problem again")

	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open("/problems")
	b.follow(".problems .path a")
	b.do(chromedp.Click(".actions details:nth-of-type(2) summary"))
	b.follow(`form[action$="/ignore"] button`)
	b.waitText("main", "Ignored files")
	b.waitCount(".problems li", 0)
	b.do(emulation.SetScriptExecutionDisabled(false))
	b.open("/problems?ignored=1")
	b.checkPage("problems-ignored")
	b.requireNoErrors()
}

// The page of a job says what has arrived of what is expected, while it arrives.
func testArrivalInBrowser(b *browser, u *bed.Uploader, s *site) {
	t := b.t
	b.open("/jobs/" + u.Name + "/job2")
	b.unfold("/expect")
	b.typeInto("input[name=expected]", "2")
	b.press()
	b.waitText("main .done", "expected is noted")
	b.open("/jobs/" + u.Name + "/job2")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job2/A"))
	f, err := wire.Open("/job2/A/1.jpg", 0x1a)
	s.must(err)
	data := photo()
	_, err = f.Write(data[:100])
	s.must(err)
	b.waitText(".arrival", "0 of 2")
	b.checkPage("arrival")
	_, err = f.Write(data[100:])
	s.must(err)
	s.must(f.Close())
	b.waitText(".arrival", "1 of 2")
	s.must(wire.Put("/job2/A/2.jpg", photo()))
	b.waitText(".arrival", "2 of 2")
	b.checkPage("arrival-all")
	b.requireNoErrors()
	if t.Failed() {
		t.Log(b.text("main"))
	}
}
