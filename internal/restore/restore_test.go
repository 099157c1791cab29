package restore

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/store"
	"picday/store/backup"
)

// A site is a backup of one machine and a fresh machine for it.
type site struct {
	*testing.T
	backup string
	config string // the fresh machine's configuration file
	m      *machine
	said   []string
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func newSite(t *testing.T) *site {
	dir := t.TempDir()
	s := &site{
		T: t, backup: filepath.Join(dir, "backup"), config: filepath.Join(dir, "new", "picday.toml"),
		m: &machine{uploadDir: filepath.Join(dir, "new", "uploads"), dataDir: filepath.Join(dir, "new", "data")},
	}
	s.must(os.MkdirAll(filepath.Join(dir, "old", "data"), 0o750))
	s.must(os.MkdirAll(filepath.Dir(s.config), 0o755))
	s.writeConfig("")
	old, _, err := store.Create(t.Context(), filepath.Join(dir, "old", "data"))
	s.must(err)
	s.must(catalogues.Fill(t.Context(), old, catalogues.Plan{Pictures: catalogues.Pictures(2), Accounts: []catalogues.Account{
		{Name: "acme", Layout: layout.Jobs, Jobs: []catalogues.Job{
			{Name: "job1", Albums: []catalogues.Album{{Name: "A", Individuals: 2}}},
			{Name: "job2", State: store.Active, Albums: []catalogues.Album{{Name: "B", Group: 1}}},
		}},
		{Name: "lincoln", Layout: layout.Portraits, People: 3},
		{Name: "gone", Layout: layout.Portraits, People: 1},
	}}))
	s.sql(filepath.Join(dir, "old", "data"), `UPDATE original SET bytes = bytes / 9`) // the files' true sizes
	s.sql(filepath.Join(dir, "old", "data"), `UPDATE account SET state = 'kept' WHERE name = 'gone'`)
	acme, err := old.All().Account(t.Context(), "acme")
	s.must(err)
	s.must(old.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.AddLogin(acme, store.Login{Name: "anna"}); return err }))
	s.sql(filepath.Join(dir, "old", "data"), `UPDATE original SET codes = ''`)
	s.addPeople(old, acme)
	s.takeBackup(old)
	s.must(old.Close())
	return s
}

// sql changes a catalogue directly.
func (s *site) sql(dataDir, statement string) {
	s.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dataDir, store.CatalogueFile))
	s.must(err)
	_, err = db.Exec(statement)
	s.must(errors.Join(err, db.Close()))
}

func (s *site) takeBackup(from *store.Store) {
	secrets := func(name string) (account.Secrets, error) {
		hash, ok := map[string]string{"acme": "hash1", "lincoln": "hash2", "anna": "hash3"}[name]
		if !ok {
			return account.Secrets{}, account.ErrNoAccount
		}
		return account.Secrets{Hash: hash}, nil
	}
	file := filepath.Join(s.TempDir(), "picday.toml")
	s.must(os.WriteFile(file, []byte("log_level = \"debug\"\n"), 0o644))
	b := &backup.Backup{Store: from, Dir: s.backup, Machine: func(folder string, snapshot *store.Store) error {
		missing, err := Capture(s.Context(), folder, snapshot, secrets, file)
		if len(missing) > 0 {
			s.Errorf("accounts without a Unix user: %q", missing)
		}
		return err
	}}
	s.must(b.Begin())
	defer b.End()
	_, err := b.Take(s.Context(), "test")
	s.must(err)
}

func (s *site) writeConfig(more string) {
	text := fmt.Sprintf("upload_dir = %q\ndata_dir = %q\n%s", s.m.uploadDir, s.m.dataDir, more)
	s.must(os.WriteFile(s.config, []byte(text), 0o644))
}

func (s *site) open() *Source {
	s.Helper()
	src, err := Open(s.Context(), s.backup, "")
	s.must(err)
	s.Cleanup(func() { src.Close() })
	return src
}

