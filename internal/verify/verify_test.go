package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/control"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/internal/test/uploads"
	"picday/internal/trees"
	"picday/store"
	"picday/store/pictures"
)

const photo = "acme/job1/A/x.jpg"

// newSite has a photo and a problem.
func newSite(t *testing.T) *uploads.Site {
	t.Helper()
	s := uploads.New(t)
	s.Write(photo, picture(t, 1))
	s.Publish(photo)
	s.Write("acme/job1/lost.jpg", "lost")
	s.Problem("acme/job1/lost.jpg", layout.NoAlbum, 0)
	s.Write("acme/job1/A/.DS_Store", "noise")
	return s
}

// picture is a JPEG of the size that uploads.Site enters.
func picture(t *testing.T, shade uint8) string {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 600, 400))
	img.SetGray(0, 0, color.Gray{Y: shade})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.String() + string(shade) // what is behind the end makes it another file
}

func options(s *uploads.Site, rescan error) Options {
	return Options{
		Store: s.Store, DataDir: s.DataDir, UploadDir: s.UploadDir, Volumes: s.Volumes,
		Rescan: func(context.Context) error { return rescan },
	}
}

func run(t *testing.T, o Options) (*Verification, Report) {
	t.Helper()
	var told []Finding
	o.Found = func(f Finding) { told = append(told, f) }
	v := New(o)
	r, err := v.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, r.Findings) {
		t.Errorf("told %+v, reported %+v", told, r.Findings)
	}
	return v, r
}

// short lists what was found, without the messages.
func short(r Report) string {
	all := []string{}
	for _, f := range r.Findings {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d %s %s", f.What, f.Account, f.Path)))
	}
	return strings.Join(all, ", ")
}

func TestAllIsWell(t *testing.T) {
	s := newSite(t)
	o := options(s, errors.New("nobody needs to be asked"))
	var done, total int
	o.Progress = func(d, of int) { done, total = d, of }
	_, r := run(t, o)
	if r.Originals != 1 || r.Renditions != 1 || r.Uploads != 2 || r.Waiting != 0 || r.Bytes == 0 || len(r.Findings) != 0 {
		t.Errorf("%+v", r)
	}
	if done != 1 || total != 1 {
		t.Errorf("progress: %d of %d", done, total)
	}
}

