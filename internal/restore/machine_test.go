package restore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/internal/account"
	"picday/internal/layout"
	"picday/store"
)

// A machine stands in for account.System: folders instead of Unix accounts.
type machine struct {
	uploadDir string
	dataDir   string
	calls     []string
	fail      string // the call that fails
	held      bool
}

func (m *machine) called(format string, args ...any) ([]string, error) {
	call := fmt.Sprintf(format, args...)
	if m.calls = append(m.calls, call); call == m.fail {
		return nil, errors.New("fault")
	}
	return []string{call}, nil
}

func (m *machine) Lock(context.Context) (func(), error) {
	m.held = true
	return func() { m.held = false }, nil
}

func (m *machine) Init(context.Context, ...store.Account) ([]string, error) {
	if err := errors.Join(os.MkdirAll(m.uploadDir, 0o755), os.MkdirAll(m.dataDir, 0o750)); err != nil {
		return nil, err
	}
	return m.called("init")
}

func (m *machine) Reinstate(_ context.Context, a store.Account, sec account.Secrets, all []store.Account) ([]string, error) {
	dir := filepath.Join(m.uploadDir, a.Name)
	if a.Layout == layout.Portraits {
		dir = filepath.Join(dir, a.Name, "user-pictures")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return m.called("reinstate %s %s of %d", a.Name, sec.Hash, len(all))
}

func (m *machine) Enable(_ context.Context, a store.Account, _ []store.Account) ([]string, error) {
	var logins []string
	for _, l := range a.Logins {
		logins = append(logins, l.Name)
	}
	return m.called("enable %s %s", a.Name, logins)
}

func (m *machine) CloseStrayLogins(_ context.Context, all []store.Account) ([]string, error) {
	return m.called("close strays of %d", len(all))
}

func (m *machine) ReinstateLogin(_ context.Context, a store.Account, l store.Login, sec account.Secrets) ([]string, error) {
	return m.called("reinstate %s of %s %s", l.Name, a.Name, sec.Hash)
}

func (m *machine) Remove(_ context.Context, a store.Account, _ []store.Account, files bool) ([]string, error) {
	return m.called("remove %s %v", a.Name, files)
}

func (m *machine) jobDir(acct, job string) string { return filepath.Join(m.uploadDir, acct, job) }

func (m *machine) HiddenJobDir(acct, job string) string {
	return filepath.Join(m.uploadDir, ".active", acct, job)
}

func (m *machine) AddJob(acct, job string) ([]string, error) {
	if strings.HasPrefix(job, "bad") {
		return nil, fmt.Errorf("%q cannot be a job's name: %w", job, account.ErrInvalid)
	}
	return nil, os.MkdirAll(m.jobDir(acct, job), 0o755)
}

func (m *machine) HideJob(acct, job string) ([]string, error) {
	to := m.HiddenJobDir(acct, job)
	return nil, errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(m.jobDir(acct, job), to))
}

func (m *machine) ShowJob(acct, job string) ([]string, error) {
	return nil, os.Rename(m.HiddenJobDir(acct, job), m.jobDir(acct, job))
}

func (m *machine) RestoreFile(a store.Account, path string, content func(io.Writer) error) (fs.FileInfo, error) {
	name := filepath.Join(m.uploadDir, a.Name, path)
	if _, err := os.Lstat(name); err == nil {
		return nil, fmt.Errorf("%s is there again already: %w", path, account.ErrRefused)
	}
	var b bytes.Buffer
	if err := errors.Join(content(&b), os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, b.Bytes(), 0o644)); err != nil {
		return nil, err
	}
	return os.Lstat(name)
}

func (m *machine) Tree(a store.Account, _ string) (*os.Root, error) {
	return os.OpenRoot(filepath.Join(m.uploadDir, a.Name))
}
