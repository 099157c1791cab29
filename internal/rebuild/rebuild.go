// Package rebuild makes the catalogue anew when it is lost or damaged: from the manifest,
// a copy that picdayd keeps beside the originals, from the upload volume and from the
// originals.
//
// It promises: a catalogue that is sound is not touched, and one that is not is kept. No
// link shows a picture that the manifest does not know under it: a photo whose file is not
// the one of the manifest any more is withdrawn until picdayd has looked at the file, and
// one that may have been found to be a card since is shown when codes were looked for. The
// catalogue comes last, so a run that fails or is killed can be repeated.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"picday/internal/config"
	"picday/internal/durable"
	"picday/internal/failure"
	"picday/internal/fsuid"
	"picday/internal/localtime"
	"picday/internal/trees"
	"picday/internal/upload"
	"picday/store"
)

// A Report says what was rebuilt, and what could not be known.
type Report struct {
	AsOf      time.Time `json:"as_of"` // of the manifest
	Accounts  int       `json:"accounts"`
	Photos    int       `json:"photos"`
	Withdrawn int       `json:"withdrawn"` // their file is missing or has changed since
	// Held are among Photos. Whether they are cards was not known at the time of the manifest.
	Held      int `json:"held"`
	JobsMoved int `json:"jobs_moved"`
	JobsAdded int `json:"jobs_added"`
	// NewOriginals have no row: they came after the manifest, or were about to be collected.
	NewOriginals  int      `json:"new_originals"`
	LostOriginals int      `json:"lost_originals"`
	SetAside      string   `json:"set_aside,omitempty"` // the catalogue that was there
	Unknown       []string `json:"unknown"`             // sentences
}

func (r *Report) say(format string, args ...any) {
	r.Unknown = append(r.Unknown, fmt.Sprintf(format, args...))
}

// Text writes the report for people.
func (r Report) Text(w io.Writer) {
	fmt.Fprintf(w, "the catalogue is as it was at %s: %d accounts, %d published photos\n", localtime.Format(r.AsOf), r.Accounts, r.Photos)
	if r.SetAside != "" {
		fmt.Fprintf(w, "the one that was there is kept as %s\n", r.SetAside)
	}
	if r.Withdrawn > 0 {
		fmt.Fprintf(w, "%d photos are withdrawn, because their file is missing or has changed since: picdayd publishes again what it finds\n", r.Withdrawn)
	}
	if r.Held > 0 {
		fmt.Fprintf(w, "%d of them were not looked at for cards before the manifest: no link shows them until picdayd has, which it does by itself\n", r.Held)
	}
	if r.JobsMoved+r.JobsAdded > 0 {
		fmt.Fprintf(w, "after the folders that are there: %d jobs planned or active again, %d jobs added\n", r.JobsMoved, r.JobsAdded)
	}
	fmt.Fprintln(w, "What could not be known:")
	for _, text := range r.Unknown {
		fmt.Fprintf(w, "  %s\n", text)
	}
}

// ErrSound is returned if the catalogue needs no rebuilding.
var ErrSound = errors.New("the catalogue is sound")

// stageDir, in the data directory, holds the catalogue until it is complete.
const stageDir = "rebuilding"

type run struct {
	cfg     config.Config
	trees   trees.Dir
	volumes *upload.Volumes
	staged  *store.Store
	report  Report
}

// Run rebuilds the catalogue. picdayd must not work on the data directory.
func Run(ctx context.Context, cfg config.Config) (Report, error) {
	unlock, err := store.LockDataDir(cfg.DataDir)
	if errors.Is(err, store.ErrInUse) {
		return Report{}, fmt.Errorf("%w: run 'systemctl stop picdayd' first", err)
	}
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	if err := checkUnsound(ctx, cfg.DataDir); err != nil {
		return Report{}, err
	}
	r := &run{
		cfg: cfg, trees: trees.Dir(cfg.UploadDir), volumes: upload.NewVolumes(filepath.Join(cfg.UploadDir, store.MarkerFile)),
		report: Report{Unknown: []string{}},
	}
	err = r.all(ctx)
	return r.report, err
}