// Every difference between the upload volume and the catalogue.
func TestUploads(t *testing.T) {
	move := func(s *uploads.Site, from, to string) {
		s.Must(os.MkdirAll(s.Trees.ActiveBase("acme"), 0o700))
		s.Must(trees.Move(from, to))
	}
	stopped := control.ErrNotRunning
	for _, c := range []struct {
		name    string
		change  func(*uploads.Site, *Options)
		rescan  error
		want    string
		waiting int
	}{
		{"a new file", func(s *uploads.Site, _ *Options) { s.Write("acme/job1/A/new.jpg", "new") }, nil, fmt.Sprint(NotTaken, " acme job1/A/new.jpg"), 0},
		{"an overwritten file", func(s *uploads.Site, _ *Options) { s.Write(photo, "another") }, nil, fmt.Sprint(NotTaken, " acme job1/A/x.jpg"), 0},
		{"a link", func(s *uploads.Site, _ *Options) { s.Must(os.Symlink("x.jpg", s.At("acme/job1/A/link.jpg"))) }, nil, fmt.Sprint(NotTaken, " acme job1/A/link.jpg"), 0},
		{"a new file, and no daemon", func(s *uploads.Site, _ *Options) { s.Write("acme/job1/A/new.jpg", "new") }, stopped, "", 1},
		{"a file that has just changed", func(s *uploads.Site, o *Options) {
			s.Write("acme/job1/A/new.jpg", "new")
			o.Settle = time.Hour
		}, nil, "", 1},
		{"a file that somebody writes", func(s *uploads.Site, _ *Options) {
			s.Write("acme/job1/A/new.jpg", "half")
			f, err := os.OpenFile(s.At("acme/job1/A/new.jpg"), os.O_WRONLY, 0)
			s.Must(err)
			s.Cleanup(func() { f.Close() })
		}, nil, "", 1},
		{"a file that the daemon takes when it is asked", func(s *uploads.Site, o *Options) {
			s.Write("acme/job1/A/new.jpg", picture(t, 2))
			o.Rescan = func(context.Context) error { s.Publish("acme/job1/A/new.jpg"); return nil }
		}, nil, "", 0},
		{"a deleted file", func(s *uploads.Site, _ *Options) { s.Remove("acme/job1/lost.jpg") }, nil, fmt.Sprint(FileGone, " acme job1/lost.jpg"), 0},
		{"a deleted file, and no daemon", func(s *uploads.Site, _ *Options) { s.Remove("acme/job1/lost.jpg") }, stopped, fmt.Sprint(FileGoneWhileStopped, " acme job1/lost.jpg"), 0},
		{"a folder in the place of a file", func(s *uploads.Site, _ *Options) {
			s.Remove("acme/job1/lost.jpg")
			s.Must(os.Mkdir(s.At("acme/job1/lost.jpg"), 0o755))
		}, nil, fmt.Sprint(FileGone, " acme job1/lost.jpg"), 0},
		{"an album that was renamed", func(s *uploads.Site, _ *Options) { s.Must(os.Rename(s.At("acme/job1/A"), s.At("acme/job1/.A"))) }, nil, fmt.Sprint(FileGone, " acme job1/A/x.jpg"), 0},
		{"a job's folder is gone", func(s *uploads.Site, _ *Options) { s.Must(os.Rename(s.At("acme/job1"), s.At("away"))) }, nil, fmt.Sprint(FolderGone, " acme job1"), 0},
		{"an active job", func(s *uploads.Site, _ *Options) {
			move(s, s.Trees.Job("acme", "job1"), s.Trees.ActiveJob("acme", "job1"))
			s.SetJobState("job1", store.Active)
		}, nil, "", 0},
		{"a file in an active job", func(s *uploads.Site, _ *Options) {
			s.Write("acme/job1/A/new.jpg", "new")
			move(s, s.Trees.Job("acme", "job1"), s.Trees.ActiveJob("acme", "job1"))
			s.SetJobState("job1", store.Active)
		}, nil, fmt.Sprint(NotLookedAt, " acme job1/A/new.jpg"), 0},
		{"a file in a removed account", func(s *uploads.Site, _ *Options) {
			s.Write("acme/job1/A/new.jpg", "new")
			s.Update(func(tx *store.Tx) error { return tx.RemoveAccount(s.Acme, false) })
		}, nil, fmt.Sprint(NotLookedAt, " acme job1/A/new.jpg"), 0},
		{"another volume", func(s *uploads.Site, _ *Options) { s.Must(os.Remove(s.At(store.MarkerFile))) }, nil, fmt.Sprint(WrongVolume), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			o := options(s, c.rescan)
			c.change(s, &o)
			_, r := run(t, o)
			if got := short(r); got != c.want || r.Waiting != c.waiting {
				t.Errorf("found %q, %d waiting, want %q, %d\n%+v", got, r.Waiting, c.want, c.waiting, r)
			}
		})
	}
}

func TestARescanThatFailsEndsTheRun(t *testing.T) {
	s := newSite(t)
	s.Remove(photo)
	failed := errors.New("the daemon does not answer")
	if _, err := New(options(s, failed)).Run(t.Context()); !errors.Is(err, failed) {
		t.Error(err)
	}
}

