package packaging_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"picday/internal/test/bed"
	"picday/internal/test/receivers"
)

// On a booted Debian the pages do all that root's helper does, with its sandbox on; before
// web.may lists it they cannot. picdayd delivers events by mail and webhook from within its
// own, and the watch tells that it is dead for good. A mirror works beside it. With the
// package the units go.
func TestHelperUnits(t *testing.T) {
	one(t, newServer, "bookworm", helperUnits)
}

// A browser is eva's, who is logged in.
type browser struct {
	m      *machine
	cookie string
}

const evasPassword = "correct-horse"

// browser logs in.
func (m *machine) browser() browser {
	m.Helper()
	b := browser{m, m.dir + "/root/cookie"}
	m.sh("echo " + evasPassword + " | picday operator add eva --role admin --password-stdin")
	b.curl("-o", "/dev/null", "-c", b.cookie, "-d", "name=eva", "-d", "password="+evasPassword, "http://127.0.0.1:8481/login")
	return b
}

// curl is the host's, in the machine's network.
func (b browser) curl(args ...string) string {
	cmd := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(b.m.leader), "-n", "curl", "-sS", "-L"}, args...)...)
	out, _ := cmd.CombinedOutput() // what it says is judged
	return string(out)
}

// form sends one with eva's password, and demands what the page says then.
func (b browser) form(path, want string, fields ...string) (page string) {
	b.m.Helper()
	data := url.Values{}
	if strings.HasPrefix(path, "/accounts") {
		data.Set("password", evasPassword)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		data.Set(name, value)
	}
	page = b.curl("-b", b.cookie, "-d", data.Encode()+"&", "http://127.0.0.1:8481"+path)
	if !strings.Contains(page, want) {
		log, _ := b.m.try("journalctl", "--no-pager", "-n", "40", "-u", "picday-helper@*", "-u", "picday-account-helper@*")
		title, _, _ := strings.Cut(page[max(0, strings.Index(page, "<title>")):], "\n")
		b.m.Errorf("%s: no %q on %s\n%s", path, want, title, log)
	}
	return page
}

// shown is the password that a page shows.
func (b browser) shown(page string) string {
	b.m.Helper()
	password := regexp.MustCompile(`>(\w{5}-\w{5}-\w{5}-\w{5})<`).FindStringSubmatch(page)
	if password == nil {
		b.m.Fatalf("no password in\n%s", page)
	}
	return password[1]
}

func helperUnits(m *machine) {
	m.install(build(m.T, "deb", next))
	m.healthy()
	u := m.addAccount("acme", "jobs")
	if got := m.sh("stat -c '%U %G %a' /run/picday-helper/*.sock"); got != "root picday 660\nroot picday 660\n" {
		m.Errorf("the sockets: %s", got)
	}
	b := m.browser()
	b.form("/jobs", "web.may", "account=acme", "job=job1")
	mail, hook := m.receivers()
	m.sh("echo 127.0.0.1 localhost >>/etc/hosts; picday operator email eva eva@example.org")
	m.sh(`sed -i 's/^#may = .*/may = ["job.add", "job.remove", "trash.restore", "account.add", "account.passwd", "account.key", "account.allow", "account.disable", "account.enable", "login.add", "login.until", "login.remove"]/; s/^#delete_grace = .*/delete_grace = "1s"/' /etc/picday/picday.toml
		systemctl restart picdayd`)
	m.healthy()

	b.form("/jobs", "job1", "account=acme", "job=job1")
	if got := m.sh("stat -c '%U %a' /srv/picday/acme/job1; picday job list acme"); !strings.HasPrefix(got, "acme 750\n") || !strings.Contains(got, "job1") {
		m.Errorf("the job: %s", got)
	}
	b.form("/jobs", "job2", "account=acme", "job=job2")
	b.form("/jobs/acme/job2/remove", "acme")
	m.sh("test ! -e /srv/picday/acme/job2")
	b.accounts(u)
	b.trash(u)

	// From within picdayd's sandbox, which lets it reach this machine.
	m.run("picday", "events", "test")
	if got := mail.Messages(); len(got) != 1 || got[0].To != "eva@example.org" {
		m.Errorf("by mail: %q", got)
	}
	if got := hook.Accepted(); len(got) != 1 {
		m.Errorf("by webhook: %q", got)
	}
	m.watch(mail, hook)

	if out, err := m.try("picday", "doctor"); err != nil {
		m.Errorf("doctor: %v\n%s", err, out)
	}
	log := m.sh("journalctl --no-pager -o cat -u 'picday-helper@*' -u 'picday-account-helper@*'")
	if strings.Contains(log, evasPassword) || !strings.Contains(log, `"verb":"account.add"`) || !strings.Contains(log, `"operator":"eva"`) {
		m.Errorf("the journal: %s", log)
	}
	m.mirrors()
	m.sh("apt-get remove -y picday >/dev/null 2>&1")
	bed.Eventually(m.T, "the units are gone", func() (bool, any) {
		out, _ := m.try("systemctl", "is-active", "picday-helper.socket", "picday-account-helper.socket", "picday-watch.timer", "picday-mirror@till")
		return !strings.Contains("\n"+out, "\nactive"), out
	})
}