func (s *site) restorer() *Restorer {
	return &Restorer{
		On: func(config.Config) Machine { return s.m }, CheckNames: func(store.Account) error { return nil },
		Say:      func(sentences ...string) { s.said = append(s.said, sentences...) },
		Progress: func(string) (func(int, int), func()) { return func(int, int) {}, func() {} },
	}
}

func (s *site) restore() (Report, error) {
	s.Helper()
	return s.restorer().Restore(s.Context(), Options{Dir: s.backup, ConfigFile: s.config})
}

// restored checks that every photo of the backup is in the catalogue and that
// its file is where the uploader sees it.
func (s *site) restored() {
	s.Helper()
	live, err := store.Open(s.Context(), s.m.dataDir)
	s.must(err)
	defer live.Close()
	counts, err := live.All().Counts(s.Context())
	s.must(err)
	if counts.Photos != 7 {
		s.Errorf("%d photos in the catalogue", counts.Photos)
	}
	for _, path := range []string{
		"acme/job1/A/individuals/IMG_0001.jpg", "acme/job1/A/individuals/IMG_0002.jpg", ".active/acme/job2/B/group/GRP_001.jpg",
		"lincoln/lincoln/user-pictures/201200000.jpg", "gone/gone/user-pictures/201200000.jpg",
	} {
		if _, err := os.Stat(filepath.Join(s.m.uploadDir, path)); err != nil {
			s.Error(err)
		}
	}
	s.must(live.CheckVolume(s.Context(), s.m.uploadDir))
	s.restoredPeople(live)
}

func TestRestore(t *testing.T) {
	s := newSite(t)
	report, err := s.restore()
	s.must(err)
	want := Report{Accounts: 2, Jobs: 2, Photos: 7, FilesPutBack: 7, Held: 1}
	if report.Accounts != want.Accounts || report.Jobs != want.Jobs || report.Photos != want.Photos ||
		report.FilesPutBack != want.FilesPutBack || report.Held != want.Held || report.FilesThere != 0 || len(report.Problems) != 0 {
		t.Errorf("%+v, want %+v", report, want)
	}
	s.restored()
	if s.m.held {
		t.Error("the accounts stay locked")
	}
	calls := strings.Join(s.m.calls, "; ")
	if want := "init; close strays of 2; reinstate acme hash1 of 2; reinstate anna of acme hash3; reinstate lincoln hash2 of 2; reinstate gone  of 3; remove gone false; enable acme [anna]; enable lincoln []"; calls != want {
		t.Errorf("calls: %s\nwant:  %s", calls, want)
	}
}

// A run that fails leaves a blank catalogue, and the next run
// finds what the first has put back.
func TestRestoreContinues(t *testing.T) {
	for _, call := range []string{"close strays of 2", "reinstate gone  of 3", "reinstate anna of acme hash3", "enable lincoln []"} {
		s := newSite(t)
		s.m.fail = call
		_, err := s.restore()
		var incomplete *IncompleteError
		if !errors.As(err, &incomplete) {
			t.Fatalf("%s: %v", call, err)
		}
		s.m.fail = ""
		report, err := s.restore()
		s.must(err)
		if report.FilesPutBack+report.FilesThere != 7 || len(report.Problems) != 0 {
			t.Errorf("%s: %+v", call, report)
		}
		s.restored()
	}
}

