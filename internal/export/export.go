// Package export writes the pictures of people in the forms in which yearbook programs,
// student systems and tills take them: one picture of each, cut and sized as the target
// wants it. The same pictures give the same bytes.
package export

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// A Person is somebody with a picture.
type Person struct {
	ID, First, Last       string
	Class, Grade, Teacher string
	Width, Height         int     // of the picture, upright
	Anchor                *Anchor // how this one is cut, whatever is said of all
	// Read returns the picture as a JPEG that is large enough for a size, if there is one.
	Read func(ctx context.Context, s Size) ([]byte, error)
}

// Name is what people call the person, for sentences.
func (p Person) Name() string {
	name := strings.TrimSpace(p.First + " " + p.Last)
	if name == "" || p.ID == "" {
		return name + p.ID
	}
	return name + " (" + p.ID + ")"
}

// An Anchor is where a picture is cut: the parts of what is cut off its width that are on the
// left, and of the height above, 0 to 1.
type Anchor struct{ Left, Top float64 }

// A Size is that of an exported picture in pixels, and the limit of its bytes; 0 = none.
type Size struct{ Width, Height, Bytes int }

// A Format is what a target wants.
type Format struct {
	Name     string
	Sizes    []Size
	ZipBytes int64 // of one zip
	needName bool  // a last name, and no ID
	write    func(ctx context.Context, x *run) error
}

// Formats are the targets.
var Formats = []Format{
	{"pspi", []Size{{640, 800, 0}, {320, 400, 0}}, 0, true, writePSPI},
	{"powerschool", []Size{{200, 300, 0}}, 100 << 20, false, writePowerSchool},
	{"infinite-campus", []Size{{350, 526, 3 << 20}}, 100 << 20, false, writeFlat},
	{"destiny", []Size{{240, 320, 20 << 10}}, 500 << 20, false, writeDestiny},
	{"flat", []Size{{480, 600, 0}}, 100 << 20, false, writeFlat},
}

// Names are the names of the formats.
func Names() (all []string) {
	for _, f := range Formats {
		all = append(all, f.Name)
	}
	return all
}

// Find finds a format by its name.
func Find(name string) (Format, error) {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, fmt.Errorf("there is no format %q: use %s", name, strings.Join(Names(), ", "))
	}
	return Formats[i], nil
}

// Folder tells whether the format is a folder with files, and no zips.
func (f Format) Folder() bool { return f.ZipBytes == 0 }

// Several tells whether the pictures of so many people may need several zips. A byte for
// each pixel is more than photos of people have.
func (f Format) Several(people int) bool {
	s := f.Sizes[0]
	each := s.Width * s.Height
	if s.Bytes > 0 {
		each = min(each, s.Bytes)
	}
	return !f.Folder() && int64(people)*int64(each+overhead) > f.ZipBytes
}

// A LeftOut is somebody of whom nothing is exported.
type LeftOut struct{ Name, Why string }

func (l LeftOut) String() string { return l.Name + ": " + l.Why }

var fileName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$`)

// Check parts those who can be exported from those who cannot.
func (f Format) Check(all []Person) (good []Person, out []LeftOut) {
	names := map[string]string{}
	largest := f.Sizes[0]
	for _, p := range all {
		why := ""
		lower := strings.ToLower(p.ID)
		switch {
		case p.Read == nil:
			why = "there is no photo"
		case p.Width >= p.Height && p.Anchor == nil:
			why = "the photo is not upright: cut it by hand"
		case !Fits(p.Width, p.Height, largest):
			why = fmt.Sprintf("the photo is kept with %d×%d pixels, too few for %d×%d", p.Width, p.Height, largest.Width, largest.Height)
		case f.needName && p.Last == "" && p.First == "":
			why = "there is no name"
		case !f.needName && p.ID == "":
			why = "there is no ID"
		case !f.needName && !fileName.MatchString(p.ID):
			why = "the ID cannot be the name of a file"
		case !f.needName && names[lower] != "":
			why = "but for capitals, " + names[lower] + " has the same ID"
		}
		if why != "" {
			out = append(out, LeftOut{p.Name(), why})
			continue
		}
		names[lower] = p.Name()
		good = append(good, p)
	}
	return good, out
}

// Fits tells whether a picture has the pixels for a size.
func Fits(width, height int, s Size) bool {
	c := cropOf(width, height, s, Anchor{})
	return c.Dx() >= s.Width && c.Dy() >= s.Height
}

// An Options says how pictures are cut, and where they go.
type Options struct {
	Title string  // of a volume
	Top   float64 // the part of what is cut off the height that is cut off above: 0 to 1
	Out   Output
}

// Output is where the files of an export go.
type Output interface {
	// Create makes a file, by its path with slashes. It is there when it is closed.
	Create(name string) (io.WriteCloser, error)
}

// A run is an export while it runs.
type run struct {
	Options
	Format
	people []Person
}

// Run exports those who can be, see Check.
func (f Format) Run(ctx context.Context, people []Person, o Options) error {
	if len(people) == 0 {
		return fmt.Errorf("there is nobody to export")
	}
	return f.write(ctx, &run{o, f, people})
}

// each makes the pictures of everybody in every size, several at a time, and gives them to
// take in the order of the people.
func (x *run) each(ctx context.Context, take func(i int, pictures [][]byte) error) error {
	type made struct {
		pictures [][]byte
		err      error
	}
	g, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	queue := make(chan chan made, 2*workers)
	slots := make(chan struct{}, workers)
	g.Go(func() error {
		defer close(queue)
		for _, p := range x.people {
			done := make(chan made, 1)
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			go func() {
				defer func() { <-slots }()
				pictures, err := x.pictures(ctx, p)
				done <- made{pictures, err}
			}()
			select {
			case queue <- done:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	g.Go(func() error {
		i := 0
		for done := range queue {
			m := <-done
			if m.err != nil {
				return fmt.Errorf("%s: %w", x.people[i].Name(), m.err)
			}
			if err := take(i, m.pictures); err != nil {
				return err
			}
			i++
		}
		return ctx.Err()
	})
	return g.Wait()
}

// Extra are the names of Person's fields among further columns of a list.
func Extra(more map[string]string, names ...string) string {
	for _, k := range slices.Sorted(maps.Keys(more)) {
		for _, n := range names {
			if strings.EqualFold(k, n) {
				return more[k]
			}
		}
	}
	return ""
}
