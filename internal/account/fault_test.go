package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/layout"
	"picday/internal/localtime"
	"picday/store"
)

var errBroken = errors.New("broken on purpose")

// A change is one operation, with the machine it begins on.
type change struct {
	name    string
	prepare func(t *testing.T) *System
	do      func(ctx context.Context, s *System) ([]string, error)
	// after are the accounts that exist when it is through.
	after []store.Account
	// noReturn: a failure may leave it half done, to be completed.
	noReturn bool

	frozen string // where a copy of the prepared machine is
}

func account(name string, l layout.Kind, allow ...string) store.Account {
	return store.Account{Name: name, Layout: l, Enabled: true, AllowFrom: networks(allow...)}
}

func networks(list ...string) []netip.Prefix {
	all, err := ParseAllow(list)
	if err != nil {
		panic(err)
	}
	return all
}

const aKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvbLJD2dDdH4fAHDFkxpEkhVpnBQGzzKc3RYmfVtGVE x"

func changes() []change {
	acme, restrictedAcme := account("acme", layout.Jobs), account("acme", layout.Jobs, "203.0.113.0/24", "2001:db8::/32")
	lincoln := account("lincoln", layout.Portraits, "198.51.100.0/24")
	end, _ := localtime.ParseDay("2090-12-31")
	for _, a := range []*store.Account{&acme, &restrictedAcme} {
		a.Logins = []store.Login{{Name: "anna", Until: end}}
	}
	past, _ := localtime.ParseDay("2020-01-31")
	over := store.Login{Name: "over", Until: past}
	annaLonger := store.Login{Name: "anna", Until: end}
	bert := store.Login{Name: "bert", Until: end}
	disabled := acme
	disabled.Enabled = false
	withAcme := func(t *testing.T) *System {
		s := initWorld(t)
		s.run = remembering
		_, err := s.Add(t.Context(), Spec{Account: acme.WithoutLogin("anna"), Keys: [][]byte{[]byte(aKey)}, Password: "some-password"}, nil)
		must(t, err)
		_, err = s.AddLogin(t.Context(), acme.WithoutLogin("anna"), LoginSpec{Login: acme.Logins[0], Keys: [][]byte{[]byte(aKey)}, Password: "some-password"}, nil)
		must(t, err)
		_, err = s.AddJob("acme", "job1")
		must(t, err)
		_, err = s.AddJob("acme", "job2")
		must(t, err)
		_, err = s.HideJob("acme", "job2")
		must(t, err)
		return s
	}
	return []change{
		{name: "init", prepare: newWorld, do: func(ctx context.Context, s *System) ([]string, error) { return s.Init(ctx) }},
		{name: "add jobs", prepare: initWorld, after: []store.Account{restrictedAcme.WithoutLogin("anna")}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.Add(ctx, Spec{Account: restrictedAcme.WithoutLogin("anna"), Keys: [][]byte{[]byte(aKey)}, Password: "some-password"}, nil)
		}},
		{name: "add portraits", prepare: withAcme, after: []store.Account{acme, lincoln}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.Add(ctx, Spec{Account: lincoln, Keys: [][]byte{[]byte(aKey)}}, []store.Account{acme})
		}},
		{name: "allow", prepare: withAcme, after: []store.Account{restrictedAcme}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.SetAllow(ctx, restrictedAcme, []store.Account{acme})
		}},
		{name: "password", prepare: withAcme, after: []store.Account{acme}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.SetPassword(ctx, acme.Name, "another-password")
		}},
		{name: "keys", prepare: withAcme, after: []store.Account{acme}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.SetKeys(ctx, acme.Name, [][]byte{[]byte(strings.Replace(aKey, " x", " other", 1))})
		}},
		{name: "disable", prepare: withAcme, after: []store.Account{disabled}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.Disable(ctx, acme)
		}},
		{name: "enable", prepare: func(t *testing.T) *System {
			s := withAcme(t)
			_, err := s.Disable(t.Context(), acme)
			must(t, err)
			return s
		}, after: []store.Account{acme}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.Enable(ctx, acme, []store.Account{acme})
		}},
		{name: "remove", prepare: withAcme, noReturn: true, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.Remove(ctx, acme, []store.Account{acme}, false)
		}},
		{name: "remove files", prepare: withAcme, noReturn: true, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.Remove(ctx, acme, []store.Account{acme}, true)
		}},
		{name: "add log-in", prepare: withAcme, after: []store.Account{acme.WithLogin(bert)}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.AddLogin(ctx, acme, LoginSpec{Login: bert, Keys: [][]byte{[]byte(aKey)}, Password: "some-password"}, []store.Account{acme})
		}},
		{name: "remove log-in", prepare: withAcme, noReturn: true, after: []store.Account{acme.WithoutLogin("anna")}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.RemoveLogin(ctx, acme, "anna", []store.Account{acme})
		}},
		{name: "end log-in", prepare: func(t *testing.T) *System {
			s := withAcme(t)
			_, err := s.AddLogin(t.Context(), acme, LoginSpec{Login: over, Keys: [][]byte{[]byte(aKey)}}, []store.Account{acme})
			must(t, err)
			return s
		}, after: []store.Account{acme.WithLogin(over)}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.EndLogins(ctx, nil, time.Now())
		}},
		{name: "another last day", prepare: withAcme, after: []store.Account{acme.WithLogin(annaLonger)}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.SetLoginEnd(ctx, acme, annaLonger, []store.Account{acme})
		}},
		{name: "open a log-in again", prepare: func(t *testing.T) *System {
			s := withAcme(t)
			_, err := s.AddLogin(t.Context(), acme, LoginSpec{Login: over, Keys: [][]byte{[]byte(aKey)}, Password: "some-password"}, []store.Account{acme})
			must(t, err)
			_, err = s.EndLogins(t.Context(), nil, time.Now())
			must(t, err)
			return s
		}, after: []store.Account{acme.WithLogin(store.Login{Name: "over"})}, do: func(ctx context.Context, s *System) ([]string, error) {
			return s.SetLoginEnd(ctx, acme, store.Login{Name: "over"}, []store.Account{acme.WithLogin(over)})
		}},
		{name: "hide", prepare: withAcme, after: []store.Account{acme}, do: func(_ context.Context, s *System) ([]string, error) {
			return s.HideJob("acme", "job1")
		}},
		{name: "show", prepare: withAcme, after: []store.Account{acme}, do: func(_ context.Context, s *System) ([]string, error) {
			return s.ShowJob("acme", "job2")
		}},
	}
}

