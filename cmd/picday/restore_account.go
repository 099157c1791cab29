package main

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

	"picday/account"
	"picday/store"
)

// account makes one account on this machine, closed, and puts its jobs and
// files back. One that had been removed with its photos kept is made and
// removed again, so that its files are as a removal leaves them.
func (r *restoring) account(ctx context.Context, acct store.Account, photos []int64) error {
	sec, ok := r.secrets[acct.Name]
	if !ok && !acct.Kept {
		r.problem("account %s has neither password nor keys in the backup: picday account passwd %s", acct.Name, acct.Name)
	}
	all := r.accounts
	if acct.Kept {
		all = append(slices.Clone(all), acct)
	}
	done, err := r.sys.Reinstate(ctx, acct, sec, all)
	r.say(done...)
	if err != nil {
		return err
	}
	states, err := r.staged.JobStates(ctx, acct.ID)
	if err != nil {
		return err
	}
	for job := range states {
		err := r.showJob(acct, job)
		if errors.Is(err, account.ErrInvalid) { // the rules on names were laxer once
			r.problem("the job %s of %s has no folder any more: %v", job, acct.Name, err)
			delete(states, job)
		} else if err != nil {
			return err
		}
	}
	if err := r.files(ctx, acct, photos); err != nil {
		return err
	}
	for job, state := range states {
		r.view.Jobs++
		if state != store.Active {
			continue
		}
		if _, err := r.sys.HideJob(acct.Name, job); err != nil {
			return err
		}
	}
	if acct.Kept {
		done, err := r.sys.Remove(ctx, acct, r.accounts, false)
		r.say(done...)
		return err
	}
	return nil
}

// showJob makes a job's folder, which a run that was killed may have made and
// hidden already.
func (r *restoring) showJob(acct store.Account, job string) error {
	if _, err := os.Lstat(r.sys.HiddenJobDir(acct.Name, job)); err == nil {
		_, err := r.sys.ShowJob(acct.Name, job)
		return err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err := r.sys.AddJob(acct.Name, job)
	return err
}

// files gives an account its files back, and tells the catalogue which they
// are, so that picdayd finds them just as it knows them.
func (r *restoring) files(ctx context.Context, acct store.Account, photos []int64) error {
	meter := r.meter("files put back for " + acct.Name)
	defer meter.end()
	const batch = 100
	done := 0
	for ids := range slices.Chunk(photos, batch) {
		type back struct {
			p  store.Photo
			id store.Identity
		}
		var all []back
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
				all = append(all, back{p, r.identity(fi, filepath.Join(r.cfg.UploadDir, acct.Name, p.RawPath))})
			}
			done++
			meter.show(done, len(photos))
		}
		if err := r.staged.Update(ctx, func(tx *store.Tx) error {
			for _, b := range all {
				if err := tx.HasFile(acct, b.p, b.id); err != nil {
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

// putBack returns nothing for a photo that stays without its file: it is
// published until a file of its name is uploaded.
func (r *restoring) putBack(ctx context.Context, acct store.Account, p store.Photo) (fs.FileInfo, error) {
	if _, err := os.Lstat(r.live.OriginalPath(p.SHA)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // named already
	}
	fi, err := r.sys.PutBack(acct, p.RawPath, func(to io.Writer) error { return r.live.WriteOriginal(ctx, p, to) })
	if err == nil {
		r.view.PutBack++
		return fi, nil
	}
	if !errors.Is(err, account.ErrRefused) && !errors.Is(err, account.ErrNoAccount) && !errors.Is(err, account.ErrInvalid) {
		return nil, err
	}
	same, serr := r.there(acct, p)
	if serr != nil {
		return nil, serr
	}
	if same == nil {
		r.problem("%s of %s was not put back (%v): the photo stays published until another picture is taken in under that name, which then gets its own link", p.Path, acct.Name, err)
		return nil, nil
	}
	r.view.WereThere++
	return same, nil
}

// there finds the photo's file where it belongs, with nothing else in it.
func (r *restoring) there(acct store.Account, p store.Photo) (fs.FileInfo, error) {
	tree, err := r.sys.Tree(acct, p.RawPath)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	f, err := account.OpenUpload(tree, p.RawPath)
	if err != nil {
		return nil, nil // whatever it is, it is not the photo
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
