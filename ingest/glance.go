package ingest

import (
	"context"
	"strings"
	"time"

	"picday/layout"
	"picday/store"
)

// glance decides what needs no reading: paths that cannot hold a photo, files
// that are no plain files, files already dealt with, and files whose folder
// was renamed (they have kept their inode and their ctime, so their content).
func (in *Ingester) glance(ctx context.Context, f File) (verdict, bool) {
	a, ok := in.account(f.Account)
	if !ok {
		return verdict{}, true // removed meanwhile
	}
	meaning := a.rules.Of(f.Path)
	if meaning.What == layout.Noise {
		return verdict{}, true
	}
	place := placeOf(f.Path, meaning)
	known, found, err := in.Store.UploadAt(ctx, a.ID, f.Path)
	if err != nil {
		return in.failed(f, err), true
	}
	if found && known.Identity == f.Identity {
		return verdict{}, true
	}
	if f.Dir && !layout.Deepest(f.Path) {
		return in.wait(a, f, place, store.TooManyFolders), true
	}
	if listed := known.Reason == store.TooManyFiles; listed || !found {
		if v, ok := in.beyond(ctx, a, f, place, listed); ok {
			return v, true
		}
	}
	// Also among portraits: a folder is no stray, it is not deleted.
	if !f.Regular && layout.Deepest(f.Path) {
		return in.problem(a, f, place, store.UnknownFolder), true
	}
	// A badly named link or pipe is a stray like any other.
	if meaning.Companion != "" && f.Regular {
		return in.companion(a, f, place, meaning.Companion), true
	}
	if meaning.What == layout.Problem && (f.Regular || meaning.Reason == layout.BadName) {
		return in.problem(a, f, place, store.Reason(meaning.Reason)), true
	}
	if !f.Regular {
		return in.problem(a, f, place, store.Unreadable), true
	}
	old, sha, moved, err := in.Store.Elsewhere(ctx, a.ID, f.Path, f.Identity)
	if err != nil {
		return in.failed(f, err), true
	}
	if !moved || old.Identity != f.Identity {
		return verdict{}, false
	}
	release := in.Store.Pin(sha)
	original, ok := in.ready(ctx, sha)
	if !ok {
		release()
		return verdict{}, false
	}
	return in.publish(a, f, place, original, release), true
}

func placeOf(path string, m layout.Meaning) store.Place {
	return store.Place{Path: path, Shown: layout.Shown(path), Job: m.Job, Album: m.Album, Area: m.Area, Person: m.Person}
}

// problem is the verdict on a file that cannot become a photo as it is.
func (in *Ingester) problem(a account, f File, place store.Place, reason store.Reason) verdict {
	keep := in.Config.Upload.StrayKeep.Std()
	if reason != store.BadName {
		keep = 0
	}
	in.Log.Info().Str("account", f.Account).Str("path", place.Shown).Str("reason", string(reason)).Msg("problem")
	return verdict{
		apply: func(tx *store.Tx) error {
			return in.withDisk(tx.Budget(), func(d store.Disk) error {
				return tx.Problem(a.Account, place, f.Identity, reason, keep, d)
			})
		},
		taken: func() { in.Taken(Taken{Layout: a.Layout}) },
	}
}

// companion is the verdict on a camera's RAW or side file.
func (in *Ingester) companion(a account, f File, place store.Place, stem string) verdict {
	var outcome store.Outcome // a problem
	return verdict{
		apply: func(tx *store.Tx) error {
			aside, err := tx.Companion(a.Account, place, f.Identity, stem)
			if outcome = ""; aside {
				outcome = store.Aside
			}
			return err
		},
		taken: func() {
			in.Log.Info().Str("account", f.Account).Str("path", place.Shown).Bool("jpeg_beside", outcome == store.Aside).Msg("RAW or side file")
			in.Taken(Taken{Layout: a.Layout, Outcome: outcome})
		},
	}
}

// publish is the verdict on a file whose picture is on disk. release ends the
// pin on it.
func (in *Ingester) publish(a account, f File, place store.Place, o store.Original, release func()) verdict {
	var outcome store.Outcome
	return verdict{
		dirs: in.dirsOf(o),
		apply: func(tx *store.Tx) error {
			arrival := store.Arrival{Account: a.Account, Place: place, Identity: f.Identity, Original: o, Flags: flagsOf(o)}
			return in.withDisk(tx.Budget(), func(d store.Disk) (err error) {
				outcome, err = tx.Publish(arrival, d)
				if err == nil {
					in.Log.Info().Str("account", f.Account).Str("path", place.Shown).Stringer("sha256", o.SHA).Str("outcome", string(outcome)).Msg("photo")
				}
				return err
			})
		},
		after: release,
		taken: func() { in.Taken(Taken{a.Layout, outcome, time.Since(time.Unix(0, f.Identity.Ctime))}) },
	}
}

// flagsOf are a photo's, separated by spaces.
func flagsOf(o store.Original) string {
	var flags []string
	if o.Width < smallWidth {
		flags = append(flags, "small")
	}
	if o.Unusual {
		flags = append(flags, "unusual")
	}
	return strings.Join(flags, " ")
}

// smallWidth is the width, as seen, below which a picture is flagged small
// (design §2).
const smallWidth = 600

// failed is the verdict after an error that is not the file's fault.
func (in *Ingester) failed(f File, err error) verdict {
	in.setBack(f, err)
	return verdict{again: true, delay: retryDelay}
}
