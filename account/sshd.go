package account

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"picday/store"
)

// privsepDir must exist for sshd to check anything; systemd makes it when the
// service starts.
const privsepDir = "/run/sshd"

// sshd runs sshd on the machine's configuration.
func (s *System) sshd(ctx context.Context, args ...string) (string, error) {
	if _, err := os.Stat(privsepDir); errors.Is(err, fs.ErrNotExist) {
		if err := os.Mkdir(privsepDir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("sshd needs %s: %w", privsepDir, err)
		}
	}
	return s.run(ctx, "", "sshd", append(args, "-f", s.Config.SSHD.Config)...)
}

// testConfig is sshd -t.
func (s *System) testConfig(ctx context.Context) error {
	_, err := s.sshd(ctx, "-t")
	return err
}

// effective is what sshd would apply to this user coming from this address.
type effective struct {
	text   string
	values map[string][]string // keywords in lower case
}

func (s *System) effective(ctx context.Context, user string, p probe) (effective, error) {
	text, err := s.sshd(ctx, "-T", "-C", p.spec(user, s.Config.SSHD.Port))
	if err != nil {
		return effective{}, err
	}
	return readEffective(text), nil
}

func readEffective(text string) effective {
	e := effective{text: text, values: map[string][]string{}}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		e.values[key] = append(e.values[key], value)
	}
	return e
}

// denies tells which of sshd's lists keeps the user out, who is in these
// groups; "" = none.
func (e effective) denies(user string, groups []string, p probe) string {
	means := func(pattern string) bool {
		name, host, at := strings.Cut(pattern, "@")
		return wild(name, user) && (!at || host == "*" || host == p.addr || host == p.host || inNetwork(host, p.addr))
	}
	for _, list := range e.values["denyusers"] {
		if slices.ContainsFunc(strings.Fields(list), means) {
			return "DenyUsers " + list
		}
	}
	for _, list := range e.values["denygroups"] {
		for _, g := range groups {
			if listed(g, strings.Join(strings.Fields(list), ",")) {
				return "DenyGroups " + list
			}
		}
	}
	if slices.Contains(e.values["refuseconnection"], "yes") { // from OpenSSH 10 on
		return "RefuseConnection yes"
	}
	return ""
}

func inNetwork(network, addr string) bool {
	p, err := netip.ParsePrefix(network)
	ip, aerr := netip.ParseAddr(addr)
	return err == nil && aerr == nil && p.Contains(ip)
}

// Addresses to ask about: documentation ranges, so that a real rule of the
// admin's rarely names them.
var (
	probes4 = []string{"192.0.2.77", "198.51.100.77", "203.0.113.77", "127.0.0.77", "8.8.8.8"}
	probes6 = []string{"2001:db8::77", "2001:db8:ffff::77", "3fff::77", "::1", "2620::77"}
)

// bystanders are users whom no change of picday's may concern: root, a user of
// the system, and some people who log in.
func bystanders() ([]string, error) {
	users, people := []string{"root", "nobody"}, 0
	jailed, err := lookupGroup(JailGroup)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(passwdFile)
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		// Whoever is in the group is concerned, and doctor says so of strangers.
		if len(f) < 7 || strings.HasPrefix(f[4], markPrefix) || jailed != nil && slices.Contains(jailed.members, f[0]) || f[6] == nologin || strings.HasSuffix(f[6], "/false") || slices.Contains(users, f[0]) {
			continue
		}
		if uid, err := strconv.Atoi(f[2]); err == nil && uid >= 1000 && people < 2 {
			users, people = append(users, f[0]), people+1
		}
	}
	return users, err
}

// others is what sshd applies to everybody who is not picday's. What is only
// for accounts must not be in it, whatever was there before.
func (s *System) others(ctx context.Context) (map[string]string, error) {
	users, err := bystanders()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, user := range users {
		addrs := []string{probes4[0]}
		if user == "root" { // no line of picday's is for one family of addresses
			addrs = append(addrs, probes6[0])
		}
		for _, addr := range addrs {
			e, err := s.effective(ctx, user, from(addr))
			if err != nil {
				return nil, err
			}
			for _, line := range jail(s.Config, store.Jobs)[:ownSettings] {
				if slices.Contains(e.values[strings.ToLower(line.key)], line.value) {
					return nil, concerned(user + " from " + addr)
				}
			}
			out[user+" from "+addr] = e.text
		}
	}
	return out, nil
}

func concerned(who string) error {
	return refused("picday's lines would also concern %s: is that user in the group %s?", who, JailGroup)
}

// provenForOthers compares with before the change, where that is known.
func (s *System) provenForOthers(ctx context.Context, before map[string]string) error {
	after, err := s.others(ctx)
	if err != nil {
		return err
	}
	for who, text := range before {
		if after[who] != text {
			return concerned(who)
		}
	}
	return nil
}

