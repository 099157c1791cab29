package account

import (
	"errors"
	"os"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

// TestLostGroup: an account that is not in the jail's group any more is
// refused, from wherever and with whatever, and doctor's fix lets it in again.
func TestLostGroup(t *testing.T) {
	s := newWorld(t)
	startSSHD(t, s)
	_, err := s.Init(t.Context())
	must(t, err)
	key, public := newKey(t)
	acme, lincoln := account("acme", layout.Jobs), account("lincoln", layout.Portraits)
	for i, a := range []store.Account{acme, lincoln} {
		_, err = s.Add(t.Context(), Spec{Account: a, Keys: [][]byte{public}, Password: "pass:word 1"}, []store.Account{acme}[:i])
		must(t, err)
	}
	acme = addLogin(t, s, acme, store.Login{Name: "anna"}, public, lincoln)
	_, err = s.SetPassword(t.Context(), "anna", "pass:word 1")
	must(t, err)
	sys(t, "groupadd", "staff2")
	// Where a plain account's key would be, and a shell that would let it do things.
	must(t, os.WriteFile("/etc/ssh/plain_keys", public, 0o644))
	writeConfig(t, mainConfig+"AuthorizedKeysFile /etc/ssh/plain_keys\n")
	must(t, s.reload(t.Context()))
	for name, lose := range map[string][]string{"acme": {"usermod", "-G", "staff2", "acme"}, "lincoln": {"usermod", "-G", "", "lincoln"}, "anna": {"gpasswd", "-d", "anna", JailGroup}} {
		login{user: name, key: key}.mustEnter(t)
		sys(t, lose[0], lose[1:]...)
		login{user: name, key: key}.mustBeRefused(t)
		login{user: name, password: "pass:word 1"}.mustBeRefused(t)
		var found []Finding
		for _, f := range s.Check(t.Context(), []store.Account{acme, lincoln}, true) {
			if f.Status != "ok" && f.Check != "reload" && f.Check != "penalties" {
				found = append(found, f)
			}
		}
		if len(found) != 1 || !strings.Contains(found[0].Message, "not in the group "+JailGroup) {
			t.Errorf("doctor: %+v", found)
			continue
		}
		sys(t, "sh", "-c", found[0].Fix)
		login{user: name, key: key}.mustEnter(t)
	}
	healthy(t, s, acme, lincoln)
}

// TestAnAdminsMatch: a block that is read before picday's and undoes a line of
// the jail, for whomever it means, is found and named; one after them does
// nothing, and is not complained about.
func TestAnAdminsMatch(t *testing.T) {
	s := initWorld(t)
	acme := account("acme", layout.Jobs)
	_, err := s.Add(t.Context(), Spec{Account: acme, Password: "some-password"}, nil)
	must(t, err)
	acme = addLogin(t, s, acme, store.Login{Name: "anna"}, []byte(aKey))
	sys(t, "groupadd", "staff2")
	sys(t, "gpasswd", "-a", "acme", "staff2")
	include := "Include /etc/ssh/sshd_config.d/*.conf\n"
	for i, block := range []string{
		"Match Address 10.66.0.0/16\n\tForceCommand none\n",
		"Match address=10.66.1.2\n\tChrootDirectory none\n",
		"Match Address 192.168.*\n\tPermitTTY yes\n",
		"Match Address *,!10.0.0.0/8,!192.0.2.0/24,!2001:db8::/32\n\tDisableForwarding no\n",
		"Match Address 2001:db8:66::/48 LocalPort 2022\n\tAllowTcpForwarding yes\n",
		"match Host \"*.lan.example\" LocalAddress 10.1.1.1\n\tAuthorizedKeysFile /tmp/%u\n",
		"Match User ac*,!admin Host office\n\tPasswordAuthentication no\n",
		"Match Group staff2 Address 10.66.0.0/16\n\tPermitTTY yes\n",
		"Match User an* Host office\n\tChrootDirectory /srv\n",
		"Match Group anna Address 10.66.0.0/16\n\tChrootDirectory /srv/up/%u\n",
		"Match LocalPort 2200\n\tKerberosAuthentication yes\n",
		"Match User *\n\tMaxSessions 0\n",
		"Match Address 10.66.0.0/16\n\tAllowUsers root\n\tAllowGroups wheel\n\tPermitUserRC yes # here\n",
	} {
		writeConfig(t, block+"Match all\n"+mainConfig)
		sys(t, "/usr/sbin/sshd", "-t", "-f", "/etc/ssh/sshd_config")
		first := strings.TrimPrefix(strings.SplitN(block, "\n", 2)[0][len("Match "):], "address=")
		first = strings.ReplaceAll(first, `"`, "")
		for what, do := range map[string]func() error{
			"jailed": func() error { return s.provenJailed(t.Context(), acme) },
			"enable": func() error { _, err := s.Enable(t.Context(), acme, []store.Account{acme}); return err },
			"allow": func() error {
				wide := acme
				wide.AllowFrom = networks("10.66.0.0/16")
				_, err := s.SetAllow(t.Context(), wide, []store.Account{acme})
				return err
			},
		} {
			if err := do(); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), first) || !strings.Contains(err.Error(), "sshd_config, line 1") {
				t.Errorf("%s before: %s: %v", block, what, err)
			}
		}
		var found []Finding
		for _, f := range s.Check(t.Context(), []store.Account{acme}, true) {
			if f.Status == "fail" {
				found = append(found, f)
			}
		}
		// staff2 is acme's own, the others mean both or name one.
		want := 2
		for _, one := range []string{"User ac*", "staff2", "User an*", "Group anna"} {
			if strings.Contains(block, one) {
				want = 1
			}
		}
		if len(found) != want || !strings.Contains(found[0].Message, "line 1") || !strings.Contains(found[want-1].Message, "line 1") {
			t.Errorf("%s: doctor: %+v", block, found)
		}
		writeConfig(t, mainConfig+block)
		healthy(t, s, acme)
		if i%4 > 0 {
			continue
		}
		// Another drop-in comes later too, by its name.
		must(t, os.WriteFile("/etc/ssh/sshd_config.d/10-admin.conf", []byte(block), 0o644))
		writeConfig(t, mainConfig)
		healthy(t, s, acme)
		must(t, os.Remove("/etc/ssh/sshd_config.d/10-admin.conf"))
	}
	// Whom these mean nobody can be asked.
	must(t, os.WriteFile("/etc/ssh/more.conf", []byte("Match User acme\n\tPermitTTY yes\n"), 0o644))
	for _, block := range []string{"Match User acme,root\n\tInclude more.conf\n", "Match Host a=b\n\tX11Forwarding no\n"} {
		writeConfig(t, block+"Match all\n"+mainConfig)
		if err := s.provenJailed(t.Context(), acme); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", block, err)
		}
	}
	// A file that comes before picday's by its name.
	writeConfig(t, include+strings.TrimPrefix(mainConfig, include))
	must(t, os.WriteFile("/etc/ssh/sshd_config.d/00-admin.conf", []byte("Match Address 10.66.0.0/16\n\tPermitTTY yes\n"), 0o644))
	if err := s.provenJailed(t.Context(), acme); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "00-admin.conf, line 1") {
		t.Error(err)
	}
}

