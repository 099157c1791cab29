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

	"picday/internal/layout"
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
	_, err := s.ask(ctx, "", "-t")
	return err
}

// effective is what sshd would apply to this user coming from this address.
type effective struct {
	text   string
	values map[string][]string // keywords in lower case
}

func (s *System) effective(ctx context.Context, user string, p connSpec) (effective, error) {
	text, err := s.ask(ctx, user, "-T", "-C", p.spec(user, s.Config.SSHD.Port))
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

// denies returns which of sshd's lists keeps out the user, a member of these groups;
// "" = none.
func (e effective) denies(user string, groups []string, p connSpec) string {
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

// Addresses to ask about. Most are for documentation, so that admins' rules seldom
// name them.
var (
	sampleIPv4 = []string{"192.0.2.77", "198.51.100.77", "203.0.113.77", "127.0.0.77", "8.8.8.8"}
	sampleIPv6 = []string{"2001:db8::77", "2001:db8:ffff::77", "3fff::77", "::1", "2620::77"}
)

// otherUsers returns users whom no change of picday's may affect: root, a system
// user, and some people.
func otherUsers() ([]string, error) {
	users, people := []string{"root", "nobody"}, 0
	jailed, err := lookupGroup(JailGroup)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(passwdFile)
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		// Members of the jail group are affected on purpose; doctor reports those
		// that picday did not make.
		if len(f) < 7 || strings.HasPrefix(f[4], markPrefix) || strings.HasPrefix(f[4], loginMarkPrefix) || jailed != nil && slices.Contains(jailed.members, f[0]) || f[6] == nologin || strings.HasSuffix(f[6], "/false") || slices.Contains(users, f[0]) {
			continue
		}
		if uid, err := strconv.Atoi(f[2]); err == nil && uid >= 1000 && people < 2 {
			users, people = append(users, f[0]), people+1
		}
	}
	return users, err
}

// effectiveForOthers returns what sshd applies to users who are not picday's. It
// refuses if a setting that only accounts have is among it.
func (s *System) effectiveForOthers(ctx context.Context) (map[string]string, error) {
	users, err := otherUsers()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
users:
	for _, user := range users {
		addrs := []string{sampleIPv4[0]}
		if user == "root" { // one user will do for IPv6
			addrs = append(addrs, sampleIPv6[0])
		}
		for _, addr := range addrs {
			e, err := s.effective(ctx, user, from(addr))
			if err != nil {
				return nil, err
			}
			for _, line := range jail(s.Config, layout.Jobs, itself)[:ownSettings] {
				if slices.Contains(e.values[strings.ToLower(line.key)], line.value) {
					if u, err := lookupUser(user); err == nil && u != nil && (u.ours() || u.isLogin()) && u.jailed {
						continue users // it was deleted meanwhile, and is an account now
					}
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

// provenForOthers checks that sshd applies to other users what it did before the
// change, as far as that is known.
func (s *System) provenForOthers(ctx context.Context, before map[string]string) error {
	after, err := s.effectiveForOthers(ctx)
	if err != nil {
		return err
	}
	for who, text := range before {
		// One that is not there any more was deleted meanwhile, or is an account now.
		if now, listed := after[who]; listed && now != text {
			return concerned(who)
		}
	}
	return nil
}

// provenRead checks that sshd reads the drop-in and serves SFTP.
func (s *System) provenRead(ctx context.Context) error {
	e, err := s.effective(ctx, DaemonUser, from(sampleIPv4[0]))
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

// provenAllowlist asks sshd, for every entrance of the account, about addresses inside
// and outside of the networks. The Unix users need not exist yet.
func (s *System) provenAllowlist(ctx context.Context, a store.Account) error {
	for _, e := range entrances(a) {
		if err := s.provenAllowed(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *System) provenAllowed(ctx context.Context, e entrance) error {
	groups, err := e.groups()
	if err != nil {
		return err
	}
	inside, outside := s.sample(e.acct)
	u, err := lookupUser(e.name)
	if err != nil {
		return err
	}
	if u != nil && !u.jailed {
		inside = nil // refused from everywhere until it is in the group again
	}
	for _, p := range inside {
		got, err := s.effective(ctx, e.name, p)
		if err != nil {
			return err
		}
		if why := got.denies(e.name, groups, p); why != "" {
			return fmt.Errorf("sshd would refuse %s from %s, which should be allowed, because of \"%s\": take %s and its groups (%s) out of it, in %s or what it includes",
				e.name, p, why, e.name, strings.Join(groups, ", "), s.Config.SSHD.Config)
		}
	}
	for _, p := range outside {
		got, err := s.effective(ctx, e.name, p)
		if err != nil {
			return err
		}
		if got.denies(e.name, nil, p) == "" {
			return refused("sshd would let %s in from %s, which is not on its allowlist: look for a Match block with DenyUsers in %s and what it includes", e.name, p, s.Config.SSHD.Config)
		}
	}
	return nil
}

// groups returns the groups of an entrance's Unix user, also those that it will get.
func (e entrance) groups() ([]string, error) {
	data, err := os.ReadFile(groupFile)
	if err != nil {
		return nil, err
	}
	groups := []string{e.name, JailGroup}
	if e.login() {
		groups = append(groups, e.acct.Name)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) > 3 && slices.Contains(strings.Split(f[3], ","), e.name) && !slices.Contains(groups, f[0]) {
			groups = append(groups, f[0])
		}
	}
	return groups, nil
}

// provenJailed checks that sshd jails the account's existing Unix user, and those of
// its log-ins: for some addresses, and for connections to which the admin's Match
// blocks apply.
func (s *System) provenJailed(ctx context.Context, a store.Account) error {
	r := newAskedClasses()
	for _, e := range entrances(a) {
		if e.login() {
			if u, err := lookupUser(e.name); err != nil {
				return err
			} else if u == nil || !u.jailed {
				continue // it is refused; doctor says so
			}
		}
		if err := s.provenIn(ctx, e, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *System) provenIn(ctx context.Context, e entrance, r *askedClasses) error {
	inside, outside := s.sample(e.acct)
	specs, unclear, class, err := s.connSpecsFor(e)
	if err != nil {
		return err
	}
	if r.jailed[class] {
		specs = nil
	}
	for _, b := range unclear {
		if b.first {
			return refused("sshd may not jail %s: %s comes before picday's lines, and %s. Put it behind the line that includes %s, or in a file there whose name comes later",
				e.name, b, b.unclear, s.Config.SSHD.DropIn)
		}
	}
	account := itself
	if e.login() {
		account = e.acct.Name
	}
	for _, p := range slices.Concat(specs, inside[:1], outside) {
		now, err := s.effective(ctx, e.name, p)
		if err != nil {
			return err
		}
		for _, line := range jail(s.Config, e.acct.Layout, account) {
			got := now.values[strings.ToLower(line.key)]
			if len(got) == 0 && slices.Contains(optionalKeywords, line.key) {
				continue
			}
			if !slices.Contains(got, line.value) {
				which := fmt.Sprintf("An earlier Match block in %s or what it includes", s.Config.SSHD.Config)
				if p.block != nil {
					which = p.block.String() + ", or another block before picday's lines,"
				}
				return refused("sshd would not jail %s: from %s %s is \"%s\", not \"%s\". %s must not concern the group %s: put it behind the line that includes %s, or in a file there whose name comes later",
					e.name, p, line.key, strings.Join(got, " "), line.value, which, JailGroup, s.Config.SSHD.DropIn)
			}
		}
	}
	r.jailed[class] = true
	return nil
}

// provenAll checks it for all entrances that somebody can log in by.
func (s *System) provenAll(ctx context.Context, all []store.Account) error {
	r := newAskedClasses()
	for _, a := range all {
		for _, e := range entrances(a) {
			u, err := lookupUser(e.name)
			if err != nil {
				return err
			}
			if u == nil || !u.fits(e) || !u.jailed || u.closed() {
				continue // refused in any case
			}
			if err := s.provenIn(ctx, e, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// optionalKeywords are keywords that an OpenSSH can be built without.
var optionalKeywords = []string{"GSSAPIAuthentication", "KerberosAuthentication"}

// jailStep checks, before anybody is let in, that sshd jails the account and its log-ins.
func (s *System) jailStep(a store.Account) step {
	return assert(func(ctx context.Context) error { return s.provenJailed(ctx, a) })
}
