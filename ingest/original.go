package ingest

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"

	"picday/internal/layout"
	"picday/internal/photo"
	"picday/internal/rendition"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// identityOf returns the identity of the file at an account's path.
func (in *Ingester) identityOf(fi os.FileInfo, account, path string) upload.Identity {
	return in.Volumes.IdentityOf(fi, filepath.Join(in.Config.UploadDir, account, filepath.Dir(path)))
}

// pictureOnDisk returns a known picture. It returns true if the original and every
// configured rendition are on disk, so that the picture need not be decoded.
func (in *Ingester) pictureOnDisk(ctx context.Context, sha store.SHA) (store.Original, bool) {
	o, found, err := in.Store.Original(ctx, sha)
	if err != nil || !found || !in.Store.Files().Has(pictures.Original(sha), o.Bytes) {
		return o, false
	}
	made := map[rendition.Spec]bool{}
	for _, r := range o.Renditions {
		made[r.Spec] = in.Store.Files().Has(pictures.Rendition(sha, r.Spec), r.Bytes)
	}
	for _, s := range in.Config.Images.Renditions {
		if !made[s] {
			return o, false
		}
	}
	return o, true
}

// derive writes the renditions of the copy and returns the picture's catalogue entry.
// A picture that arrives twice before the first commit is decoded once.
func (in *Ingester) derive(ctx context.Context, account string, c *copied) (store.Original, error) {
	v, err, _ := in.render.Do(string(c.sha[:]), func() (any, error) {
		// Ask derived first: a picture leaves it only after it is in the catalogue.
		if o, ok := in.derivedOf(c.sha); ok {
			return o, nil
		}
		known, ok := in.pictureOnDisk(ctx, c.sha)
		// A card that came as a portrait before, or before cards were read.
		if ok && (known.Codes != nil || !in.readsCodes(account)) {
			return known, nil
		}
		// Without cancellation, so that a started picture is finished when picdayd stops.
		meta, picture, err := in.Render(context.WithoutCancel(ctx), account, c.temp, c.facts, in.Config.Images.Renditions)
		if err != nil {
			return nil, err
		}
		o := store.Original{SHA: c.sha, Bytes: c.facts.Bytes, Unusual: picture.Unusual, Codes: picture.Codes, Camera: store.Camera{
			TakenAt: meta.TakenAt, Zoned: meta.TakenZone, Make: meta.Make, Model: meta.Model, Serial: meta.Serial,
		}}
		o.Width, o.Height = photo.UprightSize(c.facts, meta.Orientation)
		if o.Renditions, err = in.writeRenditions(c.sha, picture.Renditions); err == nil {
			in.setDerived(derived{o, known.Renditions})
		}
		return o, err
	})
	if err != nil {
		return store.Original{}, err
	}
	return v.(store.Original), nil
}

// readsCodes tells whether QR codes are looked for in an account's pictures.
func (in *Ingester) readsCodes(account string) bool {
	a, ok := in.account(account)
	return ok && a.Layout == layout.Jobs
}

// ReadsCodes tells whether QR codes are looked for in an account's pictures, and in those
// of nobody (""), which are made anew.
func (in *Ingester) ReadsCodes(account string) bool { return account == "" || in.readsCodes(account) }

// derived is a picture whose new renditions are not in the catalogue yet.
type derived struct {
	store.Original
	before []store.Rendition // those that the catalogue has
}

// hold keeps a picture's files from being deleted, and its entry in derived, until the
// returned function is called. Call hold before looking for the files.
func (in *Ingester) hold(ctx context.Context, sha store.SHA) (release func()) {
	done := in.Store.Hold(sha)
	return func() {
		defer done()
		in.mu.Lock()
		before := in.derived[sha].before
		delete(in.derived, sha)
		in.mu.Unlock()
		if err := in.removeOutdated(context.WithoutCancel(ctx), sha, before); err != nil {
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

// removeOutdated deletes the files of the renditions in before that are no longer in
// the catalogue.
func (in *Ingester) removeOutdated(ctx context.Context, sha store.SHA, before []store.Rendition) error {
	if len(before) == 0 {
		return nil
	}
	now, _, err := in.Store.Original(ctx, sha)
	if err != nil {
		return err
	}
	kept := map[rendition.Spec]bool{}
	for _, r := range now.Renditions {
		kept[r.Spec] = true
	}
	for _, r := range before {
		if kept[r.Spec] {
			continue
		}
		if err := in.Store.Files().Remove(pictures.Rendition(sha, r.Spec)); err != nil {
			return err
		}
	}
	return nil
}

func (in *Ingester) renderHere(_ context.Context, _ string, original *os.File, f photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
	meta := photo.ReadMeta(original)
	picture, err := photo.RenderAndRead(original, meta, f, in.Limits, sizes)
	return meta, picture, err
}

// writeRenditions writes the renditions, which are in the order of the sizes.
func (in *Ingester) writeRenditions(sha store.SHA, made []photo.Rendition) (all []store.Rendition, err error) {
	for i, p := range made {
		r := store.Rendition{Spec: in.Config.Images.Renditions[i], Width: p.Width, Height: p.Height, Bytes: int64(len(p.JPEG)), Hash: sha256.Sum256(p.JPEG)}
		if err := in.Store.Files().Write(pictures.Rendition(sha, r.Spec), p.JPEG); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// putOriginal renames the copy to its final name. It comes after the renditions, so
// that a picture that cannot be decoded leaves no file.
func (in *Ingester) putOriginal(c *copied) error {
	name := pictures.Original(c.sha)
	if in.Store.Files().Has(name, c.facts.Bytes) {
		in.Store.Files().Discard(c.temp)
		return nil
	}
	return in.Store.Files().Put(c.temp, name)
}

// namesOf returns the names of a picture's files.
func namesOf(o store.Original) []pictures.Name {
	var names []pictures.Name
	for _, f := range o.Files() {
		names = append(names, f.Name)
	}
	return names
}
