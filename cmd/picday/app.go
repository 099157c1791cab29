package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"picday/account"
	"picday/internal/config"
	"picday/internal/volume"
	"picday/store"
)

// An app is one run of the command: its streams, its flags, and what it has
// opened so far. Everything said to a human goes through it.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	configFile string
	json       bool
	began      bool

	cfg     *config.Config
	store   *store.Store
	volumes *volume.Volumes // of the upload directory, once it was asked for
}

func usagef(format string, args ...any) error  { return usageError{fmt.Errorf(format, args...)} }
func refusef(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

func (a *app) config() (config.Config, error) {
	if a.cfg == nil {
		cfg, err := config.Load(a.configFile)
		if err != nil {
			return cfg, usageError{err}
		}
		a.cfg = &cfg
	}
	return *a.cfg, nil
}

// identity is that of the file at a path of the machine, as the catalogue has it.
func (a *app) identity(fi fs.FileInfo, path string) store.Identity {
	if a.volumes == nil {
		a.volumes = volume.New(filepath.Join(a.cfg.UploadDir, store.MarkerFile))
	}
	return store.IdentityOf(fi, a.volumes.KeyAt(store.DeviceOf(fi), filepath.Dir(path)))
}

// open opens the catalogue.
func (a *app) open(ctx context.Context) (*store.Store, error) {
	if a.store != nil {
		return a.store, nil
	}
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	slow := time.AfterFunc(10*time.Second, func() {
		a.say("the catalogue does not answer yet: is the disk of " + cfg.DataDir + " frozen or failing? 'picday status' answers also then")
	})
	defer slow.Stop()
	a.store, err = store.Open(ctx, cfg.DataDir)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w: run picday as root, with sudo, or as a member of the group %s", err, account.DaemonUser)
	}
	return a.store, err
}

// account finds an account that the command line names, which may be a removed
// one whose photos were kept.
func (a *app) account(ctx context.Context, name string) (*store.Store, store.Account, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, store.Account{}, err
	}
	acct, err := s.Account(ctx, name)
	if err != nil {
		return s, acct, fmt.Errorf("%w: see 'picday account list'", err)
	}
	return s, acct, nil
}

// login finds an account that has not been removed.
func (a *app) login(ctx context.Context, name string) (*store.Store, store.Account, error) {
	s, acct, err := a.account(ctx, name)
	if err == nil && acct.Kept {
		err = fmt.Errorf("account %q was removed, only its photos and files are still kept: %w", name, store.ErrNotFound)
	}
	return s, acct, err
}

// known checks an optional account name, so that a mistyped one is not
// answered with an empty list.
func (a *app) known(ctx context.Context, args []string) (*store.Store, string, error) {
	if len(args) == 0 {
		s, err := a.open(ctx)
		return s, "", err
	}
	s, acct, err := a.account(ctx, args[0])
	return s, acct.Name, err
}

var errNotRoot = errors.New("this needs root: run it with sudo")

func (a *app) system() (*account.System, error) {
	if os.Geteuid() != 0 {
		return nil, errNotRoot
	}
	cfg, err := a.config()
	return account.New(cfg), err
}

func (a *app) close() error {
	if a.store == nil {
		return nil
	}
	return a.store.Close()
}

// say prints sentences of what was done to stderr, where they do not get
// between a script and its JSON.
func (a *app) say(sentences ...string) {
	for _, s := range sentences {
		fmt.Fprintln(a.stderr, plain(s))
	}
}

func (a *app) complain(err error) { fmt.Fprintf(a.stderr, "picday: %s\n", plain(err.Error())) }

// plain keeps what an uploader or a program wrote from steering the terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// print writes v as JSON, or what text writes.
func (a *app) print(v any, text func(w io.Writer)) error {
	if !a.json {
		out := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		text(out)
		return out.Flush()
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table writes rows under a head, or a hint when there are none.
func (a *app) table(w io.Writer, none, head string, rows [][]string) {
	if len(rows) == 0 {
		a.say(none)
		return
	}
	fmt.Fprintln(w, head)
	for _, r := range rows {
		for i := range r {
			r[i] = strings.ReplaceAll(plain(r[i]), "\t", " ")
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
}
