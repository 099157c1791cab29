package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A studio activates a job in its browser, and plans it again, while a photographer uploads.
// The page lists first what prevents the activation, and which files would be left behind;
// a running upload is never cut off.
func TestAJobIsPutOnSaleInTheBrowser(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/1.jpg", photo()))
	s.must(wire.Put("/job1/lost.jpg", photo()))
	f, err := wire.Open("/job1/A/slow.jpg", 0x1a)
	s.must(err)
	data := photo()
	_, err = f.Write(data[:100])
	s.must(err)
	s.waitProblems(u, map[string]string{"job1/lost.jpg": "no-album"})
	link := s.waitPhotos(u, "job1/A/1.jpg")["job1/A/1.jpg"].URL

	b := s.newBrowser()
	b.logIn("eva", s.operator("eva", "--account", u.Name))
	b.open("/jobs/" + u.Name + "/job1")
	b.checkPage("job-planned")
	b.tabTo(`[name="sale"]`) // by the keyboard alone
	b.press()
	b.waitText("main", "1 file could not become a photo")
	b.waitText("main", "slow.jpg is being uploaded")
	b.checkPage("job-sale-refused")
	b.follow("form.actions button")
	b.waitText("#sale ~ [role=alert]", "slow.jpg is being uploaded")
	b.requireNoErrors("409")
	if !wire.Exists("/job1/A/slow.jpg") {
		t.Error("the folder is gone from SFTP")
	}
	_, err = f.Write(data[100:])
	s.must(err)
	s.must(f.Close())
	s.waitSum(u, "job1/A/slow.jpg", data)

	b.open("/jobs/" + u.Name + "/job1?sale=1")
	b.waitText("main", "would be left behind")
	b.follow("form.actions button")
	b.waitText(".done", "On sale")
	b.waitText("main h1 ~ .pill", "active")
	b.checkPage("job-active")
	if wire.Exists("/job1") {
		t.Error("the folder is still in SFTP")
	}
	if status, _ := fetch(t, link); status != http.StatusOK {
		t.Errorf("the link answers %d", status)
	}
	b.tabTo(`form[action$="/plan"] button`)
	b.press()
	b.waitText(".done", "Planned again")
	s.must(wire.Remove("/job1/lost.jpg"))
	s.waitProblems(u, nil)
	s.must(wire.Put("/job1/A/2.jpg", photo()))
	s.waitPhotos(u, "job1/A/1.jpg", "job1/A/slow.jpg", "job1/A/2.jpg")
	b.open("/jobs/" + u.Name + "/job1?sale=1")
	b.waitText("main", "nothing is arriving")
	b.checkPage("job-sale-ready")
	b.tabTo("form.actions button.main")
	b.press()
	b.waitText(".done", "On sale")
	b.open("/activity")
	b.waitText("main", "Put on sale job1")
	b.waitText("main", "by eva")
	b.requireNoErrors()

	// The command refuses in the same words, and names the flag that overrides it.
	s.MustPicday("job", "plan", u.Name, "job1")
	s.must(wire.Put("/job1/lost.jpg", photo()))
	s.waitProblems(u, map[string]string{"job1/lost.jpg": "no-album"})
	if r := s.Picday("job", "activate", u.Name, "job1"); r.Code != 4 || !strings.Contains(r.Stderr, "--with-problems") || !strings.Contains(r.Stderr, "1 file") {
		t.Error(r)
	}
	s.MustPicday("job", "activate", u.Name, "job1", "--with-problems")
	s.verify()
}

// If the configuration forbids activation by the pages, they only show the command.
func TestPagesMayNotActivate(t *testing.T) {
	s := newQuietSite(t)
	s.EditConfig("[web]\n", "[web]\nmay_activate = false\n")
	s.daemon = s.StartDaemon()
	u := s.jobs("studio", "job1")
	b := s.newBrowser()
	b.logIn("eva", s.operator("eva"))
	b.open("/jobs/" + u.Name + "/job1")
	b.waitText(".command", "picday job activate")
	b.waitCount(`form[action$="/activate"], [name="sale"]`, 0)
	b.do(chromedp.Evaluate(`document.querySelector('main').append(Object.assign(document.createElement('form'), {method: 'post', action: location.pathname + '/activate', id: 'forged'}))`, nil),
		chromedp.Evaluate(`document.getElementById('forged').innerHTML = '<button>go</button>'`, nil))
	b.follow("#forged button")
	b.waitText("main", "may_activate = false")
	b.requireNoErrors("403")
}
