package test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"picday/internal/config"
	"picday/internal/test/bed"
	"picday/internal/test/receivers"
)

// configureReceivers configures a mail server and a webhook of the test.
func (s *site) configureReceivers(m config.Mail, w config.Webhook) {
	s.EditConfig("[web]\n", fmt.Sprintf(`[notify]
quiet = "1s"
[mail]
server = %q
ca_file = %q
user = %q
password_file = %q
from = %q
every = "1s"
[[webhook]]
name = %q
url = %q
secret_file = %q
ca_file = %q
[web]
`, m.Server, m.CAFile, m.User, m.PasswordFile, m.From, w.Name, w.URL, w.SecretFile, w.CAFile))
}

func (s *site) events(args ...string) (list []bed.Event) {
	s.t.Helper()
	s.JSON(&list, append([]string{"events", "list"}, args...)...)
	return list
}

// A quiet job is told by mail and by webhook, also if picdayd is killed after the event is
// committed and before it is delivered, and uploads go on while nobody takes any event.
func TestAQuietJobIsToldAlthoughPicdaydIsKilled(t *testing.T) {
	s := newQuietSite(t)
	hook, mail := receivers.NewWebhook(t, s.Dir, "shop"), receivers.NewMail(t, s.Dir)
	s.configureReceivers(mail.Config, hook.Config)
	hook.Become("500")
	mail.Refuse(errors.New("try later"))
	s.daemon = s.StartDaemon()
	u := s.jobs("told", "job1", "job2")
	s.MustPicday("operator", "add", "eva")
	s.MustPicday("operator", "add", "otto", "--account", u.Name)
	s.MustPicday("operator", "email", "eva", "eva@example.org", "--about", u.Name)
	if out := s.MustPicday("operator", "list"); !strings.Contains(out, "eva@example.org ("+u.Name+")") {
		t.Error(out)
	}
	if r := s.Picday("operator", "email", "otto", "otto"); r.Code != 2 {
		t.Error(r)
	}

	wire := u.ByKey().MustWire()
	s.must(errors.Join(wire.Mkdir("/job1/A"), wire.Mkdir("/job2/A")))
	put := func(path string, data []byte) { s.must(wire.Put(path, data)) }
	for i := range 3 {
		put(fmt.Sprintf("/job1/A/%d.jpg", i), photo())
	}
	put("/job1/A/broken.jpg", []byte("no photo"))
	var first bed.Event
	s.Eventually("the quiet job is an event, and its delivery has failed", func() (bool, any) {
		list := s.events("--undelivered")
		if len(list) == 1 && len(list[0].Deliveries) == 2 {
			first = list[0]
			return first.Deliveries[0].Tries > 0 && first.Deliveries[1].Tries > 0, list
		}
		return false, list
	})
	want := u.Name + " job1 of " + u.Name + " is quiet: 3 photos, 1 problem"
	if first.Type != "upload.quiet" || first.Account+" "+first.Message != want || first.Data["job"] != "job1" || first.Data["photos"] != 3.0 {
		t.Errorf("%+v", first)
	}
	s.daemon.Kill()
	put("/job2/A/4.jpg", photo())
	if hook.Tries() == 0 || len(hook.Accepted()) != 0 || len(mail.Messages()) != 0 {
		t.Error("this test cannot see whether a kill loses an event")
	}

	hook.Become("")
	mail.Refuse(nil)
	s.daemon = s.StartDaemon()
	s.MustPicday("events", "retry", first.ID)
	s.Eventually("all is delivered", func() (bool, any) {
		all := s.events() // first, because the second event may come between the two questions
		list := s.events("--undelivered")
		return len(list) == 0 && len(all) == 2, list
	})
	if got := hook.Accepted(); len(got) != 2 || got[0] != want || !strings.Contains(got[1], "job2 of ") {
		t.Errorf("%q", got)
	}
	hook.Once()
	for _, m := range mail.Messages() {
		if m.To != "eva@example.org" || !strings.Contains(m.Text, "is quiet") {
			t.Errorf("%+v", m)
		}
	}
	if n := len(mail.Messages()); n < 1 || n > 2 {
		t.Errorf("%d messages", n)
	}

	// A test event is reported as text and as JSON, and doctor checks the receivers.
	if out := s.MustPicday("events", "test", u.Name); !strings.Contains(out, "webhook:shop  delivered") || !strings.Contains(out, "mail:eva      delivered") {
		t.Error(out)
	}
	doctor := s.Picday("doctor").Stdout
	for _, line := range []string{"ok    webhook shop", "ok    mail server"} {
		if !strings.Contains(strings.Join(strings.Fields(doctor), " "), strings.Join(strings.Fields(line), " ")) {
			t.Errorf("doctor does not say %q:\n%s", line, doctor)
		}
	}
	hook.Become("down")
	if r := s.Picday("events", "test"); r.Code != 1 || !strings.Contains(r.Stderr, "1 of 1 receivers do not have it") {
		t.Error(r)
	}
	put("/job1/A/5.jpg", photo())
	s.Eventually("a photo is taken in while the receiver is down", func() (bool, any) {
		list := s.photoList(u)
		return len(list) == 5, list
	})
	if doctor := s.Picday("doctor").Stdout; !strings.Contains(doctor, "connection refused") {
		t.Error(doctor)
	}
	s.MustPicday("operator", "email", "eva")
	var operators []struct{ Name, Email string }
	if s.JSON(&operators, "operator", "list"); len(operators) != 2 || operators[0].Email != "" {
		t.Errorf("%+v", operators)
	}
	if out := s.MustPicday("events", "sandbox"); out != "" {
		t.Error(out)
	}
	s.waitMetrics(`picday_outbox_waiting{via="mail"} 0`, `picday_outbox_failures_total{via="webhook:shop"}`)
}

