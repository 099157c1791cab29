package packaging_test

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// On a booted Debian the pages add a job and an account through root's helper, with its
// sandbox on; before web.may lists it they cannot, and with the package the sockets go.
func TestHelperUnits(t *testing.T) {
	one(t, newServer, "bookworm", helperUnits)
}

func helperUnits(m *machine) {
	m.install(build(m.T, "deb", "1.0"))
	m.healthy()
	m.addAccount("acme", "jobs")
	if got := m.sh("stat -c '%U %G %a' /run/picday-helper/*.sock"); got != "root picday 660\nroot picday 660\n" {
		m.Errorf("the sockets: %s", got)
	}
	m.sh("echo correct-horse | picday operator add eva --role admin --password-stdin")
	form := func(path, data, want string) {
		m.Helper()
		curl := func(args ...string) string { // the host's, in the machine's network
			cmd := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(m.leader), "-n", "curl", "-sS", "-L"}, args...)...)
			out, _ := cmd.CombinedOutput() // what it says is judged
			return string(out)
		}
		curl("-o", "/dev/null", "-c", m.dir+"/root/cookie", "-d", "name=eva", "-d", "password=correct-horse", "http://127.0.0.1:8481/login")
		out := curl("-b", m.dir+"/root/cookie", "-d", data, "http://127.0.0.1:8481"+path)
		if !strings.Contains(out, want) {
			log, _ := m.try("journalctl", "--no-pager", "-n", "40", "-u", "picday-helper@*", "-u", "picday-account-helper@*")
			m.Fatalf("%s: no %q in\n%s\n%s", path, want, out, log)
		}
	}
	form("/jobs", "account=acme&job=job1", "web.may")
	m.sh(`sed -i 's/^#may = .*/may = ["job.add", "job.remove", "account.add", "account.disable"]/' /etc/picday/picday.toml; systemctl restart picdayd`)
	m.healthy()
	form("/jobs", "account=acme&job=job1", "job1")
	if got := m.sh("stat -c '%U %a' /srv/picday/acme/job1; picday job list acme"); !strings.HasPrefix(got, "acme 750\n") || !strings.Contains(got, "job1") {
		m.Errorf("the job: %s", got)
	}
	form("/jobs", "account=acme&job=job2", "job2")
	form("/jobs/acme/job2/remove", "x=y", "acme")
	form("/accounts", "name=fresh&layout=portraits&password=wrong", "not your password")
	form("/accounts", "name=fresh&layout=portraits&password=correct-horse", "shown only now")
	m.sh("picday account show fresh; test ! -e /srv/picday/acme/job2")
	form("/accounts/fresh/disable", "password=correct-horse", "disabled")
	if out, err := m.try("picday", "doctor"); err != nil {
		m.Errorf("doctor: %v\n%s", err, out)
	}
	log := m.sh("journalctl --no-pager -o cat -u 'picday-helper@*' -u 'picday-account-helper@*'")
	if strings.Contains(log, "correct-horse") || !strings.Contains(log, `"verb":"account.add"`) || !strings.Contains(log, `"operator":"eva"`) {
		m.Errorf("the journal: %s", log)
	}
	m.sh("apt-get remove -y picday >/dev/null 2>&1")
	bed.Eventually(m.T, "the sockets are gone", func() (bool, any) {
		out, _ := m.try("systemctl", "is-active", "picday-helper.socket", "picday-account-helper.socket")
		return !strings.Contains("\n"+out, "\nactive"), out
	})
}
