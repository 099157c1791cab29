package explain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/failure"
	"picday/internal/trees"
	"picday/internal/upload"
	"picday/store"
)

// askWithin is how long the daemon may take to say what it is doing.
const askWithin = 10 * time.Second

// New makes an Explainer, and asks the daemon and the upload volume for it.
func New(ctx context.Context, cfg config.Config, s *store.Store, volumes *upload.Volumes) (*Explainer, error) {
	e := &Explainer{
		Store: s, Trees: trees.Dir(cfg.UploadDir), Volumes: volumes,
		Settle: cfg.Upload.Settle.Std(), SettleUnsure: cfg.Upload.SettleUnsure.Std(), DeleteGrace: cfg.Upload.DeleteGrace.Std(),
		Areas: cfg.Upload.AreaNames(),
	}
	ask, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	e.Daemon, e.DaemonErr = control.Ask(ask, cfg.RunDir)
	if e.DaemonErr == nil {
		e.AskLooks = func(ctx context.Context, account, path string) (control.Looks, error) {
			ctx, cancel := context.WithTimeout(ctx, askWithin)
			defer cancel()
			return control.AskLooks(ctx, cfg.RunDir, account, path)
		}
	}
	if e.VolumeErr = s.CheckVolume(ctx, cfg.UploadDir); e.VolumeErr != nil && !errors.Is(e.VolumeErr, store.ErrVolume) {
		return nil, e.VolumeErr
	}
	return e, nil
}

// ExplainTyped is ExplainIn for what somebody types: a path as its uploader sees it, to
// be looked for in one account, or in all if only is empty; or a path below the upload
// directory, which names the account itself.
func (e *Explainer) ExplainTyped(ctx context.Context, only, path string) ([]Explanation, error) {
	if rest, ok := strings.CutPrefix(path, string(e.Trees)+"/"); ok {
		only, path, _ = strings.Cut(strings.TrimPrefix(rest, trees.ActiveDir+"/"), "/")
	}
	if path = strings.Trim(path, "/"); path == "" {
		return nil, failure.Usagef("which file? Give its path as the uploader sees it, from the root of his view")
	}
	accounts, err := e.accounts(ctx, only)
	if err != nil {
		return nil, err
	}
	return e.ExplainIn(ctx, accounts, path)
}

// accounts is the one called only, or all if that is empty, with those that were removed
// while their photos were kept.
func (e *Explainer) accounts(ctx context.Context, only string) ([]store.Account, error) {
	view := e.Store.All()
	if only != "" {
		acct, err := view.Account(ctx, only)
		if err != nil {
			err = fmt.Errorf("%w: see 'picday account list'", err)
		}
		return []store.Account{acct}, err
	}
	accounts, err := view.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := view.KeptAccounts(ctx)
	return append(accounts, kept...), err
}
