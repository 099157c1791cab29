package test

import (
	"strings"
	"testing"
)

// The secret of a new operator or token is printed once, is in no list, and does not work
// after the removal.
func TestLogins(t *testing.T) {
	s := newSite(t)
	u := s.jobs("logins")
	for what, secret := range map[string]string{"operator": "password", "token": "token"} {
		var made, bound map[string]string
		s.JSON(&made, what, "add", "eva@example.org")
		s.JSON(&bound, what, "add", "till-1", "--account", u.Name)
		if len(made[secret]) < 16 || made["name"] != "eva@example.org" || made["account"] != "" || bound["account"] != u.Name || made[secret] == bound[secret] {
			t.Errorf("%s: %v %v", what, made, bound)
		}
		for _, bad := range [][]string{{"", "2"}, {"-x", "2"}, {"<b>", "2"}, {strings.Repeat("x", 65), "2"}, {"till-1", "1"}} {
			if r := s.Picday(what, "add", "--", bad[0]); r.Code != int(bad[1][0]-'0') || r.Stderr == "" {
				t.Errorf("%s add %q: %v", what, bad[0], r)
			}
		}
		if r := s.Picday(what, "add", "other", "--account", "nobody"); r.Code != 3 {
			t.Error(r)
		}
		out := s.MustPicday(what, "list") + s.MustPicday(what, "list", "--json")
		if !strings.Contains(out, "eva@example.org") || strings.Contains(out, made[secret]) {
			t.Errorf("%s list: %s", what, out)
		}
		s.MustPicday(what, "remove", "till-1")
		if r := s.Picday(what, "remove", "till-1"); r.Code != 3 {
			t.Error(r)
		}
		var left []map[string]string
		if s.JSON(&left, what, "list"); len(left) != 1 {
			t.Errorf("%s: left %v", what, left)
		}
	}
}
