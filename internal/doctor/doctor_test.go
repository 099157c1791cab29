package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/layout"
	"picday/store"
)

// A machine stands in for account.System.
type machine struct {
	owner     int // of what accounts upload
	uploadDir string
	known     bool
	accounts  []store.Account
}

func (m *machine) Check(_ context.Context, accounts []store.Account, known bool) []account.Finding {
	m.accounts, m.known = accounts, known
	return []account.Finding{{Check: "machine", Status: "ok", Message: "checked"}}
}

func (m *machine) Owner(string) (uid, gid int, err error) { return m.owner, m.owner, nil }

func (m *machine) JobDir(acct, job string) string { return filepath.Join(m.uploadDir, acct, job) }

// A patient is a machine in good health.
type patient struct {
	*testing.T
	*Doctor
	m      *machine
	store  *store.Store
	status control.Status
}

func newPatient(t *testing.T) *patient {
	dir := t.TempDir()
	cfg := config.Default()
	cfg.UploadDir, cfg.DataDir = filepath.Join(dir, "uploads"), filepath.Join(dir, "data")
	now := time.Now()
	p := &patient{T: t, m: &machine{uploadDir: cfg.UploadDir, owner: os.Getuid()}, status: control.Status{Since: &now, LastProvenAlive: &now, WatchedDirs: 3}}
	p.must(errors.Join(os.Mkdir(cfg.UploadDir, 0o755), os.Mkdir(cfg.DataDir, 0o755)))
	s, _, err := store.Create(t.Context(), cfg.DataDir)
	p.must(err)
	t.Cleanup(func() { s.Close() })
	p.store = s
	_, err = s.AdoptVolume(t.Context(), cfg.UploadDir, false)
	p.must(err)
	p.Doctor = &Doctor{
		Config: cfg, Machine: p.m,
		Open:     func(context.Context) (*store.Store, error) { return s, nil },
		Ask:      func(context.Context, string) (control.Status, error) { return p.status, nil },
		AskLease: func(f *os.File) (Lease, error) { return LeaseFree, f.Close() },
	}
	return p
}

func (p *patient) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// find requires that a check ends with a status, and returns what it found.
func (p *patient) find(check, status string) account.Finding {
	p.Helper()
	for _, f := range p.Examine(p.Context()) {
		if f.Check != check {
			continue
		}
		if f.Status != status {
			p.Errorf("%s: %+v, want %s", check, f, status)
		}
		if (f.Status == "ok") != (f.Fix == "") {
			p.Errorf("a fix is for what is not ok: %+v", f)
		}
		return f
	}
	p.Errorf("%s was not checked", check)
	return account.Finding{}
}

func (p *patient) addAccount(jobs ...string) {
	p.must(p.store.Update(p.Context(), func(tx *store.Tx) error {
		a, err := tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs})
		for _, job := range jobs {
			err = errors.Join(err, tx.AddJob(a, job))
		}
		return err
	}))
}

