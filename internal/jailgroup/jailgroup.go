// Package jailgroup notices when the Unix user of an account, or of one of its log-ins,
// is no longer in the group that sshd jails.
package jailgroup

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/store"
)

// Files of the machine that everybody may read.
const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
)

// A Monitor looks every minute. 'picday doctor' knows more, but is not run every
// minute.
type Monitor struct {
	Accounts func(context.Context) ([]store.Account, error)
	Log      zerolog.Logger

	mu  sync.Mutex
	out []string // enabled accounts and log-ins that are not in the group
}

const every = time.Minute

// Run looks until ctx ends.
func (m *Monitor) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		m.look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look changes nothing if the catalogue or a file cannot be read.
func (m *Monitor) look(ctx context.Context) {
	accounts, err := m.Accounts(ctx)
	if err != nil {
		return
	}
	passwd, perr := os.ReadFile(passwdFile)
	group, gerr := os.ReadFile(groupFile)
	if perr != nil || gerr != nil {
		return
	}
	out := unjailed(accounts, passwd, group)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range out {
		if !slices.Contains(m.out, name) {
			m.Log.Error().Str("account", name).Msg("its Unix user is not in the group " + config.JailGroup)
		}
	}
	m.out = out
}

// unjailed names the enabled accounts, and their log-ins, whose Unix user exists and is
// not in the group.
func unjailed(accounts []store.Account, passwd, group []byte) (names []string) {
	var members []string
	for line := range bytes.Lines(group) {
		if f := strings.Split(strings.TrimSpace(string(line)), ":"); f[0] == config.JailGroup && len(f) > 3 {
			members = strings.Split(f[3], ",")
		}
	}
	for line := range bytes.Lines(passwd) {
		name, _, _ := strings.Cut(string(line), ":")
		is := func(a store.Account) bool {
			_, err := a.Login(name)
			return a.Enabled && (a.Name == name || err == nil)
		}
		if slices.ContainsFunc(accounts, is) && !slices.Contains(members, name) {
			names = append(names, name)
		}
	}
	return names
}

// Warnings has a sentence for the status for each account or log-in that is not in the
// group.
func (m *Monitor) Warnings() (all []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range m.out {
		all = append(all, "the Unix user "+name+" is not in the group "+config.JailGroup+" any more, so sshd does not jail it, and refuses it as far as it reads picday's lines: gpasswd -a "+name+" "+config.JailGroup)
	}
	return all
}
