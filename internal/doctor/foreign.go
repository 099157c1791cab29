package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"picday/internal/layout"
	"picday/internal/shell"
	"picday/internal/trees"
	"picday/store"
)

// foreign looks for files that are not their account's, because root has copied them
// there: they are published as ever, and their uploader can neither replace nor delete
// them.
func (d *examination) foreign(ctx context.Context, accounts []store.Account) {
	before := len(d.findings)
	for _, a := range accounts {
		uid, _, err := d.Machine.Owner(a.Name)
		if err != nil || a.Flawed() != nil {
			continue // the checks of accounts say that
		}
		n, found, tops, err := foreignIn(ctx, uploadFolders(trees.Dir(d.cfg.UploadDir), a), uid)
		check := "files of " + a.Name
		switch {
		case err != nil:
			d.warn(check, err.Error(), "look whether the disk can be read")
		case n > 0:
			d.warn(check, fmt.Sprintf("%d files or folders belong to somebody else, so %s can neither replace nor delete them: %s", n, a.Name, strings.Join(found, ", ")),
				"sudo "+shell.Line(append([]string{"chown", "-hR", a.Name + ":"}, tops...)...))
		}
	}
	if len(d.findings) == before {
		d.ok("uploaded files", "all belong to the account whose they are")
	}
}

// uploadFolders are the folders that belong to the uploaders of an account.
func uploadFolders(dir trees.Dir, a store.Account) (folders []string) {
	if a.Layout == layout.Portraits {
		return []string{filepath.Join(dir.Base(a.Name), a.Name, layout.UserPictures)}
	}
	for _, base := range []string{dir.Base(a.Name), dir.ActiveBase(a.Name)} {
		entries, _ := os.ReadDir(base) // the checks of accounts say when it is not there
		for _, e := range entries {
			if e.IsDir() && e.Name() != layout.Receipts {
				folders = append(folders, filepath.Join(base, e.Name()))
			}
		}
	}
	return folders
}

// foreignIn counts what belongs to others than uid below and at the folders, and names
// some, and the folders in which they are.
func foreignIn(ctx context.Context, folders []string, uid int) (n int, some, in []string, err error) {
	const named = 5
	for _, top := range folders {
		err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) { // somebody is at work there
				return nil
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			fi, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			if st, ok := fi.Sys().(*syscall.Stat_t); !ok || int(st.Uid) == uid {
				return nil
			}
			if n++; n <= named {
				some = append(some, path)
			}
			if !slices.Contains(in, top) {
				in = append(in, top)
			}
			return nil
		})
		if err != nil {
			return n, some, in, err
		}
	}
	return n, some, in, nil
}