// begin is prepare, the second time and later from a copy of what it made the
// first time: most of a test's time would be useradd and its kind.
func (c *change) begin(t *testing.T) *System {
	t.Helper()
	if whyNotReal == "" && c.frozen != "" {
		must(t, emptySrv())
		must(t, layEtc(c.frozen+"/etc:"+cleanEtc+":"))
		sys(t, "cp", "-a", c.frozen+"/srv/.", "/srv/")
		s := New(testConfig())
		mend(s)
		return s
	}
	s := c.prepare(t)
	mend(s)
	c.frozen = "/run/frozen-" + strings.ReplaceAll(t.Name(), "/", "-")
	must(t, os.Mkdir(c.frozen, 0o755))
	sys(t, "cp", "-a", fmt.Sprintf("/run/etc%d/up", etcLayers), c.frozen+"/etc")
	sys(t, "cp", "-a", "/srv", c.frozen+"/srv")
	return s
}

// breakAt makes the n-th chance fail: chances are the beginning and the end of
// each step, and of each command that is run. hit tells whether n was reached.
//
// Of questions to sshd that follow each other, which change nothing, the first
// is a chance; with PICDAY_TORTURE=1 every one is.
//
// For killing, onlyAfter leaves out the chances that find the machine as one
// before did: the beginnings. A question to sshd changes nothing, so failing or
// being killed after it is like before the next thing.
func breakAt(s *System, n int, onlyAfter bool, fail func() error) (hit *bool) {
	hit = new(bool)
	count, asked := 0, false
	s.answers = nil // every try asks sshd for itself
	chance := func(afterwards bool) error {
		if onlyAfter && !afterwards {
			return nil
		}
		asked = false
		count++
		if count-1 != n {
			return nil
		}
		*hit = true
		return fail()
	}
	s.fault = func(_ int, _ string, afterwards bool) error { return chance(afterwards) }
	s.run = func(ctx context.Context, stdin, name string, args ...string) (string, error) {
		question := slices.Contains(args, "-T")
		if !question || !asked || os.Getenv("PICDAY_TORTURE") != "" {
			if err := chance(false); err != nil {
				return "", err
			}
		}
		asked = question
		out, err := remembering(ctx, stdin, name, args...)
		if question {
			return out, err
		}
		if ferr := chance(true); ferr != nil {
			return out, ferr // failed but happened
		}
		return out, err
	}
	return hit
}

