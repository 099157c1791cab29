package restore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"picday/internal/account"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// account makes one account with its log-ins on this machine, disabled, and puts its jobs and
// files back. A removed account whose photos were kept is made and removed
// again, so that its files are where a removal leaves them.
func (r *run) account(ctx context.Context, acct store.Account, photos []int64) error {
	secrets, ok := r.src.secrets[acct.Name]
	if !ok && !acct.Kept {
		r.problem(Problem{Kind: NoCredentials, Account: acct.Name})
	}
	all := r.src.accounts
	if acct.Kept {
		all = append(slices.Clone(all), acct)
	}
	done, err := r.machine.Reinstate(ctx, acct, secrets, all)
	r.Say(done...)
	if err != nil {
		return err
	}
	if err := r.logins(ctx, acct); err != nil {
		return err
	}
	states, err := r.staged.JobStates(ctx, acct.ID)
	if err != nil {
		return err
	}
	for job := range states {
		err := r.showJob(acct, job)
		if errors.Is(err, account.ErrInvalid) { // the rules for names were less strict once
			r.problem(Problem{Kind: JobWithoutFolder, Account: acct.Name, Name: job, Err: err})
			delete(states, job)
		} else if err != nil {
			return err
		}
	}
	if err := r.files(ctx, acct, photos); err != nil {
		return err
	}
	for job, state := range states {
		r.report.Jobs++
		if state != store.Active {
			continue
		}
		if _, err := r.machine.HideJob(acct.Name, job); err != nil {
			return err
		}
	}
	if acct.Kept {
		done, err := r.machine.Remove(ctx, acct, r.src.accounts, false)
		r.Say(done...)
		return err
	}
	return nil
}

// logins makes an account's log-ins, closed.
func (r *run) logins(ctx context.Context, acct store.Account) error {
	for _, l := range acct.Logins {
		secrets, ok := r.src.secrets[l.Name]
		if !ok && !l.Ended(time.Now()) {
			r.problem(Problem{Kind: NoCredentials, Account: acct.Name, Name: l.Name})
		}
		done, err := r.machine.ReinstateLogin(ctx, acct, l, secrets)
		r.Say(done...)
		if err != nil {
			return fmt.Errorf("log-in %s: %w", l.Name, err)
		}
	}
	return nil
}

// showJob makes a job's folder, or shows the one that an interrupted run has
// made and hidden already.
func (r *run) showJob(acct store.Account, job string) error {
	if _, err := os.Lstat(r.machine.HiddenJobDir(acct.Name, job)); err == nil {
		_, err := r.machine.ShowJob(acct.Name, job)
		return err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err := r.machine.AddJob(acct.Name, job)
	return err
}

// files puts an account's files back and enters their identities into the
// catalogue, so that picdayd takes them for what it knows already.
func (r *run) files(ctx context.Context, acct store.Account, photos []int64) error {
	show, end := r.Progress("files put back for " + acct.Name)
	defer end()
	const batch = 100
	done := 0
	for ids := range slices.Chunk(photos, batch) {
		type file struct {
			photo store.Photo
			id    upload.Identity
		}
		var files []file
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return err
			}
			p, err := r.staged.PhotoByID(ctx, acct, id)
			if err != nil {
				return err
			}
			fi, err := r.putBack(ctx, acct, p)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Path, err)
			}
			if fi != nil {
				dir := filepath.Dir(filepath.Join(r.cfg.UploadDir, acct.Name, p.RawPath))
				files = append(files, file{p, r.volumes.IdentityOf(fi, dir)})
			}
			done++
			show(done, len(photos))
		}
		if err := r.staged.Update(ctx, func(tx *store.Tx) error {
			for _, f := range files {
				if err := tx.EnterFile(acct, f.photo, f.id); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// putBack puts a photo's file back, or finds it there already. It returns
// nothing for a photo that stays without a file.
func (r *run) putBack(ctx context.Context, acct store.Account, p store.Photo) (fs.FileInfo, error) {
	if _, err := r.live.Files().Stat(pictures.Original(p.SHA)); errors.Is(err, pictures.ErrMissing) {
		return nil, nil // reported as OriginalLost
	}
	fi, err := r.machine.RestoreFile(acct, p.RawPath, func(to io.Writer) error { return r.live.WriteOriginal(ctx, p, to) })
	if err == nil {
		r.report.FilesPutBack++
		return fi, nil
	}
	if !errors.Is(err, account.ErrRefused) && !errors.Is(err, account.ErrNoAccount) && !errors.Is(err, account.ErrInvalid) {
		return nil, err
	}
	there, findErr := r.find(acct, p)
	if findErr != nil {
		return nil, findErr
	}
	if there == nil {
		r.problem(Problem{Kind: NotPutBack, Account: acct.Name, Name: p.Path, Err: err})
		return nil, nil
	}
	r.report.FilesThere++
	return there, nil
}

// find looks for the photo's file at its path. It returns nothing if there is
// none, or one with other content.
func (r *run) find(acct store.Account, p store.Photo) (fs.FileInfo, error) {
	tree, err := r.machine.Tree(acct, p.RawPath)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	f, err := upload.Open(tree, p.RawPath)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() || fi.Size() != p.Bytes {
		return nil, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil || store.SHA(h.Sum(nil)) != p.SHA {
		return nil, err
	}
	return fi, nil
}