// accounts does each verb for accounts and log-ins, and sees by sftp that it was done.
func (b browser) accounts(u uploader) {
	m := b.m
	m.Helper()
	b.form("/accounts", "not your password", "name=fresh", "layout=portraits", "password=wrong")
	b.form("/accounts", "shown only now", "name=fresh", "layout=portraits")
	m.sh("picday account show fresh")
	b.form("/accounts/fresh/disable", "disabled")

	enters := func(who string, u uploader, password, want bool) {
		m.Helper()
		if out, err := u.sftp(password, "ls"); (err == nil) != want {
			m.Errorf("%s (by password: %v): %v\n%s", who, password, err, out)
		}
	}
	old := u
	u.password = b.shown(b.form("/accounts/acme/password", "shown only now"))
	enters("the new password", u, true, true)
	enters("the old password", old, true, false)
	other := u
	other.key = m.newKey()
	public, err := os.ReadFile(other.key + ".pub")
	must(m.T, err)
	b.form("/accounts/acme/key", "is damaged", "key=ssh-ed25519 AAAA")
	b.form("/accounts/acme/key", "The keys are replaced", "key="+string(public))
	enters("the new key", other, false, true)
	enters("the old key", u, false, false)
	b.form("/accounts/acme/allow", "The addresses are replaced", "allow=203.0.113.0/24")
	enters("from elsewhere", other, false, false)
	b.form("/accounts/acme/allow", "The addresses are replaced", "allow=")
	b.form("/accounts/acme/disable", "disabled")
	enters("closed", other, false, false)
	b.form("/accounts/acme/enable", "enabled")
	enters("open again", other, false, true)

	freda := uploader{m: m, name: "freda", key: other.key}
	freda.password = b.shown(b.form("/accounts/acme/logins", "shown only now", "login=freda", "until=2098-01-02"))
	b.form("/accounts/acme/logins/freda/until", "31 Dec 2098", "until=2098-12-31")
	enters("a log-in", freda, true, true)
	b.form("/accounts/acme/logins/freda/remove", "Ended")
	enters("a log-in that was ended", freda, true, false)
	public, err = os.ReadFile(u.key + ".pub")
	must(m.T, err)
	b.form("/accounts/acme/key", "The keys are replaced", "key="+string(public))
}

// trash brings a deleted photo back with its file.
func (b browser) trash(u uploader) {
	m := b.m
	m.Helper()
	if out, err := u.sftp(false, "mkdir job1/A"); err != nil {
		m.Fatalf("%v\n%s", err, out)
	}
	u.put(false, "job1/A/1.jpg", 1)
	m.published("job1/A/1.jpg")
	var photos []struct{ ID int }
	m.json(&photos, "photos")
	if out, err := u.sftp(false, "rm job1/A/1.jpg"); err != nil {
		m.Fatalf("%v\n%s", err, out)
	}
	m.published()
	b.form(fmt.Sprintf("/photos/%d/restore-file", photos[0].ID), "Restored")
	m.published("job1/A/1.jpg")
	if got := m.sh("stat -c '%U %a' /srv/picday/acme/job1/A/1.jpg"); !strings.HasPrefix(got, "acme ") {
		m.Errorf("the file is of %s", got)
	}
}

