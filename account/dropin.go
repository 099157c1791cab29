package account

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"picday/internal/config"
	"picday/store"
)

// A setting is one line of the jail, and what sshd -T must show for it.
type setting struct{ key, value string }

// ownSettings is how many of the jail's settings, the first ones, nobody has but
// picday's accounts.
const ownSettings = 2

// sftpServer is what every session of an account is. Links are refused: an
// uploader needs none, and each costs whoever looks for a moved picture. (The
// server's own rename makes a link too; that is no request of the client's.)
// Where it begins is said here and not by the home directory, which means
// something outside of the jail as well.
func sftpServer(kind store.Layout) string {
	start := "/"
	if kind == store.Portraits {
		start = "/%u"
	}
	return "internal-sftp -u 0027 -P symlink,hardlink -d " + start
}

// jail is what holds for every member of the jail group, from any address.
func jail(cfg config.Config, kind store.Layout) []setting {
	return []setting{
		{"ChrootDirectory", cfg.UploadDir + "/%u"},
		{"AuthorizedKeysFile", cfg.SSHD.KeysDir + "/%u"},
		{"ForceCommand", sftpServer(kind)},
		// A global AllowGroups or AllowUsers would keep the accounts out.
		{"AllowGroups", JailGroup},
		{"AllowUsers", "*"},
		// Who logs in, and how: the key file below or a password, and nothing
		// else that the machine may accept from its own people. (For a key that
		// fits nowhere OpenSSH 9.2 then logs that it skips AuthorizedKeysCommand.)
		// Not "any", which sshd refuses beside a list of the admin's.
		{"AuthenticationMethods", "publickey password"},
		{"PubkeyAuthentication", "yes"},
		{"AuthorizedKeysCommand", "none"},
		{"AuthorizedPrincipalsFile", "none"},
		{"AuthorizedPrincipalsCommand", "none"},
		{"TrustedUserCAKeys", "none"},
		{"PasswordAuthentication", "yes"},
		{"PermitEmptyPasswords", "no"},
		{"KbdInteractiveAuthentication", "no"},
		{"HostbasedAuthentication", "no"},
		{"GSSAPIAuthentication", "no"},
		{"KerberosAuthentication", "no"},
		{"MaxSessions", "10"}, // 0 would be no SFTP
		// Before OpenSSH 10 DisableForwarding alone forgot X11 and agents.
		{"DisableForwarding", "yes"},
		{"AllowTcpForwarding", "no"},
		{"AllowStreamLocalForwarding", "no"},
		{"AllowAgentForwarding", "no"},
		{"X11Forwarding", "no"},
		{"GatewayPorts", "no"},
		{"PermitTunnel", "no"},
		{"PermitTTY", "no"},
		{"PermitUserRC", "no"},
		// A connection that dies silently would keep its file open for good.
		{"ClientAliveInterval", "30"},
		{"ClientAliveCountMax", "4"},
	}
}

// An entry is what the drop-in says of one account. It can only be made from
// parsed values: whatever else stood in the catalogue never gets into sshd's
// configuration.
type entry struct {
	name     string // a valid account name
	kind     store.Layout
	networks []netip.Prefix
}

// entries are those of the accounts, by name. An account with a flaw is an
// error: without its true allowlist it could be let in from anywhere.
func entries(accounts []store.Account) ([]entry, error) {
	var all []entry
	for _, a := range accounts {
		if err := a.Flawed(); err != nil {
			return nil, refused("%v", err)
		}
		if err := ValidName(a.Name); err != nil {
			return nil, err
		}
		all = append(all, entry{a.Name, a.Layout, a.AllowFrom})
	}
	slices.SortFunc(all, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	return all, nil
}

// written begins every drop-in. The package looks for it too.
const written = "# Written by picday"

// dropIn is the whole drop-in: deterministic, and nothing but Match blocks, so
// that it cannot change a setting of the machine's own users.
func dropIn(cfg config.Config, entries []entry) []byte {
	var b strings.Builder
	b.WriteString(written + ", which owns this file: changes made here are lost.\n" +
		"# Nothing but Match blocks: other users of this machine are not concerned.\n\n")
	fmt.Fprintf(&b, "# The daemon's user never logs in. This also shows picday that sshd reads this file.\n"+
		"Match User %s\n\tDenyUsers %[1]s\n\n", DaemonUser)

	if len(entries) > 0 {
		b.WriteString("# Nobody without the jail: an account that has lost the group is refused.\n")
		for some := range slices.Chunk(entries, namesOnALine) {
			fmt.Fprintf(&b, "Match User %s Group *,!%s\n\tDenyUsers *\n", names(some), JailGroup)
		}
		b.WriteByte('\n')
	}
	for _, e := range entries {
		if len(e.networks) > 0 {
			fmt.Fprintf(&b, "# %s: refused, except from its networks.\nMatch User %[1]s Address %s\n\tDenyUsers %[1]s\n\n", e.name, except(e.networks))
		}
	}
	portraits := slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.kind != store.Portraits })
	if len(portraits) > 0 {
		b.WriteString("# The layout portraits begins one folder further down.\n")
		for some := range slices.Chunk(portraits, namesOnALine) {
			fmt.Fprintf(&b, "Match User %s Group %s\n\tForceCommand %s\n", names(some), JailGroup, sftpServer(store.Portraits))
		}
		b.WriteByte('\n')
	}

	fmt.Fprintf(&b, "# The jail of every account, from whatever address.\nMatch Group %s\n", JailGroup)
	for _, line := range jail(cfg, store.Jobs) {
		fmt.Fprintf(&b, "\t%s %s\n", line.key, line.value)
	}
	b.WriteString("\n# Whatever is appended here is for everybody again.\nMatch all\n")
	return []byte(b.String())
}