func TestReportsWhatCannotBeRestored(t *testing.T) {
	s := newSite(t)
	s.must(os.MkdirAll(filepath.Join(s.m.uploadDir, "lincoln/lincoln/user-pictures"), 0o755))
	s.must(os.WriteFile(filepath.Join(s.m.uploadDir, "lincoln/lincoln/user-pictures/201200007.jpg"), []byte("another picture"), 0o644))
	src := s.open()
	delete(src.secrets, "acme")
	originals, err := filepath.Glob(filepath.Join(s.backup, "originals", "*", "*"))
	s.must(err)
	s.must(os.Truncate(originals[0], 3))
	plan, err := src.PlanConfig(s.config, DecideConfig)
	s.must(err)
	report, err := s.restorer().run(t.Context(), src, plan)
	s.must(err)
	var kinds []Kind
	for _, p := range report.Problems {
		kinds = append(kinds, p.Kind)
	}
	lost := strings.TrimSuffix(filepath.Base(originals[0]), ".jpg")
	if !slices.Contains(kinds, NoCredentials) || report.Problems[0] != (Problem{Kind: OriginalLost, Name: lost}) {
		t.Errorf("%+v", report.Problems)
	}
	for _, p := range report.Problems {
		if text := p.String(); !strings.Contains(text, p.Name) || !strings.Contains(text, p.Account) {
			t.Errorf("%+v: %s", p, text)
		}
	}
	if report.Photos != 7 {
		t.Errorf("%d photos: those without an original are published too", report.Photos)
	}
	put := report.FilesPutBack
	if slices.Contains(kinds, NotPutBack) {
		put++
	}
	if put == 0 || put >= 7 {
		t.Errorf("%+v", report)
	}
	text, err := os.ReadFile(filepath.Join(s.m.uploadDir, "lincoln/lincoln/user-pictures/201200007.jpg"))
	if string(text) != "another picture" {
		t.Errorf("an uploader's file was replaced: %.20q %v", text, err)
	}
}

func TestJobWhoseNameIsNoLongerValid(t *testing.T) {
	s := newSite(t)
	folder, err := filepath.Glob(filepath.Join(s.backup, "state-*"))
	s.must(err)
	later := filepath.Join(filepath.Dir(s.backup), "later.sqlite")
	data, err := os.ReadFile(filepath.Join(folder[0], store.CatalogueFile))
	s.must(err)
	s.must(os.WriteFile(later, data, 0o600))
	db, err := sql.Open("sqlite3", later)
	s.must(err)
	_, err = db.Exec(`INSERT INTO job (account_id, name, state, changed_at) SELECT id, 'bad name', 'planned', 1 FROM account WHERE name = 'acme'`)
	s.must(errors.Join(err, db.Close()))
	src, err := Open(t.Context(), s.backup, later)
	s.must(err)
	defer src.Close()
	if !src.LaterCatalogue() {
		t.Error("the catalogue is not the backup's own")
	}
	plan, err := src.PlanConfig(s.config, DecideConfig)
	s.must(err)
	report, err := s.restorer().run(t.Context(), src, plan)
	s.must(err)
	if len(report.Problems) != 1 || report.Problems[0].Kind != JobWithoutFolder || report.Problems[0].Name != "bad name" || report.Jobs != 2 {
		t.Errorf("%+v", report)
	}
}

