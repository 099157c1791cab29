package test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/helper"
	"picday/internal/test/bed"
)

// A sender sends a request to the helper, and returns its answer.
type sender func(s *site, user string, part helper.Part, text []byte) helper.Answer

// accountVerbs lets the pages change accounts and log-ins, and returns what makes and sends
// a request of eva's.
func accountVerbs(s *site) (request func(send sender, verb helper.Verb, account string, change func(*helper.Request)) helper.Answer, log func() string) {
	s.EditConfig("[web]\n", "[web]\nmay = [\"account.add\", \"login.add\", \"login.until\", \"login.remove\", \"account.passwd\", \"account.key\", \"account.allow\", \"account.disable\", \"account.enable\"]\n")
	log = s.StartHelper()
	eva := s.operator("eva", "--role", "admin")
	return func(send sender, verb helper.Verb, account string, change func(*helper.Request)) (a helper.Answer) {
		r := helper.New(verb, "eva", account)
		r.Password = eva
		if change != nil {
			change(&r)
		}
		text, err := json.Marshal(r)
		s.must(err)
		return send(s, "picday", verb.Part(), text)
	}, log
}

// A helper that is killed while it changes an account leaves what the next request, and
// nobody else, has to put right: afterwards doctor finds nothing, and the uploader gets in.
func TestAKilledHelperLeavesNothingHalf(t *testing.T) {
	s := newQuietSite(t)
	request, log := accountVerbs(s)
	u := s.jobs("studio", "job1")
	s.daemon = s.StartDaemon()
	key := string(readFile(t, u.Key+".pub"))
	fresh, freda := s.Name("fresh"), s.Name("freda")
	rounds := 1
	if os.Getenv("PICDAY_TORTURE") != "" {
		rounds = 20
	}
	killed := 0
	for _, c := range []struct {
		verb    helper.Verb
		account string
		change  func(*helper.Request)
		after   helper.Why // also right if the killed one was done
	}{
		{helper.AccountAdd, fresh, func(r *helper.Request) { r.Layout = "jobs" }, helper.Refused},
		{helper.LoginAdd, u.Name, func(r *helper.Request) { r.Login = freda }, helper.Refused},
		{helper.AccountKey, u.Name, func(r *helper.Request) { r.Key = key }, ""},
		{helper.AccountAllow, u.Name, func(r *helper.Request) { r.Allow = []string{"127.0.0.0/8", "::1/128"} }, ""},
		{helper.AccountDisable, u.Name, nil, ""},
		{helper.AccountEnable, u.Name, nil, ""},
		{helper.LoginUntil, u.Name, func(r *helper.Request) { r.Login, r.Until = freda, "2098-12-31" }, ""},
		{helper.LoginRemove, u.Name, func(r *helper.Request) { r.Login = freda }, helper.NotFound},
		{helper.AccountPasswd, u.Name, nil, ""},
	} {
		for range rounds {
			answered := make(chan helper.Answer, 1)
			go func() { answered <- request(askKilledHelper, c.verb, c.account, c.change) }()
			bed.Eventually(t, "the helper has begun", func() (bool, any) { return s.HelpersRun() || len(answered) > 0, nil })
			time.Sleep(rand.N(700 * time.Millisecond)) // to any step of it
			killed += s.KillHelpers()
			<-answered
		}
		if a := request(askHelper, c.verb, c.account, c.change); a.Why != "" && a.Why != c.after {
			t.Errorf("%s, again: %+v\n%s", c.verb, a, log())
		}
	}
	if killed == 0 {
		t.Error("this test cannot see: no helper was killed")
	}
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	for _, name := range []string{u.Name, fresh} {
		a := request(askHelper, helper.AccountPasswd, name, nil)
		if a.Password == "" {
			t.Fatalf("%+v\n%s", a, log())
		}
		s.Known(name, a.Password).ByPassword().MustWire()
	}
	if !u.ByKey().MustWire().Exists("/job1") {
		t.Error("the job's folder is not there")
	}
}

// Changes of accounts that are asked for at once are all made, or refused with a sentence.
func TestAccountChangesAtOnce(t *testing.T) {
	s := newQuietSite(t)
	request, log := accountVerbs(s)
	u := s.jobs("studio")
	s.daemon = s.StartDaemon()
	names := []string{s.Name("one"), s.Name("two"), s.Name("three")}
	answers := make([]helper.Answer, 4)
	var all sync.WaitGroup
	for i, name := range names[:2] {
		all.Go(func() {
			answers[i] = request(askHelper, helper.AccountAdd, name, func(r *helper.Request) { r.Layout = "jobs" })
		})
	}
	all.Go(func() {
		answers[2] = request(askHelper, helper.LoginAdd, u.Name, func(r *helper.Request) { r.Login = names[2] })
	})
	all.Go(func() { answers[3] = request(askHelper, helper.AccountPasswd, u.Name, nil) })
	all.Wait()
	for i, name := range append(names, u.Name) {
		switch a := answers[i]; {
		case a.Why == "":
			s.Known(name, a.Password).ByPassword().MustWire()
		case a.Why == helper.Failed || a.Sentence == "":
			t.Errorf("%s: %+v\n%s", name, a, log())
		default:
			t.Logf("%s: %s", name, a.Sentence)
		}
	}
	noHostileKey(s, request, u)
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// noHostileKey: texts that are no bare public keys are refused with a sentence, through the
// helper and through the tool, and change nothing.
func noHostileKey(s *site, request func(sender, helper.Verb, string, func(*helper.Request)) helper.Answer, u *bed.Uploader) {
	s.t.Helper()
	key := strings.TrimSpace(string(readFile(s.t, u.Key+".pub")))
	for what, text := range map[string]string{
		"an option":               `command="/bin/sh" ` + key,
		"an option behind a key":  key + "\n" + `environment="LD_PRELOAD=/tmp/x" ` + key,
		"an authority":            "cert-authority " + key,
		"a line break in it":      key[:40] + "\n" + key[40:],
		"a carriage return in it": key[:40] + "\r" + key[40:],
		"a private key":           string(readFile(s.t, u.Key)),
		"another file":            "root:x:0:0:root:/root:/bin/bash",
		"nothing":                 "\n\n",
		"a huge one":              "ssh-ed25519 " + strings.Repeat("A", 5000),
	} {
		if a := request(askHelper, helper.AccountKey, u.Name, func(r *helper.Request) { r.Key = text }); a.Why != helper.Invalid || a.Sentence == "" {
			s.t.Errorf("%s, by the helper: %+v", what, a)
		}
		file := filepath.Join(s.t.TempDir(), "key")
		s.must(os.WriteFile(file, []byte(text), 0o600))
		if r := s.Picday("account", "key", u.Name, file); r.Code != 2 || strings.Count(r.Stderr, "\n") != 1 {
			s.t.Errorf("%s, by the tool: %d %s", what, r.Code, r.Stderr)
		}
	}
	if wire := u.ByKey().MustWire(); !wire.Exists("/") {
		s.t.Error("the key of before does not let in")
	}
}

// askKilledHelper is askHelper for a helper that may be killed: then the answer is empty.
func askKilledHelper(s *site, user string, part helper.Part, text []byte) (a helper.Answer) {
	s.t.Helper()
	conn := dialHelper(s, user, part)
	defer conn.Close()
	if _, err := conn.Write(text); err != nil {
		return a
	}
	_ = conn.(*net.UnixConn).CloseWrite() // fails if it was killed
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) > 0 && json.Unmarshal(answer, &a) != nil {
		s.t.Errorf("half an answer: %q", answer)
	}
	return a
}
