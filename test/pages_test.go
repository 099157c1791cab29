package test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// operator adds an operator and returns the password.
func (s *site) operator(name string, flags ...string) (password string) {
	s.t.Helper()
	var made struct{ Password string }
	s.JSON(&made, append([]string{"operator", "add", name}, flags...)...)
	return made.Password
}

// In a real browser, uploads appear without a reload, and a photo can be viewed, get another
// link, be withdrawn and be restored.
func TestPagesInABrowser(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job00001")
	b := s.newBrowser()
	b.logIn("eva", s.operator("eva"))
	b.waitText("main", "No photos yet")
	b.checkPage("overview-empty")
	b.eval("window.notLoadedAgain = true", nil)

	// The page shows the running upload, and then the photo.
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job00001/Class 1"))
	f, err := wire.Open("/job00001/Class 1/IMG_0001.jpg", 0x1a)
	s.must(err)
	data := testphoto.Make(testphoto.Spec{Width: 900, Height: 1200, TakenAt: time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC), Make: "Canon", Model: "Canon EOS R6"})
	_, err = f.Write(data[:1000])
	s.must(err)
	b.waitText(".arriving", "job00001/Class 1/IMG_0001.jpg")
	b.screenshot("overview-arriving")
	_, err = f.Write(data[1000:])
	s.must(err)
	s.must(f.Close())
	b.waitText(".strip", "IMG_0001.jpg")
	b.waitCount(".arriving li", 0)
	var same bool
	b.eval("window.notLoadedAgain === true", &same)
	if !same {
		t.Error("the page was loaded again to show the upload")
	}
	s.must(wire.Put("/job00001/lost.jpg", photo()))
	b.waitText(".problems", "not in an album")

	// Names are never interpreted as HTML.
	hostile := []string{`"><img src=x onerror=window.hacked=1>.jpg`, `script>.jpg`} // a name has no slash, a path has
	album := `<b>"2" & <script>window.hacked=1<`
	s.must(wire.Mkdir("/job00001/" + album))
	s.must(wire.Mkdir("/job00001/" + album + "/group"))
	for _, name := range hostile {
		s.must(wire.Put("/job00001/"+album+"/"+name, photo()))
		s.must(wire.Put("/job00001/"+album+"/group/"+name, photo()))
		s.must(wire.Put("/job00001/"+name, []byte("no picture")))
		b.waitText(".strip", name)
	}
	b.waitText(".strip", "IMG_0001.jpg")
	b.checkPage("overview")
	b.follow(`nav a[href="/jobs"]`)
	b.checkPage("jobs")
	b.follow("tbody th a")
	b.waitText(".albums", album)
	b.checkPage("job")
	b.follow(".albums li:first-child a")
	for _, name := range hostile {
		b.waitText("#individuals", "2")
		b.waitText(".grid.individuals", name)
		b.waitText(".grid.group", name)
	}
	b.checkPage("album")
	b.follow(".grid.individuals a")
	b.waitText("h1", ".jpg")
	b.checkPage("photo-hostile")
	b.follow(`nav a[href="/problems"]`)
	b.waitText("main", "3 files in job00001")
	b.checkPage("problems")
	b.follow(".problems .path a")
	b.waitText("main", hostile[0])
	b.waitText("main", hostile[1])
	b.checkPage("problem")
	b.follow(`nav a[href="/activity"]`)
	b.waitText("main", album+"/"+hostile[1])
	b.checkPage("activity")
	var hacked bool
	b.eval("window.hacked !== undefined || document.querySelector('main script, main img[src=x]') !== null", &hacked)
	if hacked {
		t.Error("a name was not shown as text")
	}
	b.requireNoErrors()

	// Go by keyboard from one photo to its neighbour and back.
	b.open("/jobs/" + u.Name + "/job00001/Class%201")
	s.must(wire.Put("/job00001/Class 1/IMG_0002.jpg", photo()))
	b.waitCount(".grid.individuals a", 2)
	b.do(chromedp.Focus(".grid.individuals a"))
	b.key(kb.ArrowRight)
	b.eval("document.activeElement.innerText.includes('IMG_0002')", &same)
	if !same {
		t.Error("the arrow key does not lead to the next tile")
	}
	b.follow(".grid.individuals a")
	first := b.path()
	b.key(kb.ArrowRight)
	b.waitText("h1", "IMG_0002.jpg")
	b.key(kb.ArrowLeft)
	b.waitText("h1", "IMG_0001.jpg")
	b.waitText("main", "Canon EOS R6")
	b.waitText("main", "4 May 2026, 09:30:00")
	bed.Eventually(t, "the large picture is there", func() (bool, any) {
		var width int
		b.eval("document.querySelector('figure img')?.naturalWidth ?? 0", &width)
		return width == 900, width
	})
	b.checkPage("photo")

	// If a file that is no picture overwrites a photo, the photo stays, and the page says so.
	s.must(wire.Put("/job00001/Class 1/IMG_0002.jpg", []byte("no picture")))
	b.waitText(".badge", "4")
	b.open("/problems?reason=not-jpeg")
	b.waitText("main", "The earlier photo stays published")
	b.waitCount(".problems .proof img", 1)
	b.checkPage("problem-with-photo")
	b.open(first)

	// If another picture overwrites it, the page shows the earlier one as history.
	s.must(wire.Put("/job00001/Class 1/IMG_0001.jpg", testphoto.Make(testphoto.Spec{Width: 1200, Height: 900, Seed: 7})))
	b.waitText("main", "1200 × 900 pixels")
	bed.Eventually(t, "the earlier picture is there", func() (bool, any) {
		var width int
		b.eval("document.querySelector('.past img')?.naturalWidth ?? 0", &width)
		return width == 300, width
	})
	b.checkPage("photo-replaced")

	// A rotated link and a withdrawn photo answer 404 at once.
	link := b.text("#url")
	served := func(link string, want int) {
		t.Helper()
		if status, _ := fetch(t, link); status != want {
			t.Errorf("%s: %d, not %d", link, status, want)
		}
	}
	served(link, http.StatusOK)
	b.do(chromedp.Click("details:nth-of-type(1) summary"))
	b.follow(`form[action$="/rotate"] button`)
	b.waitText("main .done", "new one")
	rotated := b.text("#url")
	served(link, http.StatusNotFound)
	served(rotated, http.StatusOK)
	b.do(chromedp.Click("details:nth-of-type(2) summary"))
	b.follow(`form[action$="/withdraw"] button`)
	b.waitText(".notice", "By eva")
	served(rotated, http.StatusNotFound)
	b.checkPage("photo-withdrawn")
	b.follow(`nav a[href="/trash"]`)
	b.waitText(".grid", "IMG_0001.jpg")
	b.checkPage("trash")
	b.follow(".grid a")
	b.follow(`form[action$="/restore"] button`)
	b.waitText(".head", "published")
	served(rotated, http.StatusOK)

	// The command on the page restores a photo that the uploader has deleted.
	s.must(wire.Remove("/job00001/Class 1/IMG_0001.jpg"))
	b.waitText(".notice", "The uploader deleted the file")
	served(rotated, http.StatusNotFound)
	words, err := exec.Command("sh", "-c", `printf '%s\n' `+b.text(".notice .command code")).Output()
	s.must(err)
	command := strings.Split(strings.TrimSpace(string(words)), "\n")
	if strings.Join(command[:2], " ") != "sudo picday" {
		t.Fatalf("to be typed: %q", command)
	}
	s.MustPicday(command[2:]...)
	b.waitText(".head", "published")
	served(rotated, http.StatusOK)
	if b.path() != first {
		t.Errorf("at %s, not %s", b.path(), first)
	}
	b.requireNoErrors()
}