func TestRefusesBeforeAnythingChanges(t *testing.T) {
	for what, c := range map[string]struct {
		prepare func(*site, *Restorer)
		is      func(error) bool
	}{
		"picdayd runs": {func(s *site, _ *Restorer) {
			s.must(os.MkdirAll(s.m.dataDir, 0o750))
			unlock, err := store.LockDataDir(s.m.dataDir)
			s.must(err)
			s.Cleanup(unlock)
		}, func(err error) bool { return errors.Is(err, store.ErrInUse) }},
		"there are accounts": {func(s *site, _ *Restorer) {
			s.must(os.MkdirAll(s.m.dataDir, 0o750))
			live, _, err := store.Create(s.Context(), s.m.dataDir)
			s.must(err)
			s.must(live.Update(s.Context(), func(tx *store.Tx) error {
				_, err := tx.AddAccount(store.Account{Name: "other", Layout: layout.Jobs})
				return err
			}))
			s.must(live.Close())
		}, func(err error) bool { return errors.Is(err, ErrNotBlank) }},
		"a Unix user has an account's name": {func(_ *site, r *Restorer) {
			r.CheckNames = func(a store.Account) error { return fmt.Errorf("%s: %w", a.Name, account.ErrRefused) }
		}, func(err error) bool { return errors.Is(err, account.ErrRefused) }},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t)
			r := s.restorer()
			c.prepare(s, r)
			_, err := r.Restore(t.Context(), Options{Dir: s.backup, ConfigFile: s.config, Choice: KeepConfig})
			if !c.is(err) {
				t.Error(err)
			}
			if len(s.m.calls)+len(s.said) > 0 {
				t.Errorf("%v, said %v", s.m.calls, s.said)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newSite(t)
	if _, err := Open(t.Context(), filepath.Dir(s.config), ""); !errors.Is(err, backup.ErrNotBackup) {
		t.Error(err)
	}
	later := filepath.Join(t.TempDir(), "later.sqlite")
	s.must(os.WriteFile(later+"-wal", []byte("x"), 0o600))
	var missing *CatalogueError
	if _, err := Open(t.Context(), s.backup, later); !errors.As(err, &missing) {
		t.Error(err)
	}
	s.must(os.WriteFile(later, nil, 0o600))
	var unmerged *UnmergedLogError
	if _, err := Open(t.Context(), s.backup, later); !errors.As(err, &unmerged) || unmerged.File != later {
		t.Error(err)
	}
	var place *backup.PlaceError
	if _, err := Open(t.Context(), s.backup+"-none", ""); !errors.As(err, &place) {
		t.Error(err)
	}
}

func TestPlanConfig(t *testing.T) {
	s := newSite(t)
	folder := s.open().Folder
	inBackup := func(text string) {
		s.must(os.WriteFile(filepath.Join(folder, backup.ConfigFile), []byte(text), 0o600))
	}
	src := s.open()
	plan := func(choice ConfigChoice) (ConfigPlan, error) { return src.PlanConfig(s.config, choice) }

	p, err := plan(DecideConfig)
	if err != nil || p.Text != nil || p.Ignored != filepath.Join(folder, backup.ConfigFile) || p.Config.DataDir != s.m.dataDir {
		t.Errorf("this machine's own is kept: %+v %v", p, err)
	}
	p, err = plan(TakeConfig)
	if err != nil || string(p.Text) != "log_level = \"debug\"\n" || p.Config.LogLevel != "debug" {
		t.Errorf("the backup's is taken: %+v %v", p, err)
	}
	p, err = plan(KeepConfig)
	if err != nil || p.Text != nil || p.Ignored != "" {
		t.Errorf("this machine's is kept: %+v %v", p, err)
	}

	s.must(os.WriteFile(s.config, []byte("# nothing\n"), 0o644))
	p, err = plan(DecideConfig)
	if err != nil || p.Text == nil {
		t.Errorf("the default gives way to something harmless: %+v %v", p, err)
	}
	inBackup("[sshd]\nreload = [\"reboot\"]\n")
	var unconfirmed *UnconfirmedConfigError
	if _, err = plan(DecideConfig); !errors.As(err, &unconfirmed) || len(unconfirmed.Differences) != 1 || unconfirmed.Differences[0].Key != "sshd.reload" {
		t.Error(err)
	}
	if p, err = plan(TakeConfig); err != nil || !slices.Equal(p.Config.SSHD.Reload, []string{"reboot"}) {
		t.Errorf("%+v %v", p, err)
	}
	inBackup("nonsense = 1\n")
	var invalid *InvalidConfigError
	if _, err = plan(TakeConfig); !errors.As(err, &invalid) || invalid.BackupFile == "" {
		t.Error(err)
	}
	s.must(os.WriteFile(s.config, []byte("nonsense = 1\n"), 0o644))
	if _, err = plan(KeepConfig); !errors.As(err, &invalid) || invalid.BackupFile != "" {
		t.Error(err)
	}
	if _, err := config.Parse([]byte("nonsense = 1\n")); err == nil {
		t.Error("nonsense is valid")
	}
}

func TestCaptureNamesAccountsWithoutUnixUser(t *testing.T) {
	s := newSite(t)
	folder := t.TempDir()
	nobody := func(string) (account.Secrets, error) { return account.Secrets{}, account.ErrNoAccount }
	missing, err := Capture(t.Context(), folder, s.open().store, nobody, filepath.Join(folder, "no such file"))
	if err != nil || !slices.Equal(missing, []string{"acme", "anna", "lincoln"}) {
		t.Errorf("%q %v", missing, err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, backup.AccountsFile)); string(text) != "{}\n" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(folder, backup.ConfigFile)); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
