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
	"text/tabwriter"
	"time"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/failure"
	"picday/internal/terminal"
	"picday/internal/upload"
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
	sys     *account.System // keeps the lock, so there is one
	volumes *upload.Volumes // of the upload directory, once it was asked for
}

func usagef(format string, args ...any) error { return failure.Usagef(format, args...) }

func (a *app) config() (config.Config, error) {
	if a.cfg == nil {
		cfg, err := config.Load(a.configFile)
		if err != nil {
			return cfg, failure.Usage(err)
		}
		a.cfg = &cfg
	}
	return *a.cfg, nil
}

// uploadVolumes are the file systems below the upload directory.
func (a *app) uploadVolumes() *upload.Volumes {
	if a.volumes == nil {
		a.volumes = upload.NewVolumes(filepath.Join(a.cfg.UploadDir, store.MarkerFile))
	}
	return a.volumes
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

// withStore opens the catalogue for a command that needs it.
func (a *app) withStore(do func(ctx context.Context, s *store.Store, args []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		return do(ctx, s, args)
	}
}

// account finds an account that the command line names, which may be a removed
// one whose photos were kept.
func (a *app) account(ctx context.Context, name string) (*store.Store, store.Account, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, store.Account{}, err
	}
	acct, err := s.All().Account(ctx, name)
	if err != nil {
		return s, acct, fmt.Errorf("%w: see 'picday account list'", err)
	}
	return s, acct, nil
}

// known is account for an optional name: without one it is the zero account. So a
// mistyped one is not answered with an empty list.
func (a *app) known(ctx context.Context, args []string) (*store.Store, store.Account, error) {
	if len(args) == 0 {
		s, err := a.open(ctx)
		return s, store.Account{}, err
	}
	return a.account(ctx, args[0])
}

var errNotRoot = errors.New("this needs root: run it with sudo")

func (a *app) system() (*account.System, error) {
	if os.Geteuid() != 0 {
		return nil, errNotRoot
	}
	cfg, err := a.config()
	if a.sys == nil && err == nil {
		a.sys = account.New(cfg)
	}
	return a.sys, err
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

// did says what was done, unless that failed.
func (a *app) did(err error, sentence string) error {
	if err == nil {
		a.say(sentence)
	}
	return err
}

// report says what was done of what a command is for, also if the rest failed.
func (a *app) report(done []string, err error) error {
	a.say(done...)
	if err == nil && len(done) == 0 {
		a.say("nothing to do, it is so already")
	}
	return err
}

func (a *app) complain(err error) { fmt.Fprintf(a.stderr, "picday: %s\n", plain(err.Error())) }

// plain keeps what an uploader or a program wrote from steering the terminal.
func plain(s string) string { return terminal.Plain(s) }

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

// meter shows how far long work is.
func (a *app) meter(what string) *terminal.Meter { return terminal.NewMeter(a.stderr, what) }
