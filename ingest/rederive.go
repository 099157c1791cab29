package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"picday/internal/photo"
	"picday/store"
	"picday/store/pictures"
)

// A backlog counts the pictures whose renditions are made again.
type backlog struct{ done, total atomic.Int64 }

// Backlog returns the progress of Rederive in pictures; done = total when it is over.
func (in *Ingester) Backlog() (done, total int) {
	return int(in.backlog.done.Load()), int(in.backlog.total.Load())
}

const (
	backlogBatch = 100
	idleLook     = 200 * time.Millisecond
)

// Rederive makes the renditions that are configured and not in the catalogue from the
// originals, and looks for the QR codes of those that came before this was done, one picture at a time and only while no upload is processed. It commits
// each picture, so it continues after an interruption. The old renditions are served
// until the new ones are committed. It logs its errors and always returns nil.
func (in *Ingester) Rederive(ctx context.Context) error {
	want := in.Config.Images.Renditions
	total, err := in.Store.CountOutdatedRenditions(ctx, want)
	if err != nil || total == 0 {
		in.reportRederive(ctx, err)
		return nil
	}
	in.Log.Info().Int("pictures", total).Msg("renditions that are missing or differ from the configuration are made, and cards looked for")
	in.backlog.total.Store(int64(total))
	for after := (store.SHA{}); ; {
		batch, err := in.Store.OutdatedRenditions(ctx, want, after, backlogBatch)
		if err != nil || len(batch) == 0 {
			in.reportRederive(ctx, err)
			in.backlog.total.Store(in.backlog.done.Load())
			return nil
		}
		for _, sha := range batch {
			if !in.idle(ctx) {
				return nil
			}
			if err := in.rederive(ctx, sha); err != nil && ctx.Err() == nil {
				in.Log.Error().Err(err).Stringer("sha256", sha).Msg("renditions not made anew, the old ones stay")
			}
			in.backlog.done.Add(1)
			after = sha
		}
	}
}

// idle waits until no upload is processed and there is room. It returns false if ctx
// has ended.
func (in *Ingester) idle(ctx context.Context) bool {
	for len(in.InProgress()) > 0 || in.Room(0) != nil {
		select {
		case <-time.After(idleLook):
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return false
		}
	}
	return ctx.Err() == nil
}

func (in *Ingester) rederive(ctx context.Context, sha store.SHA) error {
	defer in.Store.Hold(sha)()
	old, found, err := in.Store.Original(ctx, sha)
	if err != nil || !found {
		return err
	}
	file, err := in.Store.Files().Open(pictures.Original(sha))
	if err != nil {
		return err
	}
	defer file.Close()
	h, scan := sha256.New(), &photo.Scan{}
	if _, err := io.Copy(io.MultiWriter(h, scan), file); err != nil {
		return err
	}
	if sumOf(h) != sha {
		return fmt.Errorf("the original %s has changed on disk: restore it from a backup", file.Name())
	}
	facts := scan.Facts()
	if withEOI, ok := facts.AssumeEOI(); ok {
		facts = withEOI // as on arrival
	}
	_, picture, err := in.Render(ctx, "", file, facts, in.Config.Images.Renditions)
	if err != nil {
		return err
	}
	made, err := in.writeRenditions(sha, picture.Renditions)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	err = in.Writer.Submit(context.WithoutCancel(ctx), store.Change{
		Files: namesOf(store.Original{SHA: sha, Renditions: made}),
		Apply: func(tx *store.Tx) error {
			// First, so that no moment shows a card that is known to be one.
			if err := tx.SetCodes(sha, picture.Codes); err != nil {
				return err
			}
			return tx.SetRenditions(sha, made)
		},
		Done: func(err error) { done <- err },
	})
	if err == nil {
		err = <-done
	}
	if err != nil {
		return err
	}
	return in.removeOutdated(context.WithoutCancel(ctx), sha, old.Renditions)
}

// reportRederive logs that Rederive ends early; the next start goes on.
func (in *Ingester) reportRederive(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		in.Log.Error().Err(err).Msg("renditions could not be made, the next start of picdayd goes on")
	}
}
