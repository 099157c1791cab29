package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/internal/trees"
	"picday/store"
)

// What somebody who has taken the daemon over may write into the catalogue.
var hostile = map[string][]string{
	"allow_from": {
		"", "null", "{}", "7", `"203.0.113.0/24"`, `[[]]`, `{"a":["10.0.0.0/8"]}`, `["203.0.113.0/24"`, "\x00",
		`["203.0.113.0/24\n\tPermitTTY yes\nMatch User root\n\tAuthorizedKeysFile /tmp/keys\n"]`,
		`["203.0.113.0/24,!10.0.0.0/8"]`, `["*"]`, `["203.0.113.0/24\u0000"]`, `["203.0.113.0/24 User root"]`, `["!203.0.113.0/24"]`,
		`["203.0.113.7/24"]`, `["fe80::1%eth0\nMatch User root\n"]`, `["` + strings.Repeat("9", 1<<20) + `"]`, longList(),
	},
	"name": {
		"", "*", "root", "acme\nMatch User root\n\tAuthorizedKeysFile /tmp/keys\n", "acme,root", "acme Address *", "../../etc", "acme\x00", "/",
		"picday", "picday-sftp", strings.Repeat("a", 1<<20),
	},
	"layout":     {"", "jobs\n", "portraits)\nroot:x", "*", "\x00", strings.Repeat("jobs", 1<<18)},
	"id_pattern": {"(", "\\d+\x00(", strings.Repeat("a", 1<<20)},
}

func longList() string {
	var list []string
	for i := range 1 << 14 {
		list = append(list, fmt.Sprintf("10.%d.%d.0/24", i>>8, i&255))
	}
	return `["` + strings.Join(list, `","`) + `"]`
}

// TestHostileRows: whatever stands in one account's row, nothing of it gets
// into what root writes, no change that would let anybody in goes through, and
// every account can still be closed.
func TestHostileRows(t *testing.T) {
	s := initWorld(t)
	ctx := t.Context()
	db := catalogue(t)
	acme, victim := account("acme", layout.Jobs, "203.0.113.0/24"), account("victim", layout.Portraits, "198.51.100.0/24")
	closing := account("closing", layout.Jobs)
	victim.IDPattern = "[0-9]{1,32}"
	for i, a := range []store.Account{acme, victim, closing} {
		_, err := s.Add(ctx, Spec{Account: a, Password: "some-password"}, []store.Account{acme, victim, closing}[:i])
		must(t, err)
		db.enter(a)
	}
	_, err := s.AddJob("acme", "job1")
	must(t, err)
	proof, err := s.effectiveForOthers(ctx)
	must(t, err)
	before := snapshot(t)
	for column, values := range hostile {
		for i, value := range values {
			what := fmt.Sprintf("%s = %.60q", column, value)
			all := db.with("victim", column, value)
			var flawed *store.Account
			for i := range all {
				if all[i].Flawed() != nil {
					flawed = &all[i]
				}
			}
			if flawed == nil {
				if column == "name" && value == "root" { // a name like any other, until it is somebody's
					continue
				}
				t.Fatalf("%s: no flaw: %+v", what, all)
			}
			said := flawed.Flawed().Error()
			if strings.ContainsAny(said, "\n\x00") || len(said) > 800 || column != "name" && !strings.Contains(said, "account victim") || !strings.Contains(said, column) {
				t.Errorf("%s: %q", what, said)
			}
			wide := acme
			wide.AllowFrom = networks("192.0.2.0/24")
			for change, do := range map[string]func() error{
				"allow":     func() error { _, err := s.SetAllow(ctx, wide, all); return err },
				"add":       func() error { _, err := s.Add(ctx, Spec{Account: account("new", layout.Jobs)}, all); return err },
				"enable":    func() error { _, err := s.Enable(ctx, acme, all); return err },
				"init":      func() error { _, err := s.Init(ctx, all...); return err },
				"reinstate": func() error { _, err := s.Reinstate(ctx, *flawed, Secrets{}, all); return err },
				"firewall":  func() error { _, err := NewFirewall(22, all, nil); return err },
			} {
				if err := do(); err == nil || !errors.Is(err, ErrRefused) && change != "reinstate" {
					t.Errorf("%s: %s: %v", what, change, err)
				}
			}
			found := i > 0 // doctor takes its time
			var doctor []Finding
			if !found {
				doctor = s.Check(ctx, all, true)
			}
			for _, f := range doctor {
				found = found || f.Status == "fail" && f.Message == said
			}
			if !found {
				t.Errorf("%s: doctor does not say so", what)
			}
		}
	}
	if after := snapshot(t); after != before {
		t.Fatal(differences(before, after))
	}

	// Closing goes on, for the account itself and for others, and nobody is let in by it.
	all := db.with("victim", "allow_from", hostile["allow_from"][9])
	_, err = s.Disable(ctx, victim)
	must(t, err)
	_, err = s.Remove(ctx, closing, all, true)
	must(t, err)
	text, err := readFile(s.Config.SSHD.DropIn)
	must(t, err)
	if !whole(s.Config, text) || !strings.Contains(string(text), "Match User victim Address *,!198.51.100.0/24\n") || strings.Contains(string(text), "User root") {
		t.Errorf("%s", text)
	}
	must(t, s.provenForOthers(ctx, proof))
	// The fix that is printed is one.
	mended := all[len(all)-1]
	mended.AllowFrom = victim.AllowFrom
	_, err = s.SetAllow(ctx, mended, without(all, "closing"))
	must(t, err)
	victim.Enabled = false
	healthy(t, s, acme, victim)
	_, err = s.Close(ctx)
	must(t, err)
}

