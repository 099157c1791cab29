package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"picday/photo"
	"picday/store"
)

// A backlog counts the pictures whose renditions are made anew.
type backlog struct{ done, total atomic.Int64 }

// Backlog tells how far Rederive is; done = total when there is nothing left.
func (in *Ingester) Backlog() (done, total int) {
	return int(in.backlog.done.Load()), int(in.backlog.total.Load())
}

const (
	backlogBatch = 100
	idleLook     = 200 * time.Millisecond
)

// Rederive makes the renditions that the configuration wants and the catalogue
// has not, from the originals: one at a time, and none while an upload is in
// hand. What it has done is in the catalogue, so after an interruption it goes
// on. Until a picture's new renditions are committed the old ones serve.
func (in *Ingester) Rederive(ctx context.Context) error {
	var want []store.RenditionSpec
	for _, s := range in.sizes {
		want = append(want, store.RenditionSpec(s))
	}
	total, err := in.Store.BacklogSize(ctx, want)
	if err != nil || total == 0 {
		in.report(ctx, err, "rederive")
		return nil
	}
	in.Log.Info().Int("pictures", total).Msg("renditions are made anew for a changed configuration")
	in.backlog.total.Store(int64(total))
	for after := (store.SHA{}); ; {
		batch, err := in.Store.Backlog(ctx, want, after, backlogBatch)
		if err != nil || len(batch) == 0 {
			in.report(ctx, err, "rederive")
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

// idle waits until nothing else is in hand and there is room; false means that ctx has ended.
func (in *Ingester) idle(ctx context.Context) bool {
	for len(in.InHand()) > 0 || in.Room(0) != nil {
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
	defer in.Store.Pin(sha)()
	old, found, err := in.Store.Original(ctx, sha)
	if err != nil || !found {
		return err
	}
	file, err := os.Open(in.Store.OriginalPath(sha))
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
	if bare, ok := facts.Bare(); ok {
		facts = bare // as it was taken
	}
	_, picture, err := in.Render(ctx, "", file, facts, in.sizes)
	if err != nil {
		return err
	}
	made, err := in.keepAll(sha, picture.Renditions)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	err = in.Writer.Submit(context.WithoutCancel(ctx), store.Change{
		Dirs:  []string{filepath.Dir(in.Store.RenditionPath(sha, made[0].RenditionSpec))},
		Apply: func(tx *store.Tx) error { return tx.SetRenditions(sha, made) },
		Done:  func(err error) { done <- err },
	})
	if err == nil {
		err = <-done
	}
	if err != nil {
		return err
	}
	return in.removeOutdated(sha, old.Renditions)
}
