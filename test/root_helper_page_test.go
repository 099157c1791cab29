package test

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"picday/internal/helper"
)

// A studio makes an account, jobs and log-ins, and brings deleted photos back with their
// files, in its browser, mostly by the keyboard alone.
func TestOperatorsDoWhatTakesRoot(t *testing.T) {
	s := newQuietSite(t)
	s.EditConfig("[web]\n", "[web]\nmay = [\"job.add\", \"job.remove\", \"trash.restore\", \"account.add\", \"account.passwd\", \"account.disable\", \"account.enable\", \"account.allow\", \"login.add\", \"login.until\", \"login.remove\"]\n")
	log := s.StartHelper()
	s.daemon = s.StartDaemon()
	eva := s.operator("eva", "--role", "admin")
	b := s.newBrowser()
	b.logIn("eva", eva)
	own := func(form string) {
		t.Helper()
		b.typeInto(form+` input[type=password]`, eva)
	}
	open := func(form string) { // opens the details element that contains the form
		t.Helper()
		b.eval(`document.querySelector('`+form+`').closest('details').open = true`, nil)
	}

	name := s.Name("fresh")
	b.open("/accounts")
	b.checkPage("accounts-new")
	b.do(chromedp.SendKeys(`input[name=name]`, name, chromedp.ByQuery), chromedp.SetValue(`form[action="/accounts"] input[type=password]`, "not the password", chromedp.ByQuery))
	b.follow(`form[action="/accounts"] button`)
	b.waitText("h1", "That is not your password")
	b.requireNoErrors("403")
	b.open("/accounts")
	b.typeInto(`input[name=name]`, name)
	own(`form[action="/accounts"]`)
	b.press()
	b.waitText("h1", "The account is made")
	b.checkPage("account-made")
	password := b.text(".command code")
	if log := log(); strings.Contains(log, password) || strings.Contains(log, eva) || !strings.Contains(log, `"operator":"eva"`) {
		t.Errorf("the log:\n%s", log)
	}
	u := s.Known(name, password)

	// Add a job, upload to it, and remove a job that was added by mistake.
	b.open("/jobs")
	b.checkPage("jobs-new")
	b.typeInto(`input[name=job]`, "Köln 1")
	b.press()
	b.waitText(".done", "The job is there")
	b.waitText("h1", "Köln 1")
	wire := u.ByPassword().MustWire()
	s.must(wire.Mkdir("/Köln 1/A"))
	s.must(wire.Put("/Köln 1/A/1.jpg", photo()))
	s.waitPhotos(u, "Köln 1/A/1.jpg")
	b.open("/accounts/" + name)
	b.checkPage("account-changes")
	b.do(chromedp.SendKeys(`form[action="/jobs"] input[name=job]`, "mistake", chromedp.ByQuery))
	b.follow(`form[action="/jobs"] button.main`)
	open(`form[action$="/mistake/remove"]`)
	b.checkPage("job-remove")
	b.follow(`form[action$="/mistake/remove"] button`)
	b.waitText(".done", "The job is gone")
	if wire.Exists("/mistake") || !wire.Exists("/Köln 1") {
		t.Error("the folders are not those of the jobs")
	}

	// Restore a deleted file.
	s.must(wire.Remove("/Köln 1/A/1.jpg"))
	s.waitPhotos(u)
	b.open("/trash")
	b.checkPage("trash-restore")
	b.follow(`form[action$="/restore-file"] button`)
	b.waitText(".done", "Restored")
	if !wire.Exists("/Köln 1/A/1.jpg") {
		t.Error("the file is not back")
	}

	// Add and remove a log-in, disable and enable the account, and set a new password.
	freda := s.Name("freda")
	b.open("/accounts/" + name)
	b.unfold("/logins")
	b.typeInto(`input[name=login]`, freda)
	own(`form[action$="/logins"]`)
	b.press()
	b.waitText("h1", "The log-in is made")
	b.waitText("main", freda)
	b.open("/accounts/" + name)
	b.checkPage("account-logins")
	until := `form[action$="/` + freda + `/until"]`
	open(until)
	b.do(chromedp.SetValue(until+` input[name=until]`, "2098-12-31", chromedp.ByQuery))
	own(until)
	b.follow(until + ` button`)
	b.waitText(".done", "The last day of the log-in is changed")
	b.waitText("main", "31 Dec 2098")
	open(`form[action$="/` + freda + `/remove"]`)
	own(`form[action$="/` + freda + `/remove"]`)
	b.follow(`form[action$="/` + freda + `/remove"] button`)
	b.waitText(".done", "Ended")
	b.open("/accounts/" + name)
	b.unfold("/allow")
	b.typeInto(`input[name=allow]`, "127.0.0.1")
	own(`form[action$="/allow"]`)
	b.press()
	b.waitText(".done", "The addresses are replaced")
	b.waitText("main", "127.0.0.1")
	b.unfold("/password")
	own(`form[action$="/password"]`)
	b.press()
	b.waitText("main", "password")
	if again := b.text(".command code"); again == password || len(again) < 12 {
		t.Errorf("a new password: %q", again)
	}
	b.open("/accounts/" + name)
	b.unfold("/disable")
	own(`form[action$="/disable"]`)
	b.press()
	b.waitText(".done", "Closed")
	b.waitText("h1 ~ .pill", "disabled")
	open(`form[action$="/enable"]`)
	own(`form[action$="/enable"]`)
	b.follow(`form[action$="/enable"] button`)
	b.waitText(".done", "Open again")
	b.waitText("main", "picday account key") // not in web.may
	b.open("/activity")
	b.waitText("main", "Job added Köln 1")
	b.waitText("main", "by eva")
	b.checkPage("activity-root")
	b.requireNoErrors()
}

