// Package restore puts a backup onto a machine whose catalogue is empty: the
// configuration, the catalogue, the link key, all pictures, and the accounts
// with their passwords, keys, folders and files.
//
// It promises: nothing is changed before the backup was found sound and the
// data directory blank. The catalogue takes its place last, so a run that fails
// or is killed can be repeated. Log-ins are enabled after everything else of
// the accounts is in place.
//
// It prints nothing. It says through functions what it has done and how far it
// is, and returns a report.
package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/durable"
	"picday/internal/terminal"
	"picday/internal/upload"
	"picday/store"
	"picday/store/backup"
	"picday/store/pictures"
)

// A Machine is what of the system a restore needs; *account.System is one. Its
// methods return sentences that say what they did.
type Machine interface {
	Lock(ctx context.Context) (release func(), err error)
	Init(ctx context.Context, accounts ...store.Account) (done []string, err error)
	Reinstate(ctx context.Context, a store.Account, sec account.Secrets, all []store.Account) (done []string, err error)
	CloseStrayLogins(ctx context.Context, all []store.Account) (done []string, err error)
	ReinstateLogin(ctx context.Context, a store.Account, l store.Login, sec account.Secrets) (done []string, err error)
	Enable(ctx context.Context, a store.Account, all []store.Account) (done []string, err error)
	Remove(ctx context.Context, a store.Account, all []store.Account, files bool) (done []string, err error)
	AddJob(account, job string) (done []string, err error)
	ShowJob(account, job string) (done []string, err error)
	HideJob(account, job string) (done []string, err error)
	HiddenJobDir(account, job string) string
	RestoreFile(a store.Account, path string, content func(io.Writer) error) (fs.FileInfo, error)
	Tree(a store.Account, path string) (*os.Root, error)
}

// A Restorer restores onto one machine.
type Restorer struct {
	// On is the machine with that configuration; account.New is one.
	On func(config.Config) Machine
	// CheckNames returns an error if a Unix user that is not picday's has the name of
	// an account or of one of its log-ins; account.CheckReinstatable is one.
	CheckNames func(a store.Account) error
	Say        func(sentences ...string)
	// Progress begins a long piece of work, counted in what. It returns the
	// function that shows how far the work is, and one that ends it.
	Progress func(what string) (show func(done, of int), end func())
}

// A Report says what was restored.
type Report struct {
	Backup   backup.Manifest `json:"backup"`
	AsOf     string          `json:"-"` // a time, or the file of a later catalogue
	Accounts int             `json:"accounts"`
	Jobs     int             `json:"jobs"`
	Photos   int             `json:"photos"`
	// Held are among Photos. No link shows them until picdayd has looked for cards in them.
	Held         int       `json:"held"`
	FilesPutBack int       `json:"files_put_back"`      // into uploaders' folders
	FilesThere   int       `json:"files_there_already"` // that were in uploaders' folders already
	Trashed      int       `json:"trashed"`             // photos whose path another photo has
	Problems     []Problem `json:"problems"`
}

// Text writes the report for people, with columns between tabs.
func (r Report) Text(w io.Writer) {
	fmt.Fprintf(w, "as of\t%s\naccounts\t%d\njobs\t%d\nphotos\t%d\n", r.AsOf, r.Accounts, r.Jobs, r.Photos)
	fmt.Fprintf(w, "files put back into uploaders' folders\t%d\nfiles that were there already\t%d\n", r.FilesPutBack, r.FilesThere)
	if r.Trashed > 0 {
		fmt.Fprintf(w, "in the trash: their files were gone and their names taken\t%d\n", r.Trashed)
	}
	if r.Held > 0 {
		fmt.Fprintf(w, "shown when picdayd has looked for cards in them\t%d\n", r.Held)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(w, terminal.Plain(p.String()))
	}
	fmt.Fprintln(w, "What was done since is undone: rotate links again, withdraw again, decide again about proposals and cards, and look at 'picday operator list' and 'picday token list' for who should be gone")
	fmt.Fprintln(w, "Next: systemctl start picdayd, then picday doctor and picday verify")
}

