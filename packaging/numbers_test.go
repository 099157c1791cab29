package packaging_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// TestNumbers measures what ARCHITECTURE.md says of the package:
//
//	sudo env PATH=$PATH PICDAY_PACKAGE=must go test -count=1 -v -run Numbers ./packaging
func TestNumbers(t *testing.T) {
	each(t, newMachine, func(m *machine) {
		deb := build(m.T, "deb", shipped)
		fi, err := os.Stat(deb)
		must(m.T, err)
		m.Logf("package: %.1f MB; installed: %s kB", float64(fi.Size())/1e6, strings.TrimSpace(sh(m.T, `dpkg-deb -f "$1" Installed-Size`, deb)))

		data, err := os.ReadFile(deb)
		must(m.T, err)
		must(m.T, os.WriteFile(m.dir+"/root/picday.deb", data, 0o644))
		pulled := func(what string) []string {
			out := m.sh("apt-get install -s --no-install-recommends " + what + " | awk '/^Inst/ {print $2}' | sort")
			return strings.Fields(out)
		}
		ssh, all := pulled("openssh-server"), pulled("/root/picday.deb")
		if more := slices.DeleteFunc(all, func(p string) bool { return slices.Contains(ssh, p) }); !slices.Equal(more, []string{"picday"}) {
			m.Errorf("it pulls in more than openssh-server does: %q", more)
		}
		m.Logf("dependencies pulled on a minimal system: openssh-server with its %d, nothing else", len(ssh)-1)

		m.run("apt-get", "install", "-qq", "-y", "openssh-server")
		began := time.Now()
		m.install(deb)
		m.healthy()
		m.Logf("from apt install to ready, openssh-server being there: %.1f s", time.Since(began).Seconds())

		u := m.addAccount("lincoln", "portraits")
		u.put(false, "user-pictures/1.jpg", 1)
		m.published("lincoln/user-pictures/1.jpg")
		rss := func() (each string, sum int) {
			each = m.sh(`pid=$(systemctl show -P MainPID picdayd); for p in $pid $(cat /proc/$pid/task/*/children); do awk '/^VmRSS/ {print $2}' /proc/$p/status; done | tr '\n' ' '`)
			for _, kb := range strings.Fields(each) {
				var n int
				_, _ = fmt.Sscan(kb, &n)
				sum += n
			}
			return each, sum
		}
		// At rest is what changes by less than 1 MB in ten looks: the kernel counts in batches.
		var last string
		sum, same := 0, 0
		bed.Eventually(m.T, "memory is at rest", func() (bool, any) {
			each, now := rss()
			if same++; max(now-sum, sum-now) > 1000 {
				last, sum, same = each, now, 0
			}
			return same > 10, each
		})
		m.Logf("idle RSS in kB, the daemon and its decoders: %s= %d", last, sum)
	})
}
