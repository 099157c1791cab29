package setup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/config"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/store"
)

type machine struct {
	cfg      config.Config
	calls    []string
	accounts int
}

func (m *machine) Init(_ context.Context, accounts ...store.Account) ([]string, error) {
	m.calls = append(m.calls, "init")
	m.accounts = len(accounts)
	if _, err := os.Stat(m.cfg.DataDir); err == nil {
		return nil, nil
	}
	return []string{"made directories"}, errors.Join(os.MkdirAll(m.cfg.UploadDir, 0o755), os.MkdirAll(m.cfg.DataDir, 0o750))
}

func (m *machine) Reopen(context.Context, []store.Account) ([]string, error) {
	m.calls = append(m.calls, "reopen")
	return nil, nil
}

func newSetup(t *testing.T) (*Setup, *machine, *[]string) {
	cfg := config.Default()
	cfg.UploadDir, cfg.DataDir = filepath.Join(t.TempDir(), "uploads"), filepath.Join(t.TempDir(), "data")
	m, said := &machine{cfg: cfg}, &[]string{}
	return &Setup{
		Config: cfg, Machine: m, OwnUsers: func() ([]string, error) { return nil, nil },
		Say: func(sentences ...string) { *said = append(*said, sentences...) },
	}, m, said
}

func open(t *testing.T, x *Setup) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), x.Config.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func addAccount(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSetup(t *testing.T) {
	x, m, said := newSetup(t)
	if changed, err := x.Run(t.Context(), nil); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if text := strings.Join(*said, "\n"); !strings.HasPrefix(text, "made directories\nmade ") || !strings.Contains(text, "as the upload volume") {
		t.Error(text)
	}
	s := open(t, x)
	if err := s.CheckVolume(t.Context(), x.Config.UploadDir); err != nil {
		t.Error(err)
	}
	addAccount(t, s)
	*said = nil
	if changed, err := x.Run(t.Context(), s); changed || err != nil || len(*said) > 0 {
		t.Errorf("a second run: %v %v, said %q", changed, err, *said)
	}
	if m.accounts != 1 || strings.Join(m.calls, " ") != "init reopen init reopen" {
		t.Errorf("%+v", m)
	}
}

func TestLostCatalogue(t *testing.T) {
	x, m, _ := newSetup(t)
	if _, err := x.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(x.Config.DataDir); err != nil {
		t.Fatal(err)
	}
	x.OwnUsers = func() ([]string, error) { return []string{"acme"}, nil }
	m.calls = nil
	if changed, err := x.Run(t.Context(), nil); changed || !failure.IsRefusal(err) || !strings.Contains(err.Error(), "accounts: acme\n") {
		t.Error(changed, err)
	}
	if len(m.calls) > 0 {
		t.Error("something was changed")
	}
	x.NewVolume = true
	if _, err := x.Run(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if err := open(t, x).CheckVolume(t.Context(), x.Config.UploadDir); err != nil {
		t.Error(err)
	}
}

func TestVolumeOfAnotherCatalogue(t *testing.T) {
	x, m, _ := newSetup(t)
	if _, err := x.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(x.Config.UploadDir, store.MarkerFile), []byte("another\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, x)
	// A catalogue that knows no files adopts any volume.
	if err := catalogues.Fill(t.Context(), s, catalogues.Plan{Accounts: []catalogues.Account{{Name: "lincoln", Layout: layout.Portraits, People: 1}}}); err != nil {
		t.Fatal(err)
	}
	m.calls = nil
	if _, err := x.Run(t.Context(), s); !failure.IsRefusal(err) || !errors.Is(err, store.ErrVolume) {
		t.Error(err)
	}
	if strings.Join(m.calls, " ") != "init" {
		t.Errorf("accounts were let in: %v", m.calls)
	}
}