// Kinds of problems.
type Kind int

const (
	// OriginalLost: the original with that Name is missing or damaged in the
	// backup, so its photos are published from their renditions only.
	OriginalLost Kind = iota
	// NoCredentials: the backup has neither a password nor keys of the account, or of
	// its log-in with that Name.
	NoCredentials
	// JobWithoutFolder: the job with that Name cannot have a folder any more.
	JobWithoutFolder
	// NotPutBack: the photo at the path Name has no file. It stays published
	// until another picture is taken in under that path.
	NotPutBack
)

// A Problem is something that is not as it was when the backup was made.
type Problem struct {
	Kind    Kind
	Account string // empty for OriginalLost
	Name    string // empty for the account itself
	Err     error  // the reason for JobWithoutFolder and NotPutBack
}

// MarshalText is String, for JSON.
func (p Problem) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String says what is not as it was, and what to do.
func (p Problem) String() string {
	switch p.Kind {
	case OriginalLost:
		return fmt.Sprintf("original %s is missing or damaged in the backup: its photos are published from their renditions only; ask for them again (picday verify names them)", p.Name)
	case NoCredentials:
		return fmt.Sprintf("account %s has neither password nor keys in the backup: picday account passwd %[1]s", p.Account)
	case JobWithoutFolder:
		return fmt.Sprintf("the job %s of %s has no folder any more: %v", p.Name, p.Account, p.Err)
	}
	return fmt.Sprintf("%s of %s was not put back (%v): the photo stays published until another picture is taken in under that name, which then gets its own link", p.Name, p.Account, p.Err)
}

// ErrNotBlank is in a DataDirError for a catalogue with accounts or photos.
var ErrNotBlank = errors.New("there is a catalogue with accounts or photos")

// DataDirError is returned if the data directory may hold something that a
// restore would replace.
type DataDirError struct {
	Dir string
	Err error
}

func (e *DataDirError) Error() string {
	if errors.Is(e.Err, ErrNotBlank) {
		return fmt.Sprintf("%v in %s, and restoring would replace it", e.Err, e.Dir)
	}
	return e.Err.Error()
}

func (e *DataDirError) Unwrap() error { return e.Err }

// IncompleteError is returned if the restore failed after it had begun to
// change accounts or pictures. Repeating it continues it.
type IncompleteError struct{ Err error }

func (e *IncompleteError) Error() string { return e.Err.Error() }
func (e *IncompleteError) Unwrap() error { return e.Err }

// run is one run of a restore.
type run struct {
	*Restorer
	machine Machine
	src     *Source
	cfg     config.Config
	live    *store.Store // the blank catalogue of this machine
	staged  *store.Store // the backup's catalogue, being made to fit this machine
	volumes *upload.Volumes
	report  Report
}

// run restores the source with the planned configuration. Besides DataDirError
// and IncompleteError it returns store.ErrInUse while picdayd runs.
func (r *Restorer) run(ctx context.Context, src *Source, plan ConfigPlan) (Report, error) {
	machine := r.On(plan.Config)
	release, err := machine.Lock(ctx)
	if err != nil {
		return Report{}, err
	}
	defer release()
	for _, acct := range src.allAccounts() {
		if err := r.CheckNames(acct); err != nil {
			return Report{}, fmt.Errorf("account %s cannot be restored here, nothing was changed: %w", acct.Name, err)
		}
	}
	dataDir := plan.Config.DataDir
	unlock, err := lockBlank(ctx, dataDir)
	if err != nil {
		return Report{}, err
	}
	defer func() { unlock() }()

	if err := r.putConfig(plan); err != nil {
		return Report{}, err
	}
	// Without accounts: the allowlist of each is written when the account is made.
	done, err := machine.Init(ctx)
	r.Say(done...)
	if err != nil {
		return Report{}, err
	}
	unlock()
	if unlock, err = lockBlank(ctx, dataDir); err != nil { // the directory may be new
		return Report{}, err
	}
	live, made, err := store.Create(ctx, dataDir)
	r.Say(made...)
	if err != nil {
		return Report{}, err
	}
	one := &run{
		Restorer: r, machine: machine, src: src, cfg: plan.Config, live: live,
		volumes: upload.NewVolumes(filepath.Join(plan.Config.UploadDir, store.MarkerFile)), report: Report{Backup: src.Manifest, AsOf: src.asOf(), Problems: []Problem{}},
	}
	if err := one.all(ctx); err != nil {
		return one.report, &IncompleteError{err}
	}
	return one.report, nil
}