// TestAdminsWhoKeepOut: what keeps an account out although picday has made it,
// for everybody or from one network, is said with the words that do it.
func TestAdminsWhoKeepOut(t *testing.T) {
	s := initWorld(t)
	acme := account("acme", layout.Jobs)
	sys(t, "groupadd", "staff2")
	for _, c := range []struct{ config, say, status string }{
		{mainConfig + "DenyUsers bob ac?e\n", "DenyUsers", "fail"},
		{mainConfig + "DenyUsers acme@192.0.2.0/24\n", "DenyUsers acme@192.0.2.0/24", "fail"},
		{mainConfig + "DenyGroups staff2 picday-*\n", "DenyGroups", "fail"},
		{mainConfig + "DenyGroups acme\n", "DenyGroups", "fail"},
		{mainConfig + "Match Address 10.66.0.0/16\n\tDenyUsers *\n", "Match Address 10.66.0.0/16", "warn"},
		{mainConfig + "Match Address 10.66.0.0/16\n\tDenyGroups picday-sftp\n", "Match Address 10.66.0.0/16", "warn"},
		{mainConfig + "MaxSessions 0\n", "", ""},
		{"AuthenticationMethods publickey\n" + mainConfig, "", ""},
		{"AuthenticationMethods publickey,password\n" + mainConfig, "", ""},
		{mainConfig + "Match Address 10.66.0.0/16\n\tPasswordAuthentication no\n", "", ""},
		{mainConfig + "AllowUsers root\nAllowGroups staff2\n", "", ""},
	} {
		writeConfig(t, c.config)
		_, err := s.Add(t.Context(), Spec{Account: acme, Password: "some-password"}, nil)
		if c.status == "fail" {
			if err == nil || !strings.Contains(err.Error(), c.say) || exists(s.Base("acme")) {
				t.Errorf("%s: add: %v", c.config, err)
			}
			writeConfig(t, mainConfig)
			_, err = s.Add(t.Context(), Spec{Account: acme, Password: "some-password"}, nil)
			writeConfig(t, c.config)
		}
		must(t, err)
		said := false
		for _, f := range s.Check(t.Context(), []store.Account{acme}, true) {
			if f.Status != "ok" && f.Check == "account acme" {
				said = said || f.Status == c.status && strings.Contains(f.Message, c.say)
				if c.status == "" || f.Status != c.status {
					t.Errorf("%s: doctor: %+v", c.config, f)
				}
			}
		}
		if c.status != "" && !said {
			t.Errorf("%s: doctor does not say so", c.config)
		}
		writeConfig(t, mainConfig)
		_, err = s.Remove(t.Context(), acme, nil, true)
		must(t, err)
	}
}