// With picday's user, and as nobody else, the helper does what web.may lists, if the
// configuration is root's alone.
func TestTheHelperIsAskedByPicdayOnly(t *testing.T) {
	s := newQuietSite(t)
	s.EditConfig("[web]\n", "[web]\nmay = [\"job.add\"]\n")
	log := s.StartHelper()
	u := s.jobs("studio")
	s.operator("eva", "--role", "admin")
	as := func(user string, verb helper.Verb, job string) helper.Answer {
		t.Helper()
		r := helper.New(verb, "eva", u.Name)
		r.Job = job
		text, err := json.Marshal(r)
		s.must(err)
		return askHelper(s, user, verb.Part(), text)
	}
	if a := as("", helper.JobAdd, "job1"); a.Why != helper.NotGiven {
		t.Errorf("as root: %+v", a)
	}
	if a := as("picday", helper.JobRemove, "job1"); a.Why != helper.NotGiven {
		t.Errorf("what is not listed: %+v", a)
	}
	if a := as("picday", helper.JobAdd, "job1"); a.Why != "" {
		t.Errorf("%+v\n%s", a, log())
	}
	if !u.ByKey().MustWire().Exists("/job1") {
		t.Error("the job's folder is not there")
	}
	s.must(os.Chmod(s.Config, 0o666))
	if a := as("picday", helper.JobAdd, "job2"); a.Why != helper.Failed {
		t.Errorf("with a configuration that all can write: %+v", a)
	}
}

// askHelper sends a request as a Unix user, "" = root, and reads the answer.
func askHelper(s *site, user string, part helper.Part, text []byte) (a helper.Answer) {
	s.t.Helper()
	conn := dialHelper(s, user, part)
	defer conn.Close()
	_, err := conn.Write(text)
	s.must(err)
	s.must(conn.(*net.UnixConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	s.must(err)
	s.must(json.Unmarshal(answer, &a))
	return a
}

// dialHelper connects to the helper as a Unix user, "" = root.
func dialHelper(s *site, user string, part helper.Part) (conn net.Conn) {
	s.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread ends with the changed credentials
		if user != "" {
			c := s.Credential(user)
			for _, call := range [][4]uintptr{{syscall.SYS_SETGROUPS}, {syscall.SYS_SETRESGID, uintptr(c.Gid), uintptr(c.Gid), uintptr(c.Gid)}, {syscall.SYS_SETRESUID, uintptr(c.Uid), uintptr(c.Uid), uintptr(c.Uid)}} {
				if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
					done <- errno
					return
				}
			}
		}
		var err error
		conn, err = net.Dial("unix", part.Socket(s.HelperDir()))
		done <- err
	}()
	s.must(<-done)
	return conn
}
