package jailgroup

import (
	"slices"
	"testing"

	"picday/store"
)

func TestUnjailed(t *testing.T) {
	accounts := []store.Account{{Name: "in", Enabled: true}, {Name: "out", Enabled: true}, {Name: "closed"}, {Name: "gone", Enabled: true, Logins: []store.Login{{Name: "anna"}}}, {Name: "pre", Enabled: true}}
	passwd := []byte("root:x:0:0::/root:/bin/sh\nin:x:1:1:::\nout:x:2:2:::\nclosed:x:3:3:::\npre:x:4:4:::\nprefix:x:5:5:::\nanna:x:6:6:::\n")
	for group, want := range map[string][]string{
		"picday-sftp:x:9:in,prefix\nstaff:x:8:out\n": {"out", "pre", "anna"},
		"picday-sftp:x:9:in,out,pre,anna\n":          nil,
		"picday-sftp:x:9:\n":                         {"in", "out", "pre", "anna"},
		"":                                           {"in", "out", "pre", "anna"},
	} {
		if got := unjailed(accounts, passwd, []byte(group)); !slices.Equal(got, want) {
			t.Errorf("%q: %q", group, got)
		}
	}
}
