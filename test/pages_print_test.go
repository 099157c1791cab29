package test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"picday/internal/test/bed"
)

// onPaper prints the open page as Chromium does, keeps the PDF where screenshots are kept, and
// returns the text that is on paper, how many pages it has and how many pictures.
func (b *browser) onPaper(name string) (text string, pages, pictures int) {
	b.t.Helper()
	var pdf []byte
	b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().WithPreferCSSPageSize(true).WithPrintBackground(true).WithPaperWidth(8.27).WithPaperHeight(11.69).Do(ctx)
		return err
	}))
	if dir := os.Getenv("PICDAY_ARTIFACTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o644); err != nil {
			b.t.Error(err)
		}
	}
	pages = len(regexp.MustCompile(`/Type /Page\b`).FindAll(pdf, -1))
	pictures = bytes.Count(pdf, []byte("/Filter /DCTDecode"))
	b.do(emulation.SetEmulatedMedia().WithMedia("print"))
	text = b.text("body")
	b.do(emulation.SetEmulatedMedia().WithMedia(""))
	return text, pages, pictures
}

// An account is printed as its connection card, an album as a contact sheet, and nothing
// else is on the paper.
func testPaperInBrowser(b *browser, u *bed.Uploader) {
	t := b.t
	never := []string{"Skip to", "Jobs", "Activity", "Trash", "Withdraw", "Select", "Download", "Print", "sudo", "password", "FileZilla"}
	check := func(name string, wantPictures int, words ...string) {
		t.Helper()
		text, pages, pictures := b.onPaper(name)
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%s: no %q on paper:\n%s", name, word, text)
			}
		}
		for _, word := range never {
			if strings.Contains(text, word) {
				t.Errorf("%s: %q on paper:\n%s", name, word, text)
			}
		}
		if pages != 1 || pictures != wantPictures {
			t.Errorf("%s: %d pages with %d pictures, not 1 with %d", name, pages, pictures, wantPictures)
		}
	}
	b.open("/accounts/" + u.Name)
	check("account-on-paper", 0, u.Name, "Protocol SFTP", "Host", "Port", "User "+u.Name, "SHA256:", "JOB/ALBUM/individuals")
	b.open("/jobs/" + u.Name + "/job1/Klasse%202")
	check("album-on-paper", 3, "Klasse 2, job1", "IMG_1.jpg", "IMG_2.jpg", "IMG_10.jpg")
	b.follow(`.tools a[href*="sheet=1"]`)
	check("sheet-on-paper", 3, "Klasse 2, job1", "IMG_1.jpg", "IMG_2.jpg", "IMG_10.jpg")
	b.checkPage("sheet")
	b.requireNoErrors()
}
