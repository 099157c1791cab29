package provision

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/failure"
	"picday/internal/layout"
)

func TestARequestForAnAccount(t *testing.T) {
	spec, err := Request{Name: "lincoln", Layout: "portraits", Allow: []string{"192.0.2.1"}}.Spec(config.Config{Language: "de"})
	must(t, err)
	if a := spec.Account; a.Layout != layout.Portraits || a.IDPattern != layout.DefaultIDPattern || a.Language != "de" || a.TimeZone == "" || fmt.Sprint(a.AllowFrom) != "[192.0.2.1/32]" {
		t.Errorf("%+v", a)
	}
	key := filepath.Join(t.TempDir(), "key.pub")
	must(t, os.WriteFile(key, []byte("a key"), 0o600))
	spec, err = Request{Name: "acme", Layout: "jobs", Language: "en", Credentials: Credentials{KeyFiles: []string{key}, NoPassword: true}}.Spec(config.Config{Language: "de"})
	must(t, err)
	if a := spec.Account; a.Layout != layout.Jobs || a.Language != "en" || a.IDPattern != "" || len(a.AllowFrom) > 0 || string(spec.Keys[0]) != "a key" {
		t.Errorf("%+v", spec)
	}
}

func TestAWrongRequestSaysWhatToDo(t *testing.T) {
	for want, r := range map[string]Request{
		"--id-pattern is for portraits: in the layout jobs file names are free":                                 {Name: "acme", Layout: "jobs", IDPattern: "x"},
		`--layout "job": use jobs (photo studios) or portraits (schools)`:                                       {Name: "acme", Layout: "job"},
		"--password-stdin and --no-password contradict each other":                                              {Name: "acme", Layout: "jobs", Credentials: Credentials{PasswordStdin: true, NoPassword: true}},
		"--no-password without --key makes an account that nobody can enter: give a public key with --key FILE": {Name: "acme", Layout: "jobs", Credentials: Credentials{NoPassword: true}},
	} {
		if _, err := r.Spec(config.Config{Language: "de"}); err == nil || err.Error() != want || !failure.IsUsage(err) {
			t.Errorf("%v", err)
		}
	}
	for what, r := range map[string]Request{
		"a name": {Name: "Acme", Layout: "jobs"}, "a network": {Name: "acme", Layout: "jobs", Allow: []string{"nonsense"}},
		"a file": {Name: "acme", Layout: "jobs", Credentials: Credentials{KeyFiles: []string{"/no such file"}}},
	} {
		if _, err := r.Spec(config.Config{Language: "de"}); !errors.Is(err, account.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := (Request{Name: "lincoln", Layout: "portraits", IDPattern: "("}).Spec(config.Config{Language: "de"}); !failure.IsUsage(err) {
		t.Errorf("a pattern that is none: %v", err)
	}
}