// checkUnsound fails if there is a catalogue that works.
func checkUnsound(ctx context.Context, dir string) error {
	s, err := store.Open(ctx, dir)
	if errors.Is(err, fs.ErrPermission) {
		return err
	}
	if err != nil {
		return nil
	}
	if err := errors.Join(s.QuickCheck(ctx), s.Close()); err != nil {
		return nil
	}
	return failure.Refusal(fmt.Errorf("%w, and rebuilding would undo what was done since the manifest: nothing was changed", ErrSound))
}

func (r *run) all(ctx context.Context) (err error) {
	if err := r.stage(ctx); err != nil {
		return err
	}
	defer func() {
		if r.staged != nil {
			err = errors.Join(err, r.staged.Close())
		}
	}()
	if err := r.staged.Update(ctx, (*store.Tx).BeginAgain); err != nil {
		return err
	}
	if err := r.staged.CheckVolume(ctx, r.cfg.UploadDir); err != nil {
		return fmt.Errorf("the uploads cannot be compared with the manifest: %w", err)
	}
	accounts, err := r.staged.All().Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if err := r.account(ctx, a); err != nil {
			return fmt.Errorf("account %s: %w", a.Name, err)
		}
	}
	if err := r.originals(ctx); err != nil {
		return err
	}
	if err := r.unknownAccounts(ctx); err != nil {
		return err
	}
	counts, err := r.staged.All().Counts(ctx)
	if err != nil {
		return err
	}
	held, err := r.staged.HeldBack(ctx)
	if err != nil {
		return err
	}
	r.report.Accounts, r.report.Photos, r.report.Held = len(accounts), counts.Photos, held
	r.alwaysUnknown()
	err = r.staged.Close()
	r.staged = nil
	if err != nil {
		return err
	}
	return fsuid.In(r.cfg.DataDir, r.replace)
}

// stage copies the manifest and the link key to a directory of their own, and opens them.
func (r *run) stage(ctx context.Context) error {
	manifest := filepath.Join(r.cfg.DataDir, store.ManifestFile)
	fi, err := os.Lstat(manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no manifest in %s: nobody can tell any more which photos were withdrawn or are cards, and whose the links were, so nothing was published. Put a backup back with 'picday restore'. Without one, 'picday init' begins a catalogue: add the accounts again; every photo that is still uploaded is published under a new link, also those that an operator had withdrawn", filepath.Dir(manifest))
	}
	if err != nil {
		return err
	}
	r.report.AsOf = fi.ModTime().UTC()
	dir := filepath.Join(r.cfg.DataDir, stageDir)
	if err := fsuid.In(r.cfg.DataDir, func() error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)) }); err != nil {
		return err
	}
	for name, from := range map[string]string{store.CatalogueFile: manifest, store.LinkKeyFile: filepath.Join(r.cfg.DataDir, store.LinkKeyFile)} {
		if err := copyFile(from, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if r.staged, err = store.Open(ctx, dir); err != nil {
		return err
	}
	if err := r.staged.QuickCheck(ctx); err != nil {
		return fmt.Errorf("the manifest is damaged, too: %w: put a backup back with 'picday restore'", err)
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := fsuid.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	var out *os.File
	if err := fsuid.In(filepath.Dir(to), func() (err error) {
		out, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	}); err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// replace keeps the catalogue that was there, and puts the new one in its place.
func (r *run) replace() error {
	dir, stamp := r.cfg.DataDir, time.Now().UTC().Format("20060102T150405Z")
	for _, suffix := range []string{"-wal", "-shm", ""} { // SQLite must not apply an old log to the new one
		name := filepath.Join(dir, store.CatalogueFile+suffix)
		aside := filepath.Join(dir, "catalogue.before-rebuild-"+stamp+".sqlite"+suffix)
		err := os.Rename(name, aside)
		switch {
		case err == nil && suffix == "":
			r.report.SetAside = aside
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	staged := filepath.Join(dir, stageDir, store.CatalogueFile)
	f, err := os.Open(staged)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o640), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(staged, filepath.Join(dir, store.CatalogueFile)); err != nil {
		return err
	}
	return errors.Join(durable.SyncDir(dir), os.RemoveAll(filepath.Join(dir, stageDir)))
}
