// Package setup makes what picday needs on a machine: the system's users,
// groups and directories, the catalogue, and the mark on the upload volume. It
// makes only what is missing, and refuses to begin a new catalogue where the
// old one seems to be lost. It prints nothing.
package setup

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"picday/internal/config"
	"picday/internal/failure"
	"picday/store"
)

// A Machine is what of the system is set up; *account.System is one. Its methods
// return sentences that say what they did.
type Machine interface {
	Init(ctx context.Context, accounts ...store.Account) (done []string, err error)
	Reopen(ctx context.Context, accounts []store.Account) (done []string, err error)
}

// A Setup sets up one machine.
type Setup struct {
	Config  config.Config
	Machine Machine
	// OwnUsers returns the Unix users of accounts; account.OwnUsers is one.
	OwnUsers func() ([]string, error)
	Say      func(sentences ...string)
	// NewVolume accepts an upload directory without this catalogue's mark.
	NewVolume bool
}

// Run makes what is missing, and tells whether anything was. old is the
// catalogue, or nil if there is none yet.
//
// It refuses to begin on a machine with the uploads and the Unix users of another
// catalogue: its disk is not mounted, or it is lost. A new catalogue in its place would
// take the uploads for its own. It also refuses an upload directory of another catalogue.
func (x *Setup) Run(ctx context.Context, old *store.Store) (changed bool, err error) {
	var accounts []store.Account
	if old != nil {
		if accounts, err = old.All().Accounts(ctx); err != nil {
			return false, err
		}
	}
	if len(accounts) == 0 && !x.NewVolume {
		if err := x.lostCatalogue(ctx, old); err != nil {
			return false, err
		}
	}
	did := func(sentences []string) {
		x.Say(sentences...)
		changed = changed || len(sentences) > 0
	}
	done, err := x.Machine.Init(ctx, accounts...)
	did(done)
	if err != nil {
		return changed, err
	}
	s, made, err := store.Create(ctx, x.Config.DataDir)
	did(made)
	if err != nil {
		return changed, err
	}
	defer s.Close()
	adopted, err := s.AdoptVolume(ctx, x.Config.UploadDir, x.NewVolume)
	if err != nil {
		return changed, failure.Refusal(err)
	}
	if adopted {
		did([]string{"marked " + x.Config.UploadDir + " as the upload volume of this catalogue"})
	}
	// The accounts' folders are on the volume, so it must be known to be the
	// right one before anybody is let in.
	opened, err := x.Machine.Reopen(ctx, accounts)
	did(opened)
	return changed, err
}

func (x *Setup) lostCatalogue(ctx context.Context, old *store.Store) error {
	if _, err := os.Lstat(filepath.Join(x.Config.UploadDir, store.MarkerFile)); err != nil {
		return nil
	}
	if old != nil && old.CheckVolume(ctx, x.Config.UploadDir) == nil {
		return nil
	}
	users, err := x.OwnUsers()
	if err != nil || len(users) == 0 {
		return err
	}
	return failure.Refusalf("the uploads in %s belong to another catalogue than the one in %s, which knows no account, and this machine has Unix users of its accounts: %s\n"+
		"Is the disk of %[2]s not mounted? Mount it. Is it lost? picday restore DIR\nTo begin anew all the same: picday init --new-volume",
		x.Config.UploadDir, x.Config.DataDir, strings.Join(users, ", "))
}
