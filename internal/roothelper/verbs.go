package roothelper

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/helper"
	"picday/internal/provision"
	"picday/internal/trash"
	"picday/internal/upload"
	"picday/store"
)

// A worker does one request that was found good, with the functions of the tool.
type worker struct {
	cfg     config.Config
	s       *store.Store
	machine Machine
	r       helper.Request
	now     time.Time
}

func (w worker) accounts() *provision.Accounts {
	return &provision.Accounts{Machine: w.machine, Store: w.s}
}

// run does what is about an account that is there.
func (w worker) run(ctx context.Context, acct store.Account) (a helper.Answer, err error) {
	x, r := w.accounts(), w.r
	switch r.Verb {
	case helper.JobAdd:
		a.Done, err = x.AddJobs(ctx, acct.Name, r.Operator, r.Job)
		return a, err
	case helper.JobRemove:
		a.Done, err = x.RemoveJob(ctx, acct.Name, r.Operator, r.Job)
		return a, err
	case helper.TrashRestore:
		a.Done, err = w.restore(ctx, x, acct)
		return a, err
	case helper.AccountPasswd:
		name, err := w.entrance(acct)
		if err != nil {
			return a, err
		}
		password := account.NewPassword()
		if a.Done, err = x.SetPassword(ctx, name, password); err != nil {
			return a, err
		}
		a.Password = password
	case helper.AccountKey:
		if strings.TrimSpace(r.Key) == "" {
			return a, refuse(helper.Invalid, "No key was given. Nothing was changed.")
		}
		name, err := w.entrance(acct)
		if err != nil {
			return a, err
		}
		if a.Done, err = x.SetKeys(ctx, name, keys(r.Key)); err != nil {
			return a, err
		}
	case helper.AccountAllow:
		a.Done, err = x.SetAllow(ctx, acct.Name, r.Allow)
	case helper.AccountDisable, helper.AccountEnable:
		a.Done, err = x.SetEnabled(ctx, acct.Name, r.Verb == helper.AccountEnable)
	case helper.LoginAdd:
		return w.addLogin(ctx, x, acct)
	case helper.LoginUntil:
		a.Done, err = x.SetLoginEnd(ctx, acct.Name, r.Login, r.Until, w.now)
	case helper.LoginRemove:
		if _, err := acct.Login(r.Login); err != nil {
			return a, err
		}
		a.Done, err = x.RemoveLogin(ctx, acct.Name, r.Login)
	}
	if err != nil {
		return a, err
	}
	w.changed(ctx, acct, &a)
	return a, nil
}

// changed enters in the activity what was done. If that fails the answer says so: it is done
// all the same, and a password in it must be shown.
func (w worker) changed(ctx context.Context, acct store.Account, a *helper.Answer) {
	err := w.s.Update(ctx, func(tx *store.Tx) error { return tx.AccountChanged(acct, string(w.r.Verb), w.r.Login, w.r.Operator) })
	if err != nil {
		a.Done = append(a.Done, fmt.Sprintf("it could not be entered in the activity: %v", err))
	}
}

// restore brings back a photo with its file.
func (w worker) restore(ctx context.Context, x *provision.Accounts, acct store.Account) ([]string, error) {
	volumes := upload.NewVolumes(filepath.Join(w.cfg.UploadDir, store.MarkerFile))
	t := trash.Trash{Store: w.s, Machine: w.machine, UploadDir: w.cfg.UploadDir, Volumes: volumes, Operator: w.r.Operator}
	return x.Change(ctx, acct.Name, func(acct store.Account, _ []store.Account) ([]string, error) {
		p, err := w.s.View(acct.ID).Photo(ctx, w.r.Photo)
		if err == nil {
			err = p.Flawed()
		}
		if err != nil {
			return nil, err
		}
		if p.WithdrawnAt.IsZero() {
			return nil, nil // it is back already
		}
		return t.RestorePhoto(ctx, acct, p)
	})
}

// entrance is the account's own name, or that of one of its log-ins.
func (w worker) entrance(acct store.Account) (name string, err error) {
	if w.r.Login == "" {
		return acct.Name, nil
	}
	l, err := acct.Login(w.r.Login)
	return l.Name, err
}

// keys are the texts of public keys, never names of files.
func keys(text string) [][]byte {
	if text == "" {
		return nil
	}
	return [][]byte{[]byte(text)}
}

func (w worker) addAccount(ctx context.Context) (a helper.Answer, err error) {
	spec, err := provision.Request{Name: w.r.Account, Layout: w.r.Layout, Allow: w.r.Allow}.Spec(w.cfg)
	if err != nil {
		return a, err
	}
	spec.Keys, spec.Password = keys(w.r.Key), account.NewPassword()
	x := w.accounts()
	acct, done, err := x.Add(ctx, spec)
	if err != nil {
		return helper.Answer{Done: done}, err
	}
	a = helper.Answer{Done: done, Password: spec.Password}
	_, _, _ = x.HostKeys(ctx) // for its card on the pages; without them that says what to type
	w.changed(ctx, acct, &a)
	return a, nil
}

func (w worker) addLogin(ctx context.Context, x *provision.Accounts, acct store.Account) (a helper.Answer, err error) {
	spec, err := provision.LoginRequest{Name: w.r.Login, Until: w.r.Until}.Spec(w.now)
	if err != nil {
		return a, err
	}
	spec.Keys, spec.Password = keys(w.r.Key), account.NewPassword()
	_, _, done, err := x.AddLogin(ctx, acct.Name, spec)
	if err != nil {
		return helper.Answer{Done: done}, err
	}
	a = helper.Answer{Done: done, Password: spec.Password}
	w.changed(ctx, acct, &a)
	return a, nil
}
