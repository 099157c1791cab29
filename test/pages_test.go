package test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"picday/internal/testbed"
	"picday/internal/testphoto"
)

// operator makes a log-in.
func (s *site) operator(name string, flags ...string) (password string) {
	s.t.Helper()
	var made struct{ Password string }
	s.JSON(&made, append([]string{"operator", "add", name}, flags...)...)
	return made.Password
}

// A day in a photo office, in a real browser: uploads appear by themselves, a
// photo is looked at, its link rotated, it is withdrawn and restored.
func TestPagesInABrowser(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job00001")
	b := s.newBrowser()
	b.logIn("eva", s.operator("eva"))
	b.says("main", "No photos yet")
	b.presentable("overview-empty")
	b.eval("window.notLoadedAgain = true", nil)

	// While it arrives it is there to see, then it is a photo.
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job00001/Class 1"))
	f, err := wire.Open("/job00001/Class 1/IMG_0001.jpg", 0x1a)
	s.must(err)
	data := testphoto.Make(testphoto.Spec{Width: 900, Height: 1200, TakenAt: time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC), Make: "Canon", Model: "Canon EOS R6"})
	_, err = f.Write(data[:1000])
	s.must(err)
	b.says(".arriving", "job00001/Class 1/IMG_0001.jpg")
	b.shoot("overview-arriving")
	_, err = f.Write(data[1000:])
	s.must(err)
	s.must(f.Close())
	b.says(".strip", "IMG_0001.jpg")
	b.number(".arriving li", 0)
	var same bool
	b.eval("window.notLoadedAgain === true", &same)
	if !same {
		t.Error("the page was loaded again to show the upload")
	}
	s.must(wire.Put("/job00001/lost.jpg", photo()))
	b.says(".problems", "not in an album")

	// Names are text, wherever they are shown.
	hostile := []string{`"><img src=x onerror=window.hacked=1>.jpg`, `script>.jpg`} // a name has no slash, a path has
	album := `<b>"2" & <script>window.hacked=1<`
	s.must(wire.Mkdir("/job00001/" + album))
	s.must(wire.Mkdir("/job00001/" + album + "/group"))
	for _, name := range hostile {
		s.must(wire.Put("/job00001/"+album+"/"+name, photo()))
		s.must(wire.Put("/job00001/"+album+"/group/"+name, photo()))
		s.must(wire.Put("/job00001/"+name, []byte("no picture")))
		b.says(".strip", name)
		b.says(".problems", name)
	}
	b.says(".strip", "IMG_0001.jpg")
	b.presentable("overview")
	b.follow(`nav a[href="/jobs"]`)
	b.presentable("jobs")
	b.follow("tbody th a")
	b.says(".albums", album)
	b.presentable("job")
	b.follow(".albums li:first-child a")
	for _, name := range hostile {
		b.says("#individuals", "2")
		b.says(".grid.individuals", name)
		b.says(".grid.group", name)
	}
	b.presentable("album")
	b.follow(".grid.individuals a")
	b.says("h1", ".jpg")
	b.presentable("photo-hostile")
	b.follow(`nav a[href="/problems"]`)
	b.says("main", hostile[0])
	b.presentable("problems")
	b.follow(`nav a[href="/activity"]`)
	b.says("main", album+"/"+hostile[1])
	b.presentable("activity")
	var hacked bool
	b.eval("window.hacked !== undefined || document.querySelector('main script, main img[src=x]') !== null", &hacked)
	if hacked {
		t.Error("a name was not shown as text")
	}
	b.faultless()

	// One photo, by the keyboard to its neighbour and back.
	b.open("/jobs/" + u.Name + "/job00001/Class%201")
	s.must(wire.Put("/job00001/Class 1/IMG_0002.jpg", photo()))
	b.number(".grid.individuals a", 2)
	b.do(chromedp.Focus(".grid.individuals a"))
	b.key(kb.ArrowRight)
	b.eval("document.activeElement.innerText.includes('IMG_0002')", &same)
	if !same {
		t.Error("the arrow key does not lead to the next tile")
	}
	b.follow(".grid.individuals a")
	first := b.path()
	b.key(kb.ArrowRight)
	b.says("h1", "IMG_0002.jpg")
	b.key(kb.ArrowLeft)
	b.says("h1", "IMG_0001.jpg")
	b.says("main", "Canon EOS R6")
	b.says("main", "4 May 2026, 09:30:00")
	testbed.Eventually(t, "the large picture is there", func() (bool, any) {
		var width int
		b.eval("document.querySelector('figure img')?.naturalWidth ?? 0", &width)
		return width == 900, width
	})
	b.presentable("photo")

	// Overwritten with what is no picture, the earlier one stays, and says so.
	s.must(wire.Put("/job00001/Class 1/IMG_0002.jpg", []byte("no picture")))
	b.says(".badge", "4")
	b.open("/problems?reason=not-jpeg")
	b.says("main", "The earlier photo stays published")
	b.number(".problems .proof img", 1)
	b.presentable("problem-with-photo")
	b.open(first)

	// Overwritten with another one, the earlier picture is its history.
	s.must(wire.Put("/job00001/Class 1/IMG_0001.jpg", testphoto.Make(testphoto.Spec{Width: 1200, Height: 900, Seed: 7})))
	b.says("main", "1200 × 900 pixels")
	testbed.Eventually(t, "the earlier picture is there", func() (bool, any) {
		var width int
		b.eval("document.querySelector('.past img')?.naturalWidth ?? 0", &width)
		return width == 300, width
	})
	b.presentable("photo-replaced")

	// The link.
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
	b.says("main .done", "new one")
	rotated := b.text("#url")
	served(link, http.StatusNotFound)
	served(rotated, http.StatusOK)
	b.do(chromedp.Click("details:nth-of-type(2) summary"))
	b.follow(`form[action$="/withdraw"] button`)
	b.says(".notice", "By eva")
	served(rotated, http.StatusNotFound)
	b.presentable("photo-withdrawn")
	b.follow(`nav a[href="/trash"]`)
	b.says(".grid", "IMG_0001.jpg")
	b.presentable("trash")
	b.follow(".grid a")
	b.follow(`form[action$="/restore"] button`)
	b.says(".head", "published")
	served(rotated, http.StatusOK)

	// What the uploader deletes is brought back by what the page says.
	s.must(wire.Remove("/job00001/Class 1/IMG_0001.jpg"))
	b.says(".notice", "The uploader deleted the file")
	served(rotated, http.StatusNotFound)
	words, err := exec.Command("sh", "-c", `printf '%s\n' `+b.text(".notice .command code")).Output()
	s.must(err)
	command := strings.Split(strings.TrimSpace(string(words)), "\n")
	if strings.Join(command[:2], " ") != "sudo picday" {
		t.Fatalf("to be typed: %q", command)
	}
	s.MustPicday(command[2:]...)
	b.says(".head", "published")
	served(rotated, http.StatusOK)
	if b.path() != first {
		t.Errorf("at %s, not %s", b.path(), first)
	}
	b.faultless()
}