// waitMetrics waits until the metrics have these beginnings of lines.
func (s *site) waitMetrics(lines ...string) {
	s.t.Helper()
	var token struct{ Token string }
	s.JSON(&token, "token", "add", "scrape-events")
	for _, line := range lines {
		s.Eventually(line, func() (bool, any) {
			r, err := http.NewRequest("GET", "http://"+s.Admin+"/metrics", nil)
			s.must(err)
			r.Header.Set("Authorization", "Bearer "+token.Token)
			res, err := http.DefaultClient.Do(r)
			s.must(err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			s.must(err)
			text := string(body)
			return strings.Contains(text, "\n"+line), text
		})
	}
}

// A wrong configuration keeps picdayd from starting with a sentence; a secret that is
// missing does not: uploads never wait for deliveries.
func TestWhatIsWrongWithEventsKeepsNoUpload(t *testing.T) {
	s := newQuietSite(t)
	s.EditConfig("[web]\n", "[[webhook]]\nname = \"shop\"\nurl = \"https://127.0.0.1:1/\"\nsecret_file = \"/none\"\n[web]\n")
	s.daemon = s.StartDaemon()
	u := s.jobs("wrong", "job1")
	wire := u.ByKey().MustWire()
	s.must(errors.Join(wire.Mkdir("/job1/A"), wire.Put("/job1/A/1.jpg", photo())))
	s.Eventually("the photo is taken in", func() (bool, any) {
		list := s.photoList(u)
		return len(list) == 1, list
	})
	if r := s.Picday("events", "test"); r.Code != 1 || !strings.Contains(r.Stdout, "/none") {
		t.Error(r)
	}
	s.EditConfig("https://127.0.0.1:1/", "http://example.com/")
	if r := s.Picday("events", "list"); r.Code != 2 || !strings.Contains(r.Stderr, "line ") || !strings.Contains(r.Stderr, "use https") {
		t.Error(r)
	}
}