func (r *Restorer) putConfig(plan ConfigPlan) error {
	if plan.Text == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(plan.File), 0o755); err != nil {
		return err
	}
	r.Say("put " + plan.File + " back")
	return durable.WriteFile(plan.File, plan.Text, 0o644)
}

// lockBlank keeps picdayd out of the data directory, if there is one yet, and
// refuses one with a catalogue that is not blank.
func lockBlank(ctx context.Context, dir string) (unlock func(), err error) {
	nothing := func() {}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	unlock, err = store.LockDataDir(dir)
	if err != nil {
		return nothing, err
	}
	s, err := store.Open(ctx, dir)
	if errors.Is(err, store.ErrNoCatalogue) {
		return unlock, nil
	}
	blank := false
	if err == nil {
		blank, err = s.Blank(ctx)
		err = errors.Join(err, s.Close())
	}
	if err == nil && !blank {
		err = ErrNotBlank
	}
	if err != nil {
		unlock()
		return nothing, &DataDirError{dir, err}
	}
	return unlock, nil
}

// all does the work after the blank catalogue was made. It closes that
// catalogue, and the staged one.
func (r *run) all(ctx context.Context) (err error) {
	replaced := false
	defer func() {
		if !replaced {
			err = errors.Join(err, r.live.Close())
		}
	}()
	lost, err := r.copyPictures(ctx)
	if err != nil {
		return err
	}
	if r.staged, err = backup.Stage(ctx, r.live, r.src.Catalogue, r.src.Folder, lost); err != nil {
		return err
	}
	defer r.staged.Close()
	var photos map[int64][]int64
	err = r.staged.Update(ctx, func(tx *store.Tx) (err error) {
		photos, r.report.Trashed, err = tx.ForgetUploads()
		return err
	})
	if err != nil {
		return err
	}
	// Files are identified by the volume's mark, so it must be there first.
	if _, err := r.staged.AdoptVolume(ctx, r.cfg.UploadDir, true); err != nil {
		return err
	}
	done, err := r.machine.CloseStrayLogins(ctx, r.src.accounts)
	r.Say(done...)
	if err != nil {
		return err
	}
	for _, acct := range r.src.allAccounts() {
		if err := r.account(ctx, acct, photos[acct.ID]); err != nil {
			return fmt.Errorf("account %s: %w", acct.Name, err)
		}
	}
	// Enable log-ins last.
	for _, acct := range r.src.accounts {
		if !acct.Enabled {
			continue
		}
		done, err := r.machine.Enable(ctx, acct, r.src.accounts)
		r.Say(done...)
		if err != nil {
			return fmt.Errorf("account %s: %w", acct.Name, err)
		}
	}
	counts, err := r.staged.All().Counts(ctx)
	if err != nil {
		return err
	}
	if r.report.Held, err = r.staged.HeldBack(ctx); err != nil {
		return err
	}
	r.report.Photos, r.report.Accounts = counts.Photos, len(r.src.accounts)
	replaced = true
	return backup.Replace(r.live, r.staged)
}

func (r *run) copyPictures(ctx context.Context) (lost []pictures.File, err error) {
	show, end := r.Progress("pictures copied")
	defer end()
	if lost, err = backup.CopyPictures(ctx, r.live, r.src.store, show); err != nil {
		return nil, err
	}
	for _, f := range lost {
		if f.IsOriginal() {
			r.problem(Problem{Kind: OriginalLost, Name: f.Picture.String()})
		}
	}
	return lost, nil
}

func (r *run) problem(p Problem) { r.report.Problems = append(r.report.Problems, p) }
