package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"picday/store"
	"picday/store/pictures"
)

// pictures reads every original and every rendition, on all cores.
func (v *Verification) pictures(ctx context.Context) error {
	total, _, err := v.Store.PictureCount(ctx)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0) + 1) // one of them waits for the disk
	for o, err := range v.Store.Pictures(gctx) {
		g.Go(func() error {
			if err != nil {
				return err
			}
			return v.picture(gctx, o, total)
		})
	}
	return g.Wait()
}

func (v *Verification) picture(ctx context.Context, o store.Original, total int) error {
	var damaged []pictures.File
	whole := false
	for _, f := range o.Files() { // the original first
		wrong, err := v.look(ctx, f)
		if err != nil {
			return err
		}
		if f.IsOriginal() {
			whole = wrong == nil
		}
		if wrong == nil {
			continue
		}
		d := Finding{What: DamagedOriginal, File: v.Store.Files().Path(f.Name), Stored: string(f.Name), Message: wrong.Error()}
		var n int
		if d.Account, d.Path, n, err = v.Store.PhotosOfPicture(ctx, f.Picture); err != nil {
			return err
		}
		if n > 1 {
			d.Message += fmt.Sprintf(" (and %d more photos show it)", n-1)
		}
		if !f.IsOriginal() {
			d.What = UnrepairableRendition
			if whole {
				d.What = DamagedRendition
			}
			damaged = append(damaged, f)
		}
		v.found(d)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if whole {
		v.remake = append(v.remake, damaged...)
	}
	v.report.Originals++
	v.report.Renditions += len(o.Renditions)
	v.report.Bytes += o.Bytes
	if v.Progress != nil {
		v.Progress(v.report.Originals, total)
	}
	return nil
}

// look tells what is wrong with a file, unless that is only because the
// catalogue has changed since.
func (v *Verification) look(ctx context.Context, f pictures.File) (wrong, err error) {
	for range 2 {
		wrong = v.read(ctx, f)
		if wrong == nil {
			return nil, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(wrong, pictures.ErrMissing) {
			wrong = pictures.ErrMissing // without the name, which the finding has
		} else if !errors.Is(wrong, pictures.ErrDamaged) {
			return nil, wrong
		}
		expected, _, err := v.Store.Expects(ctx, f)
		if err != nil || !expected {
			return nil, err
		}
	}
	return wrong, nil
}

// read hashes a file, and decodes a rendition.
func (v *Verification) read(ctx context.Context, f pictures.File) error {
	throttle := throttled{ctx, v.limit}
	// A row of a hostile catalogue must not fill root's memory.
	const most = 64 << 20 // pixels
	if f.IsOriginal() || f.Width <= 0 || f.Height <= 0 || f.Width > most/f.Height {
		return v.Store.Files().Read(ctx, f, throttle)
	}
	content, to := io.Pipe()
	read := make(chan error, 1)
	go func() {
		err := v.Store.Files().Read(ctx, f, io.MultiWriter(throttle, to))
		to.CloseWithError(err) // nil: the end
		read <- err
	}()
	wrong := decodes(content, f)
	_, _ = io.Copy(io.Discard, content) // what the decoder leaves unread is hashed too
	if err := <-read; err != nil {
		return err
	}
	return wrong
}

// decodes tells whether a rendition shows a picture of its size.
func decodes(in io.Reader, f pictures.File) error {
	head := &bytes.Buffer{}
	is, err := jpeg.DecodeConfig(io.TeeReader(in, head))
	if err != nil || is.Width != f.Width || is.Height != f.Height {
		return fmt.Errorf("%w: it is no JPEG of %d×%d pixels", pictures.ErrDamaged, f.Width, f.Height)
	}
	if _, err := jpeg.Decode(io.MultiReader(head, in)); err != nil {
		return fmt.Errorf("%w: it is no whole JPEG (%w)", pictures.ErrDamaged, err)
	}
	return nil
}

// burst is as much as is read at a time, in bytes.
const burst = 1 << 20

// throttled waits so that reading leaves the disk to others.
type throttled struct {
	ctx   context.Context
	limit *rate.Limiter
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
