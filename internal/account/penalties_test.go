package account

import (
	"os"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

// What doctor says of sshd's penalties, against what sshd of Debian 13 (OpenSSH
// 10.0) says of itself with nothing configured.
func TestPenalties(t *testing.T) {
	text, err := os.ReadFile("testdata/sshd-T-10.0.txt")
	must(t, err)
	debian13 := string(text)
	school, open := account("school", layout.Portraits, "203.0.113.0/24", "2001:db8::/32"), account("open", layout.Jobs)
	closed := open
	closed.Enabled = false
	list := "PerSourcePenaltyExemptList 203.0.113.0/24,2001:db8::/32"
	set := func(key, value string) string {
		var out []string
		for line := range strings.Lines(debian13) {
			if strings.HasPrefix(line, key+" ") {
				line = key + " " + value + "\n"
			}
			out = append(out, line)
		}
		return strings.Join(out, "")
	}
	for name, c := range map[string]struct {
		text     string
		accounts []store.Account
		want     string
	}{
		"as Debian 13 is":         {debian13, []store.Account{school, open}, list + "; PerSourcePenalties authfail:1"},
		"networks alone":          {debian13, []store.Account{school}, list},
		"nobody":                  {debian13, []store.Account{closed}, ""},
		"the fix for networks":    {set("persourcepenaltyexemptlist", "203.0.113.0/24,2001:db8::/32"), []store.Account{school}, ""},
		"wider networks":          {set("persourcepenaltyexemptlist", "203.0.112.0/20,2001:db8::/32"), []store.Account{school}, ""},
		"some networks":           {set("persourcepenaltyexemptlist", "10.0.0.1,203.0.113.0/24"), []store.Account{school}, "PerSourcePenaltyExemptList 10.0.0.1,203.0.113.0/24,2001:db8::/32"},
		"the fix for all":         {set("persourcepenalties", "crash:90 authfail:1 noauth:1 min:15 max:600"), []store.Account{school, open}, ""},
		"off":                     {set("persourcepenalties", "no"), []store.Account{school, open}, ""},
		"an OpenSSH without them": {"port 22\n", []store.Account{school, open}, ""},
	} {
		message, lines := penalties(readEffective(c.text), c.accounts)
		if got := strings.Join(lines, "; "); got != c.want || (message == "") != (c.want == "") {
			t.Errorf("%s: %q, %s", name, got, message)
		}
		if message != "" && !strings.Contains(message, "after 3 wrong log-ins") {
			t.Errorf("%s: %s", name, message)
		}
	}
}