func mend(s *System) { s.fault, s.run, s.answers = nil, remembering, nil }

// TestEveryStepFailing: a failure leaves nothing behind, or can be completed.
func TestEveryStepFailing(t *testing.T) {
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			s := c.begin(t)
			before := snapshot(t)
			for n := 0; ; n++ {
				hit := breakAt(s, n, false, func() error { return errBroken })
				_, err := c.do(t.Context(), s)
				mend(s)
				if !*hit {
					must(t, err)
					t.Logf("%d places", n)
					break
				}
				if err == nil {
					t.Fatalf("place %d: no error", n)
				}
				after := snapshot(t)
				if after == before {
					continue
				}
				if !c.noReturn {
					t.Fatalf("place %d: %v\nleft behind:\n%s", n, err, differences(before, after))
				}
				if _, err := c.do(t.Context(), s); err != nil {
					t.Fatalf("place %d: not completed: %v", n, err)
				}
				healthy(t, s, c.after...)
				s = c.begin(t)
				before = snapshot(t)
			}
			s.run = runCommand
			healthy(t, s, c.after...)
			if done, err := c.do(t.Context(), s); c.name != "password" && !strings.HasPrefix(c.name, "add") && (err != nil || len(done) != 0) {
				t.Errorf("again: %q, %v", done, err)
			}
		})
	}
}

// TestKilled: after kill -9 anywhere the same command completes.
func TestKilled(t *testing.T) {
	for i, c := range changes() {
		if testing.Short() && !strings.HasPrefix(c.name, "add") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			s := c.begin(t)
			for n := 0; ; n++ {
				cmd := exec.Command("/proc/self/exe")
				cmd.Env = append(os.Environ(), fmt.Sprintf("%s=[%d,%d]", envKill, i, n))
				out, err := cmd.CombinedOutput()
				if err == nil {
					t.Logf("%d places", n)
					break
				}
				if cmd.ProcessState.ExitCode() != -1 {
					t.Fatalf("place %d: %v\n%s", n, err, out)
				}
				added := map[string]string{"add jobs": "acme", "add log-in": "bert"}[c.name]
				if u, _ := lookupUser(added); u != nil && !u.closed() {
					must(t, s.provenJailed(t.Context(), c.after[0]))
					must(t, s.provenAllowlist(t.Context(), c.after[0]))
				}
				mend(s)
				if _, err := c.do(t.Context(), s); err != nil {
					t.Fatalf("killed at %d, not completed: %v", n, err)
				}
				healthy(t, s, c.after...)
				if text := snapshot(t); strings.Contains(text, ".new ") || strings.Contains(text, ".old ") {
					t.Fatalf("killed at %d, leftovers:\n%s", n, text)
				}
				s = c.begin(t)
			}
			healthy(t, s, c.after...)
		})
	}
}

// killedHelper is the process that gets killed.
func killedHelper() {
	var at [2]int
	if err := json.Unmarshal([]byte(os.Getenv(envKill)), &at); err != nil {
		panic(err)
	}
	s := New(testConfig())
	breakAt(s, at[1], true, func() error {
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	})
	if _, err := changes()[at[0]].do(context.Background(), s); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func differences(a, b string) string {
	var out strings.Builder
	inA, inB := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(a) {
		inA[line] = true
	}
	for line := range strings.Lines(b) {
		inB[line] = true
		if !inA[line] {
			out.WriteString("+ " + line)
		}
	}
	for line := range strings.Lines(a) {
		if !inB[line] {
			out.WriteString("- " + line)
		}
	}
	return out.String()
}