func TestHealthy(t *testing.T) {
	p := newPatient(t)
	p.addAccount("job1")
	p.must(os.MkdirAll(filepath.Join(p.m.uploadDir, "acme", "job1"), 0o755))
	var checks []string
	for _, f := range p.Examine(t.Context()) {
		if f.Status != "ok" && !strings.HasPrefix(f.Check, "space") { // the disk of the test may be full
			t.Errorf("%+v", f)
		}
		checks = append(checks, f.Check)
	}
	want := "catalogue, upload volume, uploaded files, picdayd, inotify watches, colour profiles, file leases, space for uploads, space for photos, machine"
	if got := strings.Join(checks, ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(p.m.accounts) != 1 || !p.m.known {
		t.Errorf("the machine was checked with %+v, known %v", p.m.accounts, p.m.known)
	}
	if left, _ := filepath.Glob(filepath.Join(p.m.uploadDir, ".picday-doctor-*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

func TestCatalogueThatCannotBeOpened(t *testing.T) {
	p := newPatient(t)
	p.Open = func(context.Context) (*store.Store, error) { return nil, store.ErrNoCatalogue }
	if f := p.find("catalogue", "fail"); !strings.Contains(f.Fix, "picday restore DIR") {
		t.Errorf("uploads are there, so a catalogue was: %+v", f)
	}
	if p.m.known {
		t.Error("the accounts are not known")
	}
	p.must(os.Remove(filepath.Join(p.m.uploadDir, store.MarkerFile)))
	if f := p.find("catalogue", "fail"); f.Fix != "sudo picday init" {
		t.Errorf("%+v", f)
	}
}

func TestUploadVolume(t *testing.T) {
	p := newPatient(t)
	p.must(os.WriteFile(filepath.Join(p.m.uploadDir, store.MarkerFile), []byte("another\n"), 0o644))
	if f := p.find("upload volume", "fail"); !strings.Contains(f.Fix, "there was a catalogue before") {
		t.Errorf("a blank catalogue cannot be that of the uploads: %+v", f)
	}
	p.addAccount()
	if f := p.find("upload volume", "fail"); !strings.Contains(f.Fix, "--new-volume") {
		t.Errorf("%+v", f)
	}
}

func TestJobWithoutFolder(t *testing.T) {
	p := newPatient(t)
	p.addAccount("job1")
	for _, f := range p.Examine(t.Context()) {
		if strings.HasPrefix(f.Check, "job ") {
			t.Errorf("the account's folder is missing too, which another check says: %+v", f)
		}
	}
	p.must(os.Mkdir(filepath.Join(p.m.uploadDir, "acme"), 0o755))
	p.find("job acme/job1", "fail")
}

func TestDaemon(t *testing.T) {
	p := newPatient(t)
	long := time.Now().Add(-time.Hour)
	p.status.LastProvenAlive = nil
	p.find("picdayd", "warn")
	p.status.Since = &long
	p.find("picdayd", "fail")
	p.status.LastProvenAlive = &long
	p.find("picdayd", "fail")
	p.status.LacksProfiles = true
	p.find("colour profiles", "warn")
	p.status.PolledDirs = []string{filepath.Join(p.m.uploadDir, "gone")}
	p.find("inotify watches", "ok")
	p.status.PolledDirs = []string{p.m.uploadDir}
	if f := p.find("inotify watches", "warn"); !strings.Contains(f.Message, p.m.uploadDir) {
		t.Errorf("%+v", f)
	}
	p.status.WatchedDirs = 1 << 40
	if f := p.find("inotify watches", "warn"); !strings.Contains(f.Fix, "max_user_watches") {
		t.Errorf("%+v", f)
	}
	p.Ask = func(context.Context, string) (control.Status, error) { return control.Status{}, control.ErrNotRunning }
	p.find("picdayd", "fail")
}

func TestLeases(t *testing.T) {
	p := newPatient(t)
	for _, c := range []struct {
		lease  Lease
		err    error
		status string
	}{
		{LeaseFree, nil, "ok"},
		{LeaseNone, nil, "warn"},
		{LeaseRefused, nil, "warn"},
		{LeaseHeld, nil, "fail"},
		{leaseFailed, ErrNoCapabilities, "warn"},
		{leaseFailed, &ownerError{errors.New("no owners")}, "fail"},
		{leaseFailed, errors.New("exit status 1"), "fail"},
	} {
		p.AskLease = func(f *os.File) (Lease, error) { f.Close(); return c.lease, c.err }
		p.find("file leases", c.status)
	}
	p.AskLease = func(f *os.File) (Lease, error) { f.Close(); return leaseFailed, ErrNoDaemonUser }
	for _, f := range p.Examine(t.Context()) {
		if f.Check == "file leases" {
			t.Errorf("another check says that the user is missing: %+v", f)
		}
	}
	p.Config.UploadDir = filepath.Join(p.m.uploadDir, "gone")
	p.find("file leases", "fail")
	p.find("space for uploads", "fail")
}

func TestProbeLease(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.jpg")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	open := Lease(ProbeLease(name))
	if open != LeaseHeld && open != LeaseNone {
		t.Errorf("an open file: %d", open)
	}
	f.Close()
	if got := Lease(ProbeLease(name)); got != LeaseFree && got != LeaseNone {
		t.Errorf("a closed file: %d", got)
	}
	if got := Lease(ProbeLease(name + "x")); got != leaseFailed {
		t.Errorf("a missing file: %d", got)
	}
}
