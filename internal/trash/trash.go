// Package trash brings photos back whose files were deleted, or that an operator has
// withdrawn, and ends those that nobody wants back.
package trash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// A Machine is what of the system a restore needs; *account.System is one.
type Machine interface {
	RestoreFile(a store.Account, path string, content func(io.Writer) error) (fs.FileInfo, error)
}

// A Trash is that of one catalogue and its upload volume.
type Trash struct {
	Store     *store.Store
	Machine   Machine
	UploadDir string
	Volumes   *upload.Volumes
	Operator  string // who does it on the pages, for the activity; "" = somebody at a shell
}

// find finds the withdrawn photo at a path whose SHA-256 begins with sha, the newest if
// there are several.
func (t *Trash) find(ctx context.Context, acct store.Account, path, sha string) (store.Photo, error) {
	return t.Store.All().Trashed(ctx, acct.Name, layout.FromRoot(acct.Layout, acct.Name, path), strings.ToLower(sha))
}

// Restore publishes the photo again that was at the path, under its old link, and
// returns a sentence that says so. Of several pictures it takes the one whose SHA-256
// begins with sha, and was withdrawn last. Accounts must not be changed meanwhile.
func (t *Trash) Restore(ctx context.Context, acct store.Account, path, sha string) ([]string, error) {
	p, err := t.find(ctx, acct, path, sha)
	if err != nil {
		return nil, err
	}
	return t.RestorePhoto(ctx, acct, p)
}

// RestorePhoto is Restore for a withdrawn photo of the account. If its file is gone the
// original is put back in its place.
func (t *Trash) RestorePhoto(ctx context.Context, acct store.Account, p store.Photo) (report []string, err error) {
	if p.WithdrawnBy != "" {
		err := t.Store.Update(ctx, func(tx *store.Tx) error { return tx.RestoreBy(p.ID, t.Operator) })
		switch {
		case err == nil:
			return []string{fmt.Sprintf("%s, withdrawn by %s, is published again", p.Path, p.WithdrawnBy)}, nil
		case !errors.Is(err, store.ErrNoFile):
			return nil, err
		}
	}
	fi, err := t.Machine.RestoreFile(acct, p.RawPath, func(to io.Writer) error { return t.Store.WriteOriginal(ctx, p, to) })
	if errors.Is(err, pictures.ErrDamaged) {
		return nil, fmt.Errorf("%w. Nothing was put back: copy it from the backup directory over the damaged one and try again, or have the photo uploaded again", err)
	}
	if err != nil {
		return nil, err
	}
	identity := t.Volumes.IdentityOf(fi, filepath.Dir(filepath.Join(t.UploadDir, acct.Name, p.RawPath)))
	if err := t.Store.Update(ctx, func(tx *store.Tx) error { return tx.Restore(acct, p, identity, t.Operator) }); err != nil {
		return nil, err
	}
	return []string{p.Path + " is back, under its old link"}, nil
}
