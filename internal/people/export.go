package people

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"picday/internal/durable"
	"picday/internal/export"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/store"
	"picday/store/pictures"
)

// RuleOfPlace cuts pictures as operators have said on the pages.
const RuleOfPlace = -1

// Export writes the pictures of people for another program.
type Export struct {
	Format string
	To     string  // a directory of PSPI, else a .zip
	Size   string  // flat: WIDTHxHEIGHT
	KB     int     // flat: the limit of a picture; 0 = none
	Top    float64 // per cent of what is cut off the height that is cut off above; RuleOfPlace = as the pages say
	DryRun bool    // write nothing, say who would be left out
}

// Run writes the files, and returns sentences that say who is in them and who is left out.
func (x *Export) Run(ctx context.Context, p Place) ([]string, error) {
	f, err := x.Find()
	if err != nil {
		return nil, err
	}
	if x.Top != RuleOfPlace && (x.Top < 0 || x.Top > 100) {
		return nil, failure.Usagef("--top %g: give 0 to 100", x.Top)
	}
	all, err := p.Portraits(ctx)
	if err != nil {
		return nil, err
	}
	good, out := f.Check(all)
	said := []string{}
	for _, l := range out {
		said = append(said, "left out: "+l.String())
	}
	if x.DryRun {
		return append(said, fmt.Sprintf("%d people would be exported, %d left out", len(good), len(out))), nil
	}
	o, err := x.output(f)
	if err != nil {
		return nil, err
	}
	options, err := p.ExportOptions(ctx, *x, o)
	if err != nil {
		return nil, err
	}
	if err := f.Run(ctx, good, options); err != nil {
		return said, err
	}
	return append(said, fmt.Sprintf("%d people exported to %s, %d left out", len(good), strings.Join(o.made(), ", "), len(out))), nil
}

// Find finds the format, with the size that is asked for.
func (x Export) Find() (export.Format, error) {
	f, err := export.Find(x.Format)
	if err != nil {
		return f, failure.Usage(err)
	}
	return x.sized(f)
}

// ExportOptions are what an export runs with.
func (p Place) ExportOptions(ctx context.Context, x Export, out export.Output) (export.Options, error) {
	o := export.Options{Title: cmp.Or(p.Job, p.Account.Name), Top: x.Top / 100, Out: out}
	if x.Top != RuleOfPlace {
		return o, nil
	}
	v, s, err := p.scope(ctx)
	if err != nil {
		return o, err
	}
	top, err := v.CropTop(ctx, s)
	o.Top = float64(top) / 100
	return o, err
}

// sized is the format with the size that is asked for.
func (x Export) sized(f export.Format) (export.Format, error) {
	if x.Size == "" && x.KB == 0 {
		return f, nil
	}
	s := f.Sizes[0]
	if x.Size != "" {
		if n, err := fmt.Sscanf(x.Size, "%dx%d", &s.Width, &s.Height); n != 2 || err != nil || s.Width < 16 || s.Height <= s.Width || s.Height > 4000 {
			return f, failure.Usagef("--size %s: give WIDTHxHEIGHT in pixels, upright, such as 480x600", x.Size)
		}
	}
	if f.Name != "flat" || x.KB < 0 {
		return f, failure.Usagef("--size and --kilobytes are for the format flat: others have fixed ones")
	}
	s.Bytes = x.KB << 10
	f.Sizes = []export.Size{s}
	return f, nil
}