// provenRead tells whether sshd reads the drop-in at all, and serves SFTP.
func (s *System) provenRead(ctx context.Context) error {
	e, err := s.effective(ctx, DaemonUser, from(probes4[0]))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(e.values["denyusers"], func(list string) bool { return slices.Contains(strings.Fields(list), DaemonUser) }) {
		return fmt.Errorf("sshd does not read %s: put the line \"Include %s/*.conf\" at the top of %s",
			s.Config.SSHD.DropIn, filepath.Dir(s.Config.SSHD.DropIn), s.Config.SSHD.Config)
	}
	if !slices.ContainsFunc(e.values["subsystem"], func(v string) bool { return strings.HasPrefix(v, "sftp ") }) {
		return fmt.Errorf("sshd does not offer SFTP: put the line \"Subsystem sftp internal-sftp\" into %s", s.Config.SSHD.Config)
	}
	return nil
}

// provenAllowlist asks sshd about addresses inside and outside the networks.
// The Unix user need not exist yet.
func (s *System) provenAllowlist(ctx context.Context, a store.Account) error {
	groups, err := groupsOf(a.Name)
	if err != nil {
		return err
	}
	inside, outside := s.sample(a)
	u, err := lookupUser(a.Name)
	if err != nil {
		return err
	}
	if u != nil && !u.jailed {
		inside = nil // refused from everywhere until it is in the group again
	}
	for _, p := range inside {
		e, err := s.effective(ctx, a.Name, p)
		if err != nil {
			return err
		}
		if why := e.denies(a.Name, groups, p); why != "" {
			return fmt.Errorf("sshd would refuse %s from %s, which should be allowed, because of \"%s\": take %s and its groups (%s) out of it, in %s or what it includes",
				a.Name, p, why, a.Name, strings.Join(groups, ", "), s.Config.SSHD.Config)
		}
	}
	for _, p := range outside {
		e, err := s.effective(ctx, a.Name, p)
		if err != nil {
			return err
		}
		if e.denies(a.Name, nil, p) == "" {
			return refused("sshd would let %s in from %s, which is not on its allowlist: look for a Match block with DenyUsers in %s and what it includes", a.Name, p, s.Config.SSHD.Config)
		}
	}
	return nil
}

// groupsOf are the groups of an account's Unix user, or those that it will get.
func groupsOf(name string) ([]string, error) {
	data, err := os.ReadFile(groupFile)
	if err != nil {
		return nil, err
	}
	groups := []string{name, JailGroup}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) > 3 && slices.Contains(strings.Split(f[3], ","), name) && !slices.Contains(groups, f[0]) {
			groups = append(groups, f[0])
		}
	}
	return groups, nil
}

// provenJailed tells whether sshd would jail the account's existing Unix user,
// wherever it comes from: from some addresses, and from those of every Match
// block of the admin's.
func (s *System) provenJailed(ctx context.Context, a store.Account) error {
	return s.provenIn(ctx, a, newRound())
}

func (s *System) provenIn(ctx context.Context, a store.Account, r *round) error {
	inside, outside := s.sample(a)
	ways, odd, class, err := s.waysIn(a)
	if err != nil {
		return err
	}
	if r.jailed[class] {
		ways = nil
	}
	for _, b := range odd {
		if b.first {
			return refused("sshd may not jail %s: %s comes before picday's lines, and %s. Put it behind the line that includes %s, or in a file there whose name comes later",
				a.Name, b, b.odd, s.Config.SSHD.DropIn)
		}
	}
	for _, p := range slices.Concat(ways, inside[:1], outside) {
		e, err := s.effective(ctx, a.Name, p)
		if err != nil {
			return err
		}
		for _, line := range jail(s.Config, a.Layout) {
			got := e.values[strings.ToLower(line.key)]
			if len(got) == 0 && slices.Contains(notEverywhere, line.key) {
				continue
			}
			if !slices.Contains(got, line.value) {
				which := fmt.Sprintf("An earlier Match block in %s or what it includes", s.Config.SSHD.Config)
				if p.block != nil {
					which = p.block.String() + ", or another block before picday's lines,"
				}
				return refused("sshd would not jail %s: from %s %s is \"%s\", not \"%s\". %s must not concern the group %s: put it behind the line that includes %s, or in a file there whose name comes later",
					a.Name, p, line.key, strings.Join(got, " "), line.value, which, JailGroup, s.Config.SSHD.DropIn)
			}
		}
	}
	r.jailed[class] = true
	return nil
}

// provenAll proves it of all accounts that can log in.
func (s *System) provenAll(ctx context.Context, all []store.Account) error {
	r := newRound()
	for _, a := range all {
		u, err := lookupUser(a.Name)
		if err != nil {
			return err
		}
		if u == nil || !u.ours() || !u.jailed || u.closed() {
			continue // refused in any case
		}
		if err := s.provenIn(ctx, a, r); err != nil {
			return err
		}
	}
	return nil
}

// notEverywhere are keywords that an OpenSSH can be built without.
var notEverywhere = []string{"GSSAPIAuthentication", "KerberosAuthentication"}

// jailStep asks sshd before anybody is let in.
func (s *System) jailStep(a store.Account) step {
	return assert(func(ctx context.Context) error { return s.provenJailed(ctx, a) })
}
