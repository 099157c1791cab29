package ingest

import (
	"context"

	"picday/internal/layout"
	"picday/internal/upload"
)

// The Ingester implements watcher.Ledger, which tells what has been processed: Known, Dirs,
// Holds and Unread are here, Skip is in limits.go.

// Known returns the processed files of one directory of an account, by name.
func (in *Ingester) Known(ctx context.Context, account, dir string) (map[string]upload.Identity, error) {
	a, ok := in.account(account)
	if !ok {
		return nil, nil
	}
	return in.Store.Known(ctx, a.ID, dir)
}

// Dirs returns every directory for which Known is not empty.
func (in *Ingester) Dirs(ctx context.Context, account string) ([]string, error) {
	a, ok := in.account(account)
	if !ok {
		return nil, nil
	}
	return in.Store.KnownDirs(ctx, a.ID)
}

// Holds tells whether Known is not empty for dir or for a directory below it.
func (in *Ingester) Holds(ctx context.Context, account, dir string) (bool, error) {
	a, ok := in.account(account)
	if !ok {
		return false, nil
	}
	return in.Store.Holds(ctx, a.ID, dir)
}

// Unread tells whether a file is processed without being read, whatever is in it.
func (in *Ingester) Unread(account, path string, regular bool) bool {
	a, ok := in.account(account)
	return !ok || !regular || a.rules.Of(path).What != layout.Picture
}

// withoutReading decides on files that need not be read: paths that cannot hold a
// photo, files that are not regular, files already processed, and files whose folder was
// renamed (their inode and ctime, and so their content, are the same). It returns
// false if the file must be read.
func (in *Ingester) withoutReading(ctx context.Context, sent upload.File) (verdict, bool) {
	f, ok := in.settled(sent)
	if !ok {
		return verdict{}, true // removed meanwhile
	}
	if f.meaning.What == layout.Noise {
		return verdict{}, true
	}
	known, found, err := in.Store.UploadAt(ctx, f.owner.ID, f.Path)
	if err != nil {
		return in.retryLater(f, err), true
	}
	if found && known.Identity == f.Identity && !known.Again {
		return verdict{}, true
	}
	if f.Dir && !layout.Deepest(f.Path) {
		return in.waitForLimit(f, layout.TooManyFolders), true
	}
	if listed := known.Reason == layout.TooManyFiles; listed || !found {
		if v, ok := in.overLimit(ctx, f, listed); ok {
			return v, true
		}
	}
	// Decide this before bad names, because a folder must not be deleted as a stray.
	if !f.Regular && layout.Deepest(f.Path) {
		return in.problem(f, layout.UnknownFolder), true
	}
	if f.meaning.Companion != "" && f.Regular {
		return in.companion(f, f.meaning.Companion), true
	}
	// A badly named link or FIFO is a stray like a badly named file.
	if f.meaning.What == layout.Problem && (f.Regular || f.meaning.Reason == layout.BadName) {
		return in.problem(f, f.meaning.Reason), true
	}
	if !f.Regular {
		return in.problem(f, layout.Unreadable), true
	}
	old, sha, moved, err := in.Store.UploadOfInode(ctx, f.owner.ID, f.Path, f.Identity)
	if err != nil {
		return in.retryLater(f, err), true
	}
	if !moved || old.Identity != f.Identity {
		return verdict{}, false
	}
	release := in.Store.Hold(sha)
	original, ok := in.pictureOnDisk(ctx, sha)
	if !ok {
		release()
		return verdict{}, false
	}
	return in.publish(f, original, release), true
}