// Portraits are the people of a place, each with the chosen photo, else the latest: those on the list, or
// without one all portraits of an account.
func (p Place) Portraits(ctx context.Context) (all []export.Person, err error) {
	v, s, err := p.scope(ctx)
	if err != nil {
		return nil, err
	}
	has, err := v.HasPeople(ctx, s)
	if err != nil {
		return nil, err
	}
	if !has && p.Account.Layout == layout.Portraits {
		for photo, err := range v.StreamPhotos(ctx, store.PhotoQuery{Account: p.Account.Name, Order: store.ByPerson}) {
			if err != nil {
				return nil, err
			}
			who, err := p.person(ctx, export.Person{ID: photo.Person}, photo)
			if err != nil {
				return nil, err
			}
			all = append(all, who)
		}
		return all, nil
	}
	subjects, err := p.list(ctx, store.SubjectQuery{Kind: store.Person})
	if err != nil {
		return nil, err
	}
	poses, err := v.Poses(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, x := range subjects {
		if x.Listed == store.MissingOnList {
			continue
		}
		who := export.Person{ID: x.ExternalID, First: x.First, Last: x.Last, Class: x.Class, Grade: x.Grade, Teacher: export.Extra(x.More, "teacher")}
		photos, err := v.PhotosOf(ctx, x, 1000)
		if err != nil {
			return nil, err
		}
		if photo, ok := Pose(photos, poses[x.ID]); ok {
			if who, err = p.person(ctx, who, photo); err != nil {
				return nil, err
			}
		}
		all = append(all, who)
	}
	return all, nil
}

// Pose is which of somebody's photos is exported: the chosen one if it is still one of them,
// else the latest; ok is false if there is none that can be.
func Pose(photos []store.Photo, chosen int64) (photo store.Photo, ok bool) {
	photos = slices.DeleteFunc(slices.Clone(photos), func(p store.Photo) bool { return !p.WithdrawnAt.IsZero() || p.Flawed() != nil })
	if len(photos) == 0 {
		return photo, false
	}
	if i := slices.IndexFunc(photos, func(p store.Photo) bool { return p.ID == chosen }); i >= 0 {
		return photos[i], true
	}
	return slices.MaxFunc(photos, func(a, b store.Photo) int {
		return cmp.Or(a.Taken.Clock.Compare(b.Taken.Clock), cmp.Compare(a.ID, b.ID))
	}), true
}

// person is somebody with a photo. Exports are made of renditions, because picdayd's
// confined children have made those: no stranger's JPEG is decoded here.
func (p Place) person(ctx context.Context, who export.Person, photo store.Photo) (export.Person, error) {
	if len(photo.Renditions) == 0 {
		return who, nil
	}
	crop, err := p.View.CropOf(ctx, photo)
	if err != nil {
		return who, err
	}
	if crop != nil {
		who.Anchor = &export.Anchor{Left: float64(crop.Left) / 100, Top: float64(crop.Top) / 100}
	}
	largest := photo.Renditions[0]
	who.Width, who.Height = largest.Width, largest.Height
	who.Read = func(ctx context.Context, s export.Size) ([]byte, error) {
		r := largest
		for _, smaller := range photo.Renditions[1:] { // the largest first
			if export.Fits(smaller.Width, smaller.Height, s) {
				r = smaller
			}
		}
		var b bytes.Buffer
		err := p.Files.Read(ctx, pictures.File{Name: pictures.Rendition(photo.SHA, r.Spec), Picture: photo.SHA, Bytes: r.Bytes, Hash: r.Hash, Spec: r.Spec}, &b)
		return b.Bytes(), err
	}
	return who, nil
}

// A target is where an export's files go.
type target interface {
	export.Output
	made() []string
}

func (x Export) output(f export.Format) (target, error) {
	if f.Name == "pspi" {
		if x.To == "" {
			return nil, failure.Usagef("say with -o in which directory the volume is to be")
		}
		return &folder{dir: x.To}, nil
	}
	if !strings.HasSuffix(x.To, ".zip") {
		return nil, failure.Usagef("-o %s: give a file that ends in .zip", x.To)
	}
	return &zipFiles{stem: strings.TrimSuffix(x.To, ".zip")}, nil
}

// A folder takes the files of a volume. The volume must not be there: what an earlier
// export left in it would be mixed with this one.
type folder struct {
	dir, volume string
}

func (f *folder) made() []string { return []string{filepath.Join(f.dir, f.volume)} }

func (f *folder) Create(name string) (io.WriteCloser, error) {
	if f.volume == "" {
		f.volume, _, _ = strings.Cut(name, "/")
		if _, err := os.Lstat(filepath.Join(f.dir, f.volume)); err == nil {
			return nil, failure.Refusalf("%s is there already: remove it, or give another directory with -o", filepath.Join(f.dir, f.volume))
		}
	}
	to := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// zipFiles are NAME.zip, NAME-2.zip and so on. Each appears when it is whole.
type zipFiles struct {
	stem  string
	names []string
}

func (z *zipFiles) made() []string { return z.names }

func (z *zipFiles) Create(name string) (io.WriteCloser, error) {
	to := z.stem + "-" + name
	if name == "1.zip" {
		to = z.stem + ".zip"
	}
	z.names = append(z.names, to)
	f, err := durable.Temp(filepath.Dir(to))
	return &wholeFile{f, to}, err
}

type wholeFile struct {
	*os.File
	name string
}

func (f *wholeFile) Close() error { return durable.Commit(f.File, f.name, 0o600) }

// Discard removes what was written.
func (f *wholeFile) Discard() { durable.Discard(f.File) }
