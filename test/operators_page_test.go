package test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Somebody with the role admin gives a photographer a log-in from the account's page;
// the photographer sees the photos, changes nothing but the own password, and is
// ended again.
func TestLogInsAreMadeInTheBrowser(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/1.jpg")
	b := s.newBrowser()
	b.logIn("chief", s.operator("chief", "--role", "admin"))
	b.open("/accounts/" + u.Name)
	b.checkPage("account-admin")
	b.follow(`form[action="/operators"] button`)
	b.waitText("h1", "The log-in is made")
	b.checkPage("secret")
	password := b.text(".command code")
	b.open("/operators")
	b.waitText("main", u.Name)
	b.checkPage("operators")
	b.follow("form.who button")

	b.logIn(u.Name, password)
	b.open("/jobs/" + u.Name + "/job1")
	b.waitCount("main form", 0)
	b.follow(".albums a")
	b.follow(".grid a")
	b.waitText("main", "published")
	b.waitCount("main form", 0)
	b.follow(".who .name")
	b.checkPage("me")
	b.do(chromedp.SendKeys("#old", password), chromedp.SendKeys("#new", "my own password"), chromedp.SendKeys("#again", "my own password"))
	b.follow("main form button")
	b.waitText(".done", "Your password is changed")
	b.requireNoErrors()
	b.open("/operators")
	b.waitText("main", "takes the role admin")
	b.requireNoErrors("403")
	b.follow("form.who button")
	b.logIn(u.Name, "my own password")

	if list := s.MustPicday("operator", "list"); !strings.Contains(list, "look") || !strings.Contains(list, "only the account "+u.Name) {
		t.Error(list)
	}
	s.MustPicday("operator", "role", u.Name, "work")
	b.open("/jobs/" + u.Name + "/job1")
	b.waitText("main", "Put on sale")
	s.MustPicday("operator", "remove", u.Name)
	b.open("/")
	b.waitText("h1", "Log in")
	if r := s.Picday("operator", "role", "chief", "root"); r.Code != 2 || !strings.Contains(r.Stderr, "look, work or admin") {
		t.Error(r)
	}
}