const namesOnALine = 20

func names(entries []entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.name)
	}
	return strings.Join(all, ",")
}

// except is the pattern of all addresses outside the networks.
func except(networks []netip.Prefix) string {
	var b strings.Builder
	b.WriteByte('*')
	for _, p := range networks {
		b.WriteString(",!" + p.String())
	}
	return b.String()
}

var (
	beltBlock  = regexp.MustCompile(`(?m)^Match User (\S+) Group \*,!` + JailGroup + `$`)
	startBlock = regexp.MustCompile(`(?m)^Match User (\S+) Group ` + JailGroup + `$`)
	allowBlock = regexp.MustCompile(`(?m)^Match User (\S+) Address \*,!(\S+)$`)
)

// readEntries reads the accounts back out of a drop-in, as far as they can be
// picday's.
func readEntries(text []byte) (all []entry) {
	found := map[string]*entry{}
	add := func(name []byte) *entry {
		e := found[string(name)]
		if e == nil && ValidName(string(name)) == nil {
			e = &entry{name: string(name), kind: store.Jobs}
			found[e.name] = e
		}
		return e
	}
	for _, m := range beltBlock.FindAllSubmatch(text, -1) {
		for _, name := range bytes.Split(m[1], []byte(",")) {
			add(name)
		}
	}
	for _, m := range startBlock.FindAllSubmatch(text, -1) {
		for _, name := range bytes.Split(m[1], []byte(",")) {
			if e := add(name); e != nil {
				e.kind = store.Portraits
			}
		}
	}
	for _, m := range allowBlock.FindAllSubmatch(text, -1) {
		networks, err := store.ParseNetworks(strings.Split(string(m[2]), ",!"))
		if err != nil {
			continue
		}
		if e := add(m[1]); e != nil {
			e.networks = networks
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, *found[name])
	}
	return all
}

// whole tells whether a text is a drop-in of picday's to the last byte: what is
// read out of it makes it again. Of the accounts' lines nothing but names and
// networks can then be in it.
func whole(cfg config.Config, text []byte) bool {
	return bytes.Equal(dropIn(cfg, readEntries(text)), text)
}

// with returns the accounts with a put in the place of its namesake.
func with(all []store.Account, a store.Account) []store.Account {
	return append(without(all, a.Name), a)
}

func without(all []store.Account, name string) []store.Account {
	return slices.DeleteFunc(slices.Clone(all), func(x store.Account) bool { return x.Name == name })
}

// sound leaves out the accounts with a flaw, of which the drop-in then goes on
// saying what it says: one damaged row must not keep another account from
// being closed.
func sound(all []store.Account) []store.Account {
	return slices.DeleteFunc(slices.Clone(all), func(x store.Account) bool { return x.Flawed() != nil })
}

// keepRestricted adds what is in force of accounts that are not among the
// entries though their Unix user is there, as after a run that was killed:
// forgetting an allowlist would let the account in from everywhere.
func keepRestricted(all []entry, current []byte, except string) ([]entry, error) {
	all = slices.Clone(all)
	for _, r := range readEntries(current) {
		if r.name == except || slices.ContainsFunc(all, func(x entry) bool { return x.name == r.name }) {
			continue
		}
		u, err := lookupUser(r.name)
		if err != nil {
			return nil, err
		}
		if u != nil && u.ours() {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	return all, nil
}