// An operator of one account sees nothing of another one, also in German.
func TestPagesOfOneAccount(t *testing.T) {
	s := newSite(t)
	mine, other := s.portraits("school"), s.portraits("other")
	s.uploadAndWait(mine, pictures(mine)+"12.jpg")
	s.uploadAndWait(other, pictures(other)+"98765.jpg")
	s.must(other.ByKey().MustWire().Put(pictures(other)+"secret name.jpg", photo()))
	s.waitProblems(other, map[string]string{other.Name + "/user-pictures/secret name.jpg": "bad-name"})
	b := s.newBrowser()
	b.do(network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": "de"}))
	b.logIn("lea", s.operator("lea", "--account", mine.Name))
	for _, path := range []string{"/", "/accounts", "/jobs", "/portraits", "/problems", "/activity", "/trash", "/accounts/" + mine.Name, "/photos/1"} {
		b.open(path)
		if text := b.text("body"); strings.Contains(text, other.Name) || strings.Contains(text, "98765") || strings.Contains(text, "Speicherplatz") {
			t.Errorf("%s shows of another account:\n%s", path, text)
		}
	}
	b.open("/portraits")
	b.waitText(".grid", "12")
	b.checkPage("portraits")
	b.open("/accounts/" + mine.Name)
	b.waitText("main", "SHA256:")
	b.checkPage("account")

	// The school's list of people: seen first, then accepted; who is missing, which photo is
	// exported and how.
	list := filepath.Join(s.Dir, mine.Name+".csv")
	s.must(os.WriteFile(list, []byte("ID;Nachname;Vorname;Klasse\n12;Özil;Ann;5b\n012;Özil;Anna;5b\n13;Berg;Bo;5a\n"), 0o644))
	b.follow(`a[href^="/rosters/"]`)
	b.do(chromedp.SetUploadFiles("input[type=file]", []string{list}))
	b.follow("form[enctype] button")
	b.waitText("main", "Sind das zwei Personen?")
	b.checkPage("list-waits")
	b.follow(`form[action$="/accept"] button`)
	b.waitText("main .done", "Übernommen")
	b.waitText("main table", "Bo Berg")
	b.checkPage("people")
	for name, text := range map[string]string{"missing": "Bo Berg", "export": "Ann Özil (12)", "sheet": "Ann Özil"} {
		b.open("/" + name + "/" + mine.Name)
		b.waitText("main", text)
		b.checkPage(name)
	}
	b.open("/sheet/" + mine.Name)
	b.follow(".people h2 a")
	b.waitText("h1", "Ann Özil")
	b.checkPage("person")
	b.requireNoErrors()
	for _, path := range []string{"/accounts/" + other.Name, "/portraits?account=" + other.Name, "/photos/2"} {
		b.open(path)
		b.waitText("main", "Hier ist nichts")
	}
	b.checkPage("refused")
	b.requireNoErrors("404 (Not Found)")
	b.follow("form.who button")
	b.waitText("h1", "Anmelden")
	b.checkPage("login")
	b.open("/portraits")
	b.waitText("h1", "Anmelden")
	b.requireNoErrors()
}

// The pages work without JavaScript.
func TestPagesWithoutScripts(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	s.uploadAndWait(u, pictures(u)+"12.jpg")
	link := s.photos(u)[u.Name+"/user-pictures/12.jpg"].URL
	b := s.newBrowser()
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.logIn("eva", s.operator("eva"))
	b.waitText("main", "Working")
	b.waitText("noscript", "Load this page again")
	b.follow(`nav a[href="/portraits"]`)
	b.do(chromedp.SendKeys("#q", "1"))
	b.follow(".search button")
	b.follow(".grid a")
	b.waitCount("button.copy:not([hidden])", 0)
	b.do(chromedp.Click("details:nth-of-type(2) summary"))
	b.follow(`form[action$="/withdraw"] button`)
	b.waitText("main .done", "Withdrawn")
	s.requireNotFound(link)
	b.follow(`form[action$="/restore"] button`)
	b.waitText("main .done", "Restored")
	b.screenshot("without-scripts")
	b.requireNoErrors()
}