// TestFormerDropIn: an upgrade leaves nothing of the drop-in of before, whose
// allowlists would go on holding, and no account has a home directory.
func TestFormerDropIn(t *testing.T) {
	s := initWorld(t)
	acme := account("tmp", layout.Jobs)
	_, err := s.Add(t.Context(), Spec{Account: acme, Password: "some-password"}, nil)
	must(t, err)
	old := "/etc/ssh/sshd_config.d/" + former
	must(t, os.WriteFile(old, []byte(written+"\nMatch User tmp Address *,!10.0.0.0/8\n\tDenyUsers tmp\n"), 0o644))
	sys(t, "usermod", "--home", "/tmp", "tmp")
	done, err := s.Init(t.Context(), acme)
	must(t, err)
	u, err := lookupUser("tmp")
	must(t, err)
	if exists(old) || u.home != noHome || len(done) != 2 {
		t.Errorf("%q, home %s", done, u.home)
	}
	healthy(t, s, acme)
	must(t, os.WriteFile(old, []byte("# the admin's\n"), 0o644))
	if done, err := s.Init(t.Context(), acme); err != nil || len(done) > 0 || !exists(old) {
		t.Error(done, err)
	}
}

func TestDirectives(t *testing.T) {
	for line, want := range map[string]string{
		"Match User a,b  Address 10.0.0.0/8": "match|User|a,b|Address|10.0.0.0/8",
		"  match=User a # b":                 "match|User|a",
		`MATCH Host "a b" User 'c'`:          "match|Host|a b|User|c",
		"# Match all":                        "", "": "", "\n": "",
		"Match\tall\r\n":      "match|all",
		`Match User "a#b"`:    "match|User|a#b",
		`Include "x y" z`:     "include|x y|z",
		`Include=/etc/x.conf`: "include|/etc/x.conf",
	} {
		key, words := directive(line)
		if got := strings.Join(append([]string{key}, words...), "|"); got != want {
			t.Errorf("%q: %q", line, got)
		}
	}
	for pattern, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0 10.255.255.255 9.255.255.255 11.0.0.0", "10.0.0.1": "10.0.0.1", "10.1.*": "10.1.7.7", "10.?.1.1": "10.7.1.1", "2001:db8::/33": "2001:db8:: 2001:db8:7fff:ffff:ffff:ffff:ffff:ffff 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:8000::",
		"2001:db8:*": "2001:db8:77::77", "0.0.0.0/0": "0.0.0.0 255.255.255.255", "10.0.0.0/33": "", "x": "",
	} {
		some, ok := sampleAddrs(pattern)
		if strings.Join(some, " ") != want || ok != (want != "") {
			t.Errorf("%s: %q %v", pattern, some, ok)
		}
	}
}

// TestBystanders: people of the machine are asked about, accounts and whoever
// else is in the jail are not.
func TestOtherUsers(t *testing.T) {
	s := initWorld(t)
	_, err := s.Add(t.Context(), Spec{Account: account("acme", layout.Jobs)}, nil)
	must(t, err)
	sys(t, "usermod", "-s", "/bin/sh", "acme")
	sys(t, "useradd", "-M", "-s", "/bin/sh", "-G", JailGroup, "anna")
	sys(t, "useradd", "-M", "-s", "/bin/sh", "bert")
	users, err := otherUsers()
	must(t, err)
	if got := strings.Join(users, " "); strings.Contains(got, "acme") || strings.Contains(got, "anna") || !strings.Contains(got, "root nobody") || len(users) < 3 {
		t.Error(got)
	}
	_, err = s.Init(t.Context())
	must(t, err)
}

// TestInitLooksAtEveryJail: an upgrade over an admin's earlier block puts the
// drop-in right and says all the same who is not jailed.
func TestInitLooksAtEveryJail(t *testing.T) {
	s := initWorld(t)
	acme, lincoln := account("acme", layout.Jobs), account("lincoln", layout.Portraits)
	for i, a := range []store.Account{acme, lincoln} {
		_, err := s.Add(t.Context(), Spec{Account: a, Password: "some-password"}, []store.Account{acme}[:i])
		must(t, err)
	}
	must(t, os.Remove(s.Config.SSHD.DropIn))
	writeConfig(t, "Match User lin* Address 10.66.0.0/16\n\tChrootDirectory none\nMatch all\n"+mainConfig)
	for range 2 {
		_, err := s.Init(t.Context(), acme, lincoln)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "not jail lincoln") {
			t.Error(err)
		}
	}
	must(t, s.provenJailed(t.Context(), acme))
	if text, _ := readFile(s.Config.SSHD.DropIn); !whole(s.Config, text) || !strings.Contains(string(text), "acme,lincoln") {
		t.Errorf("%s", text)
	}
	// One that cannot log in is nobody's danger.
	_, err := s.Disable(t.Context(), lincoln)
	must(t, err)
	_, err = s.Init(t.Context(), acme, lincoln)
	must(t, err)
}