// An operator of one account sees nothing of another one.
func TestPagesOfOneAccount(t *testing.T) {
	s := newSite(t)
	mine, other := s.portraits("school"), s.portraits("other")
	s.proof(mine, pictures(mine)+"12.jpg")
	s.proof(other, pictures(other)+"98765.jpg")
	s.must(other.ByKey().MustWire().Put(pictures(other)+"secret name.jpg", photo()))
	s.waitProblems(other, map[string]string{other.Name + "/user-pictures/secret name.jpg": "bad-name"})
	b := s.newBrowser()
	b.logIn("lea", s.operator("lea", "--account", mine.Name))
	for _, path := range []string{"/", "/accounts", "/jobs", "/portraits", "/problems", "/activity", "/trash", "/accounts/" + mine.Name, "/photos/1"} {
		b.open(path)
		if text := b.text("body"); strings.Contains(text, other.Name) || strings.Contains(text, "98765") || strings.Contains(text, "Disk space") {
			t.Errorf("%s shows of another account:\n%s", path, text)
		}
	}
	b.open("/portraits")
	b.says(".grid", "12")
	b.presentable("portraits")
	b.open("/accounts/" + mine.Name)
	b.says("main", "SHA256:")
	b.presentable("account")
	b.faultless()
	for _, path := range []string{"/accounts/" + other.Name, "/portraits?account=" + other.Name, "/photos/2"} {
		b.open(path)
		b.says("main", "There is nothing here")
	}
	b.presentable("refused")
	b.faultless("404 (Not Found)")
	b.follow("form.who button")
	b.says("h1", "Log in")
	b.presentable("login")
	b.open("/portraits")
	b.says("h1", "Log in")
	b.faultless()
}

// Without scripts everything can still be done.
func TestPagesWithoutScripts(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	s.proof(u, pictures(u)+"12.jpg")
	link := s.photos(u)[u.Name+"/user-pictures/12.jpg"].URL
	b := s.newBrowser()
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.logIn("eva", s.operator("eva"))
	b.says("main", "Working")
	b.says("noscript", "Load this page again")
	b.follow(`nav a[href="/portraits"]`)
	b.do(chromedp.SendKeys("#q", "1"))
	b.follow(".search button")
	b.follow(".grid a")
	b.number("button.copy:not([hidden])", 0)
	b.do(chromedp.Click("details:nth-of-type(2) summary"))
	b.follow(`form[action$="/withdraw"] button`)
	b.says("main .done", "Withdrawn")
	s.gone(link)
	b.follow(`form[action$="/restore"] button`)
	b.says("main .done", "Restored")
	b.shoot("without-scripts")
	b.faultless()
}
