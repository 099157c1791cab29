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
	"picday/internal/layout"
	"picday/store"
)

// A setting is one line of the jail, and what sshd -T must show of it.
type setting struct{ key, value string }

// ownSettings is how many settings at the beginning of the jail hold for no user but
// picday's accounts.
const ownSettings = 2

// sftpServer is the command that every session of an account runs. Links are
// refused: an uploader needs none, and each makes it more expensive to look for a
// moved picture. (The server's own rename makes a link too, but not at a client's
// request.) The start directory is set here and not by the home directory, which has
// a meaning outside of the jail too. account is what stands for the account's name.
func sftpServer(kind layout.Kind, account string) string {
	start := "/"
	if kind == layout.Portraits {
		start = "/" + account
	}
	return "internal-sftp -u 0027 -P symlink,hardlink -d " + start
}

// itself stands for the account's name where the user is the account's own. For a
// log-in the name of its account stands there.
const itself = "%u"

// jail is what holds for every member of the jail group, from any address.
func jail(cfg config.Config, kind layout.Kind, account string) []setting {
	return []setting{
		{"ChrootDirectory", cfg.UploadDir + "/" + account},
		{"AuthorizedKeysFile", cfg.SSHD.KeysDir + "/%u"},
		{"ForceCommand", sftpServer(kind, account)},
		// A global AllowGroups or AllowUsers would keep the accounts out.
		{"AllowGroups", JailGroup},
		{"AllowUsers", "*"},
		// Log-ins need the key file below or a password. Nothing else that the
		// machine may accept from its own users counts. (OpenSSH 9.2 then logs for a
		// key that fits nowhere that it skips AuthorizedKeysCommand.) Not "any",
		// which sshd refuses beside a list of the admin's.
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
		{"MaxSessions", "10"}, // with 0 there would be no SFTP
		// Before OpenSSH 10 DisableForwarding did not cover X11 and agents.
		{"DisableForwarding", "yes"},
		{"AllowTcpForwarding", "no"},
		{"AllowStreamLocalForwarding", "no"},
		{"AllowAgentForwarding", "no"},
		{"X11Forwarding", "no"},
		{"GatewayPorts", "no"},
		{"PermitTunnel", "no"},
		{"PermitTTY", "no"},
		{"PermitUserRC", "no"},
		// A connection that dies silently would keep its file open for ever.
		{"ClientAliveInterval", "30"},
		{"ClientAliveCountMax", "4"},
	}
}

// An entry is what the drop-in says of one entrance. It is made from parsed values
// only, so other text from the catalogue never gets into sshd's configuration.
type entry struct {
	name     string // a valid account name
	account  string // whose log-in it is; "" = it is the account's own
	kind     layout.Kind
	networks []netip.Prefix
}

// entries returns those of the accounts, by name. An account with a flaw is an
// error: without its true allowlist it could be let in from anywhere.
func entries(accounts []store.Account) ([]entry, error) {
	bad, err := misfits(accounts)
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, a := range accounts {
		if err := a.Flawed(); err != nil {
			return nil, refused("%v", err)
		}
		if err := bad[a.Name]; err != nil {
			return nil, err
		}
		for _, e := range entrances(a) {
			if err := ValidName(e.name); err != nil {
				return nil, err
			}
			account := ""
			if e.login() {
				account = a.Name
			}
			all = append(all, entry{e.name, account, a.Layout, a.AllowFrom})
		}
	}
	slices.SortFunc(all, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	return all, nil
}

// written is how every drop-in begins. The package's scripts look for it too.
const written = "# Written by picday"

// dropIn is the text of the drop-in. It is deterministic, and has nothing but Match
// blocks, so that it cannot change a setting of the machine's own users.
func dropIn(cfg config.Config, entries []entry) []byte {
	var b strings.Builder
	b.WriteString(written + ", which owns this file: changes made here are lost.\n" +
		"# Nothing but Match blocks: other users of this machine are not concerned.\n\n")
	fmt.Fprintf(&b, "# The daemon's user never logs in. This also shows picday that sshd reads this file.\n"+
		"Match User %s\n\tDenyUsers %[1]s\n\n", DaemonUser)

	if len(entries) > 0 {
		b.WriteString("# Nobody without the jail: an account that has lost the group is refused.\n")
		for some := range slices.Chunk(entries, namesOnALine) {
			fmt.Fprintf(&b, "Match User %s Group *,!%s\n\tDenyUsers *\n", namesOf(some), JailGroup)
		}
		b.WriteByte('\n')
	}
	for _, e := range entries {
		if len(e.networks) > 0 {
			fmt.Fprintf(&b, "# %s: refused, except from its networks.\nMatch User %[1]s Address %s\n\tDenyUsers %[1]s\n\n", e.name, except(e.networks))
		}
	}
	writeLogins(&b, cfg, entries)
	portraits := slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.kind != layout.Portraits || e.account != "" })
	if len(portraits) > 0 {
		b.WriteString("# The layout portraits begins one folder further down.\n")
		for some := range slices.Chunk(portraits, namesOnALine) {
			fmt.Fprintf(&b, "Match User %s Group %s\n\tForceCommand %s\n", namesOf(some), JailGroup, sftpServer(layout.Portraits, itself))
		}
		b.WriteByte('\n')
	}

	fmt.Fprintf(&b, "# The jail of every account, from whatever address.\nMatch Group %s\n", JailGroup)
	for _, line := range jail(cfg, layout.Jobs, itself) {
		fmt.Fprintf(&b, "\t%s %s\n", line.key, line.value)
	}
	b.WriteString("\n# Whatever is appended here is for everybody again.\nMatch all\n")
	return []byte(b.String())
}

