package test

import (
	"database/sql"
	"strings"
	"testing"
)

// Somebody has written sshd directives into an account's row. No command that would enable
// anything succeeds, every account can still be closed, and the fix that is printed works.
func TestAHostileRow(t *testing.T) {
	s := newSite(t)
	good, bad := s.jobs("good", "job1"), s.jobs("bad", "job1")
	dropIn := readFile(t, s.Ours)
	db, err := sql.Open("sqlite3", "file:"+s.Data+"/catalogue.sqlite?_busy_timeout=10000")
	s.must(err)
	defer db.Close()
	_, err = db.Exec(`UPDATE account SET allow_from = ? WHERE name = ?`,
		`["203.0.113.0/24\nMatch User root\n\tAuthorizedKeysFile /tmp/keys\n\tPermitRootLogin yes"]`, bad.Name)
	s.must(err)
	for _, args := range [][]string{
		{"account", "allow", good.Name, "192.0.2.0/24"},
		{"init"},
		{"account", "add", s.Name("third"), "--layout", "jobs"},
		{"account", "enable", good.Name},
		{"firewall", "--also", "192.0.2.0/24", "--ignore-open"},
		{"account", "show", bad.Name},
	} {
		r := s.Picday(args...)
		if r.Code != 4 || !strings.Contains(r.Stderr, "picday account allow "+bad.Name) {
			t.Errorf("%q: %v", args, r)
		}
	}
	if now := readFile(t, s.Ours); string(now) != string(dropIn) {
		t.Errorf("%s", now)
	}
	if r := s.Picday("account", "list"); r.Code != 0 || !strings.Contains(r.Stdout, "damaged") {
		t.Error(r)
	}
	if found := s.findings(); len(found) != 1 || found[0].Check != "account "+bad.Name {
		t.Errorf("%+v", found)
	}
	s.MustPicday("account", "disable", good.Name)
	s.MustPicday("account", "disable", bad.Name)
	s.MustPicday("account", "allow", bad.Name, "127.0.0.0/8")
	s.MustPicday("account", "enable", bad.Name)
	s.MustPicday("account", "enable", good.Name)
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}