// receivers starts some of mail and of a webhook on the machine's own loopback, and enters
// them into its configuration.
func (m *machine) receivers() (mail *receivers.Mail, hook *receivers.Webhook) {
	m.Helper()
	m.sh("mkdir -p /etc/picday/receivers")
	m.inNet(func() {
		mail = receivers.NewMail(m.T, m.dir+"/etc/picday/receivers")
		hook = receivers.NewWebhook(m.T, m.dir+"/etc/picday/receivers", "shop")
	})
	inside := func(path string) string { return strings.TrimPrefix(path, m.dir) }
	file := m.dir + "/etc/picday/picday.toml"
	text, err := os.ReadFile(file)
	must(m.T, err)
	text = bytes.Replace(text, []byte("[mail]\n"), fmt.Appendf(nil, "[mail]\nserver = %q\nuser = %q\nfrom = %q\npassword_file = %q\nca_file = %q\nevery = \"1s\"\n",
		mail.Config.Server, mail.Config.User, mail.Config.From, inside(mail.Config.PasswordFile), inside(mail.Config.CAFile)), 1)
	text = fmt.Appendf(text, "[[webhook]]\nname = \"shop\"\nurl = %q\nsecret_file = %q\nca_file = %q\n", hook.Config.URL, inside(hook.Config.SecretFile), inside(hook.Config.CAFile))
	must(m.T, os.WriteFile(file, text, 0o644))
	return mail, hook
}

// inNet does something in the machine's network.
func (m *machine) inNet(do func()) {
	m.Helper()
	runtime.LockOSThread() // until the thread is back in the host's network
	defer runtime.UnlockOSThread()
	back, err := os.Open("/proc/thread-self/ns/net")
	must(m.T, err)
	defer back.Close()
	there, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.leader))
	must(m.T, err)
	defer there.Close()
	must(m.T, unix.Setns(int(there.Fd()), unix.CLONE_NEWNET))
	defer func() { must(m.T, unix.Setns(int(back.Fd()), unix.CLONE_NEWNET)) }()
	do()
}

// watch has a wrong configuration keep picdayd down, and sees that it is told once, and
// once that it is over.
func (m *machine) watch(mail *receivers.Mail, hook *receivers.Webhook) {
	m.Helper()
	if out, _ := m.try("systemctl", "is-active", "picday-watch.timer"); out != "active\n" {
		m.Errorf("the timer is %s", out)
	}
	m.give("/etc/systemd/system/picday-watch.service.d/fast.conf", "[Service]\nExecStart=\nExecStart=/usr/sbin/picdayd --watch --after 1ms\n")
	m.sh("systemctl daemon-reload")
	told := func(what string, n int) {
		m.Helper()
		for range 3 { // a restart is no outage: it takes two looks to tell
			m.run("systemctl", "start", "picday-watch.service")
		}
		if mails, posts := mail.Messages(), hook.Accepted(); len(mails) != 1+n || len(posts) != 1+n {
			log, _ := m.try("journalctl", "--no-pager", "-n", "40", "-u", "picday-watch")
			m.Errorf("%s: by mail %q, by webhook %q\n%s", what, mails, posts, log)
		}
	}
	told("it runs", 0)
	m.sh("cp /etc/picday/picday.toml /root/good.toml; echo 'nonsense = 1' >>/etc/picday/picday.toml; systemctl restart picdayd || true; chmod 0 /var/lib/picday")
	told("dead for good", 1)
	m.sh("chmod 0750 /var/lib/picday; systemctl disable picdayd")
	told("disabled", 1)
	m.sh("cp /root/good.toml /etc/picday/picday.toml; systemctl enable picdayd; systemctl restart picdayd")
	m.healthy()
	told("back", 2)
	if posts := hook.Accepted(); len(posts) == 3 && (!strings.Contains(posts[1], "nonsense") || !strings.Contains(posts[2], "again")) {
		m.Errorf("%q", posts)
	}
}
