package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"picday/internal/durable"
	"picday/photo"
	"picday/store"
)

const openNoFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// identityOf is the identity of the file at an account's path.
func (in *Ingester) identityOf(fi os.FileInfo, account, path string) store.Identity {
	return store.IdentityOf(fi, in.Volumes.KeyAt(store.DeviceOf(fi), filepath.Join(in.Config.UploadDir, account, filepath.Dir(path))))
}

// ready returns a picture that the catalogue knows, if its original and every
// wanted rendition are on disk: then it need not be read again, nor decoded.
func (in *Ingester) ready(ctx context.Context, sha store.SHA) (store.Original, bool) {
	o, found, err := in.Store.Original(ctx, sha)
	if err != nil || !found || !hasSize(in.Store.OriginalPath(sha), o.Bytes) {
		return o, false
	}
	made := map[store.RenditionSpec]bool{}
	for _, r := range o.Renditions {
		made[r.RenditionSpec] = hasSize(in.Store.RenditionPath(sha, r.RenditionSpec), r.Bytes)
	}
	for _, s := range in.sizes {
		if !made[store.RenditionSpec(s)] {
			return o, false
		}
	}
	return o, true
}

func hasSize(name string, size int64) bool {
	fi, err := os.Lstat(name)
	return err == nil && fi.Mode().IsRegular() && fi.Size() == size
}

// derive makes the renditions of the copy, each durable under its name, and
// returns what the catalogue has to know. The same picture twice at once, or
// again before the first is committed, is decoded once.
func (in *Ingester) derive(ctx context.Context, account string, c *copied) (store.Original, error) {
	v, err, _ := in.render.Do(string(c.sha[:]), func() (any, error) {
		// In this order: what is not derived any more is in the catalogue by now.
		if o, ok := in.derivedOf(c.sha); ok {
			return o, nil
		}
		known, ok := in.ready(ctx, c.sha)
		if ok {
			return known, nil
		}
		// Not ctx: what is in hand is finished also when picdayd is stopping.
		meta, picture, err := in.Render(context.WithoutCancel(ctx), account, c.temp, c.facts, in.sizes)
		if err != nil {
			return nil, err
		}
		o := store.Original{SHA: c.sha, Bytes: c.facts.Bytes, Unusual: picture.Unusual, Camera: store.Camera{
			TakenAt: meta.TakenAt, Zoned: meta.TakenZone, Make: meta.Make, Model: meta.Model, Serial: meta.Serial,
		}}
		o.Width, o.Height = photo.UprightSize(c.facts, meta.Orientation)
		if o.Renditions, err = in.keepAll(c.sha, picture.Renditions); err == nil {
			in.setDerived(derived{o, known.Renditions})
		}
		return o, err
	})
	if err != nil {
		return store.Original{}, err
	}
	return v.(store.Original), nil
}

// derived is a picture that is not in the catalogue yet as it is on disk.
type derived struct {
	store.Original
	before []store.Rendition // those that the catalogue had of it
}

// hold keeps a picture's files until the returned function is called, and what
// is derived meanwhile. Hold before looking for the files.
func (in *Ingester) hold(sha store.SHA) (release func()) {
	unpin := in.Store.Pin(sha)
	return func() {
		defer unpin()
		in.mu.Lock()
		before := in.derived[sha].before
		delete(in.derived, sha)
		in.mu.Unlock()
		if err := in.removeOutdated(sha, before); err != nil {
			in.Log.Error().Err(err).Stringer("sha256", sha).Msg("an old rendition is left over")
		}
	}
}

func (in *Ingester) setDerived(d derived) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.derived[d.SHA] = d
}

func (in *Ingester) derivedOf(sha store.SHA) (store.Original, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	d, ok := in.derived[sha]
	return d.Original, ok
}

// removeOutdated deletes the files of those renditions that the catalogue had
// before, and to which it does not point any more.
func (in *Ingester) removeOutdated(sha store.SHA, before []store.Rendition) error {
	if len(before) == 0 {
		return nil
	}
	now, _, err := in.Store.Original(context.Background(), sha)
	if err != nil {
		return err
	}
	kept := map[store.RenditionSpec]bool{}
	for _, r := range now.Renditions {
		kept[r.RenditionSpec] = true
	}
	for _, r := range before {
		if kept[r.RenditionSpec] {
			continue
		}
		if err := os.Remove(in.Store.RenditionPath(sha, r.RenditionSpec)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (in *Ingester) renderHere(_ context.Context, _ string, original *os.File, f photo.Facts, sizes []photo.Size) (photo.Meta, photo.Picture, error) {
	meta := photo.ReadMeta(original)
	picture, err := photo.Render(original, meta, f, in.Limits, sizes)
	return meta, picture, err
}

// keepAll writes the renditions, which are in the order of the sizes.
func (in *Ingester) keepAll(sha store.SHA, pictures []photo.Rendition) (all []store.Rendition, err error) {
	for i, p := range pictures {
		r := store.Rendition{RenditionSpec: store.RenditionSpec(in.sizes[i]), Width: p.Width, Height: p.Height, Bytes: int64(len(p.JPEG)), Hash: sha256.Sum256(p.JPEG)}
		if err := in.keep(in.Store.RenditionPath(sha, r.RenditionSpec), p.JPEG); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// keep writes a rendition; its name becomes durable with the commit.
func (in *Ingester) keep(name string, data []byte) error {
	temp, err := durable.Temp(in.Store.TempDir())
	if err != nil {
		return err
	}
	if _, err := temp.Write(data); err != nil {
		durable.Discard(temp)
		return err
	}
	return durable.Commit(temp, name, 0o440)
}

// settleOriginal gives the copy its name. It comes after the renditions, so
// that a picture that cannot be decoded leaves nothing behind.
func (in *Ingester) settleOriginal(c *copied) error {
	name := in.Store.OriginalPath(c.sha)
	if hasSize(name, c.facts.Bytes) {
		durable.Discard(c.temp)
		return nil
	}
	return durable.Commit(c.temp, name, 0o440)
}

// dirsOf are the directories that hold the files of a picture.
func (in *Ingester) dirsOf(o store.Original) []string {
	dirs := []string{filepath.Dir(in.Store.OriginalPath(o.SHA))}
	if len(o.Renditions) > 0 {
		dirs = append(dirs, filepath.Dir(in.Store.RenditionPath(o.SHA, o.Renditions[0].RenditionSpec)))
	}
	return dirs
}
