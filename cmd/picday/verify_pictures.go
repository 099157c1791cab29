package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"picday/store"
)

// pictures reads every original and every rendition, on all cores.
func (v *verification) pictures(ctx context.Context) error {
	of, _, err := v.s.PictureCount(ctx)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0) + 1) // one of them waits for the disk
	const page = 200
	for after := (store.SHA{}); ; {
		all, err := v.s.Pictures(gctx, after, page)
		if err != nil {
			return errors.Join(g.Wait(), err)
		}
		for _, o := range all {
			after = o.SHA
			g.Go(func() error { return v.picture(gctx, o, of) })
		}
		if len(all) < page {
			return g.Wait()
		}
	}
}

func (v *verification) picture(ctx context.Context, o store.Original, of int) error {
	var bad []store.PictureFile
	whole := false
	for _, f := range o.Files() {
		wrong, err := v.look(ctx, f)
		if err != nil {
			return err
		}
		if f.Original() {
			whole = wrong == nil
		}
		if wrong == nil {
			continue
		}
		d := difference{Kind: "original", File: filepath.Join(v.cfg.DataDir, f.Path), Message: wrong.Error()}
		var n int
		if d.Account, d.Path, n, err = v.s.ShownAs(ctx, f.Picture); err != nil {
			return err
		}
		if n > 1 {
			d.Message += fmt.Sprintf(" (and %d more photos show it)", n-1)
		}
		d.Fix = fmt.Sprintf("Copy %s from the backup directory over it, or have the photo uploaded again under another name", f.Path)
		if !f.Original() {
			d.Kind, d.Fix = "rendition", "Stop picdayd, run 'picday verify --repair', start picdayd: it makes it anew"
			if !whole {
				d.Fix = "It cannot be made anew before its original is right; copy " + f.Path + " from the backup directory"
			}
			bad = append(bad, f)
		}
		v.differ(d)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if whole {
		v.remake = append(v.remake, bad...)
	}
	v.view.Originals++
	v.view.Renditions += len(o.Renditions)
	v.view.Bytes += o.Bytes
	v.meter.show(v.view.Originals, of)
	return nil
}

// look tells what is wrong with a file, unless that is only because the
// catalogue has changed since.
func (v *verification) look(ctx context.Context, f store.PictureFile) (wrong, err error) {
	for range 2 {
		wrong = v.read(ctx, f)
		if wrong == nil {
			return nil, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(wrong, fs.ErrNotExist) {
			wrong = errors.New("missing")
		} else if !errors.Is(wrong, store.ErrDamaged) {
			return nil, wrong
		}
		expected, _, err := v.s.Expects(ctx, f)
		if err != nil || !expected {
			return nil, err
		}
	}
	return wrong, nil
}

// read hashes a file, and decodes a rendition.
func (v *verification) read(ctx context.Context, f store.PictureFile) error {
	name := filepath.Join(v.cfg.DataDir, f.Path)
	throttle := throttled{ctx, v.rate}
	// Beyond it the catalogue could have root's memory filled.
	const most = 64 << 20 // pixels
	if f.Original() || f.Width <= 0 || f.Height <= 0 || f.Width > most/f.Height {
		return f.Examine(ctx, name, throttle)
	}
	content, to := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := f.Examine(ctx, name, io.MultiWriter(throttle, to))
		to.CloseWithError(err) // nil: the end
		read <- err
	}()
	wrong := decodes(content, f)
	_, _ = io.Copy(io.Discard, content) // what the decoder does not want is hashed too
	if err := <-read; err != nil {
		return err
	}
	return wrong
}

// decodes tells whether a rendition shows a picture of its size.
func decodes(in io.Reader, f store.PictureFile) error {
	head := &bytes.Buffer{}
	is, err := jpeg.DecodeConfig(io.TeeReader(in, head))
	if err != nil || is.Width != f.Width || is.Height != f.Height {
		return fmt.Errorf("%w: it is no JPEG of %d×%d pixels", store.ErrDamaged, f.Width, f.Height)
	}
	if _, err := jpeg.Decode(io.MultiReader(head, in)); err != nil {
		return fmt.Errorf("%w: it is no whole JPEG (%w)", store.ErrDamaged, err)
	}
	return nil
}

// throttled waits so that reading leaves the disk to others.
type throttled struct {
	ctx   context.Context
	limit *rate.Limiter
}

// burst is as much as is read at a time.
const burst = 1 << 20

func newThrottle(megabytes float64) *rate.Limiter {
	if megabytes == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(megabytes*1e6), burst)
}

func (t throttled) Write(b []byte) (int, error) {
	if t.limit == nil {
		return len(b), nil
	}
	for n := len(b); n > 0; n -= burst {
		if err := t.limit.WaitN(t.ctx, min(n, burst)); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