// TestEditedDropIn: what somebody has written into the drop-in does not stay
// there, and does not keep picday from writing its own.
func TestEditedDropIn(t *testing.T) {
	s := initWorld(t)
	clean, err := s.effectiveForOthers(t.Context())
	must(t, err)
	text, err := readFile(s.Config.SSHD.DropIn)
	must(t, err)
	for _, evil := range []string{
		"Match User root\n\tAuthorizedKeysFile /tmp/keys\n" + string(text),
		string(text) + "Match User victim Address *,!10.0.0.0/8\n\tDenyUsers victim\nMatch User root Address *,!10.0.0.0/8\n\tPermitTTY no\n",
		strings.Replace(string(text), "Match Group picday-sftp", "Match Group picday-sftp,root", 1),
	} {
		must(t, os.WriteFile(s.Config.SSHD.DropIn, []byte(evil), 0o644))
		if whole(s.Config, []byte(evil)) {
			t.Errorf("taken for picday's:\n%s", evil)
		}
		_, err := s.Init(t.Context())
		must(t, err)
		must(t, s.provenForOthers(t.Context(), clean))
	}
}

// TestHostileJobs: a job's name leads nowhere but into its account's folder.
func TestHostileJobs(t *testing.T) {
	s := initWorld(t)
	acme := account("acme", layout.Jobs)
	_, err := s.Add(t.Context(), Spec{Account: acme}, nil)
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(s.Config.UploadDir, trees.ActiveDir, "acme"), 0o700))
	before := snapshot(t)
	for _, name := range []string{"", ".", "..", "../../etc", "../.active/acme", "a/b", "a\x00", "*", "a\nb", ".picday", strings.Repeat("x", 1<<16)} {
		for what, do := range map[string]func(string, string) ([]string, error){"hide": s.HideJob, "show": s.ShowJob} {
			if _, err := do("acme", name); err == nil {
				t.Errorf("%s %.40q", what, name)
			}
		}
		if _, err := s.AddJob("acme", name); err == nil {
			t.Errorf("add %.40q", name)
		}
	}
	if after := snapshot(t); after != before {
		t.Error(differences(before, after))
	}
}

// A hostileCatalogue is a real one that a test writes into past picday.
type hostileCatalogue struct {
	t *testing.T
	s *store.Store
	*sql.DB
}

func catalogue(t *testing.T) hostileCatalogue {
	t.Helper()
	dir := filepath.Join("/run", t.Name()) // out of the snapshots
	must(t, os.Mkdir(dir, 0o755))
	made, _, err := store.Create(t.Context(), dir)
	must(t, err)
	raw, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, store.CatalogueFile))
	must(t, err)
	raw.SetMaxOpenConns(1)
	t.Cleanup(func() { raw.Close(); made.Close() })
	_, err = raw.Exec("PRAGMA ignore_check_constraints = ON")
	must(t, err)
	return hostileCatalogue{t, made, raw}
}

func (c hostileCatalogue) enter(a store.Account) {
	must(c.t, c.s.Update(context.Background(), func(tx *store.Tx) error { _, err := tx.AddAccount(a); return err }))
}

// with returns the accounts as the tool reads them while one value of one row
// is something else.
func (c hostileCatalogue) with(name, column, value string) []store.Account {
	c.t.Helper()
	var id int64
	var old string
	must(c.t, c.QueryRow("SELECT id, "+column+" FROM account WHERE name = ?", name).Scan(&id, &old))
	set := func(v string) {
		_, err := c.Exec("UPDATE account SET "+column+" = ? WHERE id = ?", v, id)
		must(c.t, err)
	}
	set(value)
	defer set(old)
	all, err := c.s.All().Accounts(c.t.Context())
	must(c.t, err)
	return all
}