// Damaged files are told apart by what can be done about them, and Repair does what
// can be done.
func TestPicturesAndRepair(t *testing.T) {
	for _, c := range []struct {
		name    string
		damage  func(s *uploads.Site, original, small, stray string)
		want    []What
		removed int
		remade  int
	}{
		{"nothing", func(*uploads.Site, string, string, string) {}, nil, 0, 0},
		{"a rendition with other bytes", func(s *uploads.Site, _, small, _ string) { overwrite(s, small) }, []What{DamagedRendition}, 0, 1},
		{"a rendition that is missing", func(s *uploads.Site, _, small, _ string) { s.Must(os.Remove(small)) }, []What{DamagedRendition}, 0, 1},
		{"an original with other bytes", func(s *uploads.Site, original, _, _ string) { overwrite(s, original) }, []What{DamagedOriginal}, 0, 0},
		{"both", func(s *uploads.Site, original, small, _ string) { s.Must(os.Remove(original)); overwrite(s, small) }, []What{DamagedOriginal, UnrepairableRendition}, 0, 0},
		{"a file that nothing points to", func(s *uploads.Site, _, _, stray string) {
			s.Must(os.WriteFile(stray, []byte("stray"), 0o644))
			old(s, stray)
		}, []What{Orphan}, 1, 0},
		{"a file whose row is about to be written", func(s *uploads.Site, _, _, stray string) { s.Must(os.WriteFile(stray, []byte("stray"), 0o644)) }, nil, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			sha, spec := s.Photo(photo).SHA, rendition.Spec{Name: "large", Longest: 1600, Quality: 85}
			other := sha
			other[31]++ // in the same directory
			original, small := s.Store.Files().Path(pictures.Original(sha)), s.Store.Files().Path(pictures.Rendition(sha, spec))
			c.damage(s, original, small, s.Store.Files().Path(pictures.Original(other)))
			v, r := run(t, options(s, nil))
			var got []What
			for _, f := range r.Findings {
				got = append(got, f.What)
				if f.What != Orphan && (f.Account != "acme" || f.Path != "job1/A/x.jpg" || f.Stored == "" || f.File != s.Store.Files().Path(pictures.Name(f.Stored))) {
					t.Errorf("%+v", f)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %+v", r.Findings)
			}
			r, err := v.Repair(t.Context())
			if err != nil || r.Removed != c.removed || r.Remade != c.remade || r.Repaired() != c.removed+c.remade {
				t.Errorf("%+v, %v", r, err)
			}
			if p := s.Photo(photo); p.ID == 0 {
				t.Error("the photo is not published any more")
			}
			_, r = run(t, options(s, nil))
			if n := len(c.want) - c.removed - c.remade; len(r.Findings) != n {
				t.Errorf("after the repair: %+v", r.Findings)
			}
		})
	}
}

// While the daemon runs, nothing is deleted.
func TestNoRepairWhileTheDaemonRuns(t *testing.T) {
	s := newSite(t)
	stray := s.Store.Files().Path(pictures.Original(store.SHA{1}))
	s.Must(os.MkdirAll(filepath.Dir(stray), 0o755))
	s.Must(os.WriteFile(stray, []byte("stray"), 0o644))
	old(s, stray)
	v, _ := run(t, options(s, nil))
	unlock, err := store.LockDataDir(s.DataDir)
	s.Must(err)
	if err := v.CheckStopped(); !failure.IsRefusal(err) {
		t.Error(err)
	}
	if r, err := v.Repair(t.Context()); !failure.IsRefusal(err) || r.Repaired() != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	unlock()
	s.Must(v.CheckStopped())
	if r, err := v.Repair(t.Context()); err != nil || r.Removed != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func overwrite(s *uploads.Site, file string) {
	s.Must(os.Remove(file))
	s.Must(os.WriteFile(file, []byte("damaged"), 0o644))
}

func old(s *uploads.Site, file string) {
	long := time.Now().Add(-48 * time.Hour)
	s.Must(os.Chtimes(file, long, long))
}

// A photo that no upload row stands for cannot be withdrawn by deleting the file.
func TestPhotoWithoutFile(t *testing.T) {
	s := newSite(t)
	u, found, err := s.Store.UploadAt(t.Context(), s.Acme.ID, "job1/A/x.jpg")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	s.Update(func(tx *store.Tx) error { return tx.Forget(u) })
	_, r := run(t, options(s, control.ErrNotRunning))
	if got := short(r); got != fmt.Sprint(PhotoWithoutFile, " acme job1/A/x.jpg") || r.Waiting != 1 {
		t.Errorf("%s, %+v", got, r)
	}
}

// Each kind of finding has its word in the JSON.
func TestKinds(t *testing.T) {
	for w := UnsoundCatalogue; w <= Orphan; w++ {
		if w.Kind() == "" {
			t.Errorf("%d has no word", w)
		}
	}
}

func TestReadingNoFasterThanAsked(t *testing.T) {
	v := New(Options{Rate: 1}) // a megabyte in a second, after the first
	begun := time.Now()
	for range 2 {
		if _, err := (throttled{t.Context(), v.limit}).Write(make([]byte, burst)); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); took < time.Second {
		t.Errorf("it took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (throttled{ctx, v.limit}).Write(make([]byte, burst)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
