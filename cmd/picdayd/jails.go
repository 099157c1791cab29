package main

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

// jails looks every minute whether the accounts' Unix users are still in the
// group that sshd jails. Only picday can mend it, and doctor knows more; but
// doctor is not run every minute.
type jails struct {
	log      zerolog.Logger
	accounts func(context.Context) ([]store.Account, error)

	mu  sync.Mutex
	out []string // enabled accounts that are not in the group
}

const lookAtJails = time.Minute

func (j *jails) follow(ctx context.Context) error {
	tick := time.NewTicker(lookAtJails)
	defer tick.Stop()
	for {
		j.look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look leaves what it knew where it cannot look.
func (j *jails) look(ctx context.Context) {
	accounts, err := j.accounts(ctx)
	if err != nil {
		return
	}
	passwd, perr := os.ReadFile(passwdFile)
	group, gerr := os.ReadFile(groupFile)
	if perr != nil || gerr != nil {
		return
	}
	out := unjailed(accounts, passwd, group)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, name := range out {
		if !slices.Contains(j.out, name) {
			j.log.Error().Str("account", name).Msg("its Unix user is not in the group " + config.JailGroup)
		}
	}
	j.out = out
}

// unjailed are the enabled accounts with a Unix user who is not in the group.
func unjailed(accounts []store.Account, passwd, group []byte) (names []string) {
	var members []string
	for line := range bytes.Lines(group) {
		if f := strings.Split(strings.TrimSpace(string(line)), ":"); f[0] == config.JailGroup && len(f) > 3 {
			members = strings.Split(f[3], ",")
		}
	}
	for line := range bytes.Lines(passwd) {
		name, _, _ := strings.Cut(string(line), ":")
		is := func(a store.Account) bool { return a.Name == name && a.Enabled }
		if slices.ContainsFunc(accounts, is) && !slices.Contains(members, name) {
			names = append(names, name)
		}
	}
	return names
}

func (j *jails) warnings() (all []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, name := range j.out {
		all = append(all, "the Unix user "+name+" is not in the group "+config.JailGroup+" any more, so sshd does not jail it, and refuses it as far as it reads picday's lines: gpasswd -a "+name+" "+config.JailGroup)
	}
	return all
}