const namesOnALine = 20

// writeLogins writes where the log-ins of each account are jailed: where it is.
func writeLogins(b *strings.Builder, cfg config.Config, entries []entry) {
	of := map[string][]entry{}
	for _, e := range entries {
		if e.account != "" {
			// Those of one account are of one kind, but for what keepRestricted keeps.
			of[e.account+" "+string(e.kind)] = append(of[e.account+" "+string(e.kind)], e)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		all := of[key]
		account, kind := all[0].account, all[0].kind
		fmt.Fprintf(b, "# Log-ins of %s, in its jail.\n", account)
		for some := range slices.Chunk(all, namesOnALine) {
			fmt.Fprintf(b, "Match User %s Group %s\n\tChrootDirectory %s/%s\n", namesOf(some), JailGroup, cfg.UploadDir, account)
			if kind == layout.Portraits {
				fmt.Fprintf(b, "\tForceCommand %s\n", sftpServer(kind, account))
			}
		}
		b.WriteByte('\n')
	}
}

func namesOf(entries []entry) string {
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
	refuseBlock = regexp.MustCompile(`(?m)^Match User (\S+) Group \*,!` + JailGroup + `$`)
	startBlock  = regexp.MustCompile(`(?m)^Match User (\S+) Group ` + JailGroup + `\n\tForceCommand`)
	loginBlock  = regexp.MustCompile(`(?m)^Match User (\S+) Group ` + JailGroup + `\n\tChrootDirectory .*/(.*)\n(\tForceCommand)?`)
	allowBlock  = regexp.MustCompile(`(?m)^Match User (\S+) Address \*,!(\S+)$`)
)

// readEntries reads back from a drop-in what may be entries of picday's.
func readEntries(text []byte) (all []entry) {
	found := map[string]*entry{}
	add := func(name []byte) *entry {
		e := found[string(name)]
		if e == nil && ValidName(string(name)) == nil {
			e = &entry{name: string(name), kind: layout.Jobs}
			found[e.name] = e
		}
		return e
	}
	for _, m := range refuseBlock.FindAllSubmatch(text, -1) {
		for _, name := range bytes.Split(m[1], []byte(",")) {
			add(name)
		}
	}
	for _, m := range startBlock.FindAllSubmatch(text, -1) {
		for _, name := range bytes.Split(m[1], []byte(",")) {
			if e := add(name); e != nil {
				e.kind = layout.Portraits
			}
		}
	}
	for _, m := range loginBlock.FindAllSubmatch(text, -1) {
		for _, name := range bytes.Split(m[1], []byte(",")) {
			e := add(name)
			if e == nil || ValidName(string(m[2])) != nil {
				continue
			}
			if e.account = string(m[2]); m[3] != nil {
				e.kind = layout.Portraits
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

// whole tells whether a text is exactly what dropIn writes for the entries that are
// read from it. Then it holds nothing of accounts but valid names and networks.
func whole(cfg config.Config, text []byte) bool {
	return bytes.Equal(dropIn(cfg, readEntries(text)), text)
}

// with returns the accounts with a in place of the one of the same name.
func with(all []store.Account, a store.Account) []store.Account {
	return append(without(all, a.Name), a)
}

func without(all []store.Account, name string) []store.Account {
	return slices.DeleteFunc(slices.Clone(all), func(x store.Account) bool { return x.Name == name })
}

// sound leaves out accounts with a flaw or that do not fit this machine; for them
// keepRestricted keeps what the drop-in has. So one damaged row does not keep another
// account from being closed.
func sound(all []store.Account) ([]store.Account, error) {
	bad, err := misfits(all)
	return slices.DeleteFunc(slices.Clone(all), func(x store.Account) bool { return x.Flawed() != nil || bad[x.Name] != nil }), err
}

// keepRestricted adds the current entries of accounts and log-ins that are not among the new
// ones although their Unix user exists, as after a run that was killed. Without its
// allowlist such an account could log in from anywhere.
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
		if u != nil && (r.account == "" && u.ours() || r.account != "" && u.isLoginOf(r.account)) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(x, y entry) int { return strings.Compare(x.name, y.name) })
	return all, nil
}
