package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/internal/upload"
)

// A world is an upload volume in memory, with inodes, and a real catalogue. settle and
// expire make the calls that the daemon would make.
type world struct {
	*testing.T
	s    *Store
	acct Account
	rng  *rand.Rand

	files   map[string]*inode // by path
	free    []uint64          // inode numbers to use again at once, as ext4 does
	next    uint64
	clock   int64
	unknown map[string]bool // paths at and below which the disk cannot tell anything
	linked  map[string]bool // inodes that had two names at once, by volume and number
	sure    error
	looks   int
	log     []string                   // the changes, printed when a test fails
	told    map[string]upload.Identity // the files that were processed, by path
	orphans bool                       // photos without files are expected, as after a restore
	ahead   time.Duration              // how far the daemon's clock is ahead
	decode  func(string, *Original)    // adds what a decoder finds in a content; may be nil
}

type inode struct {
	upload.Identity
	content string // "" and "broken…" cannot become a photo
	names   int
}

func newStore(t *testing.T) *Store {
	t.Helper()
	s, _, err := Create(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// bareStore makes a catalogue and a key, but not the 512 directories of pictures, which
// take longer than most tests.
func bareStore(t *testing.T) *Store {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "picday-store-") // in memory, if the machine has it
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	key, catalogue := filepath.Join(dir, LinkKeyFile), filepath.Join(dir, CatalogueFile)
	if err := errors.Join(os.WriteFile(key, newLinkKey(), 0o400), os.WriteFile(catalogue, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newWorld(t *testing.T, kind layout.Kind) *world {
	w := &world{
		T: t, s: bareStore(t), rng: rand.New(rand.NewPCG(1, 2)), next: 100,
		files: map[string]*inode{}, unknown: map[string]bool{}, linked: map[string]bool{}, told: map[string]upload.Identity{},
	}
	_, err := w.s.write.Exec(`PRAGMA synchronous = OFF`) // speed
	w.must(err)
	w.tx(func(tx *Tx) (err error) {
		if w.acct, err = tx.AddAccount(Account{Name: "acme", Layout: kind}); err == nil && kind == layout.Jobs {
			err = errors.Join(tx.AddJob(w.acct, "job1"), tx.AddJob(w.acct, "job2"))
		}
		return err
	})
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) tx(fn func(*Tx) error) { w.Helper(); w.must(w.try(fn)) }

func (w *world) try(fn func(*Tx) error) error {
	return w.s.Update(context.Background(), func(tx *Tx) error {
		tx.now = tx.now.Add(w.ahead)
		return fn(tx)
	})
}

// These methods change the volume as an uploader can.

func (w *world) note(args ...any) { w.log = append(w.log, fmt.Sprint(args...)) }

func (w *world) tick() int64 { w.clock++; return w.clock }

func (w *world) put(p, content string) { // truncates and writes in place
	w.note("put ", p, " ", content)
	f := w.files[p]
	if f == nil {
		f = &inode{names: 1}
		f.Volume = 7
		if n := len(w.free); n > 0 {
			f.Ino, w.free = w.free[n-1], w.free[:n-1]
		} else {
			w.next++
			f.Ino = w.next
		}
		w.files[p] = f
	}
	f.content, f.Size, f.Ctime = content, int64(len(content)), w.tick()
}

func (w *world) rm(p string) {
	w.note("rm ", p)
	if f := w.files[p]; f != nil {
		delete(w.files, p)
		if f.names--; f.names == 0 {
			w.free = append(w.free, f.Ino)
		}
		f.Ctime = w.tick()
	}
}

func (w *world) mv(from, to string) {
	f := w.files[from]
	if f == nil || from == to {
		return
	}
	w.note("mv ", from, " ", to)
	w.rm(to)
	delete(w.files, from)
	w.files[to], f.Ctime = f, w.tick()
}

func (w *world) mvdir(from, to string) {
	for p, f := range maps.Clone(w.files) {
		if rest, ok := strings.CutPrefix(p, from+"/"); ok {
			delete(w.files, p)
			w.files[to+"/"+rest] = f
		}
	}
}

func (w *world) ln(from, to string) {
	if f := w.files[from]; f != nil {
		w.rm(to)
		w.files[to] = f
		f.names++
		w.linked[string(f.Bytes()[:16])] = true
		f.Ctime = w.tick()
	}
}

func (w *world) replace(p, content string) { // a temporary name, then a rename
	w.put(p+".tmp", content)
	w.mv(p+".tmp", p)
}

func (w *world) touch(p string) { w.files[p].Ctime = w.tick() }

// Look, Find and Verify make the world a Disk.

func (w *world) Look(_ context.Context, _, p string) (Presence, upload.Identity) {
	w.looks++
	for d := range w.unknown {
		if p == d || strings.HasPrefix(p, d+"/") {
			return Unknown, upload.Identity{}
		}
	}
	if f := w.files[p]; f != nil {
		return There, f.Identity
	}
	return Absent, upload.Identity{}
}

func (w *world) Find(_ context.Context, _, p string, id upload.Identity, sha SHA) (Presence, string) {
	job, _, _ := strings.Cut(p, "/")
	for at, f := range w.files {
		if at != p && strings.HasPrefix(at, job+"/") && f.SameInode(id) && shaOf(f.content) == sha {
			return There, at
		}
	}
	return Absent, ""
}

func (w *world) Verify(context.Context) error { return w.sure }

// These methods do what the daemon does.

func shaOf(content string) SHA { return sha256.Sum256([]byte(content)) }

func broken(content string) bool { return strings.HasPrefix(content, "broken") }

func (w *world) place(p string) Place {
	el := strings.Split(p, "/")
	pl := Place{Path: p, Shown: p}
	if w.acct.Layout == layout.Portraits {
		pl.Person = strings.TrimRight(path.Base(p), ".jpegJPG")
	} else {
		pl.Job, pl.Album, pl.Area = el[0], el[1], "individuals"
	}
	return pl
}

func (w *world) original(content string) Original {
	o := Original{
		SHA: shaOf(content), Bytes: int64(len(content)), Width: 800, Height: 600,
		Renditions: []Rendition{{Spec: rendition.Spec{Name: "large", Longest: 1600, Quality: 85}, Width: 800, Height: 600, Bytes: int64(len(content)) + 1}},
	}
	if w.decode != nil {
		w.decode(content, &o)
	}
	return o
}

// publish processes one settled file.
func (w *world) publish(p string) Outcome {
	w.Helper()
	f := w.files[p]
	if f == nil {
		w.Fatalf("no file %s", p)
	}
	w.told[p] = f.Identity
	var o Outcome
	defer func() { w.note("  settled ", p, " ", o) }()
	w.tx(func(tx *Tx) (err error) {
		if broken(f.content) {
			return tx.Problem(w.acct, w.place(p), f.Identity, layout.Incomplete, 0, w)
		}
		o, err = tx.Publish(Arrival{Account: w.acct, Place: w.place(p), Identity: f.Identity, Original: w.original(f.content)}, w)
		return err
	})
	return o
}

func (w *world) gone(p string) {
	w.Helper()
	w.note("  gone ", p)
	delete(w.told, p)
	w.tx(func(tx *Tx) error { _, _, err := tx.Missing(w.acct, p, "", 1000, w); return err })
	like := ""
	if w.acct.Layout == layout.Portraits {
		like = p
	}
	losers, err := w.s.Duplicates(w.Context(), w.acct, like)
	w.must(err)
	for _, u := range losers {
		w.tx(func(tx *Tx) error { return tx.Forget(u) })
		delete(w.told, u.Path)
	}
}

// settle processes missing, new and changed files in random order until there are none.
func (w *world) settle() {
	w.Helper()
	for range 20 {
		var todo []string
		for p, f := range w.files {
			if strings.HasPrefix(p, "out") || strings.HasSuffix(p, ".tmp") {
				continue
			}
			if u, ok, err := w.s.UploadAt(w.Context(), w.acct.ID, p); err != nil || !ok || u.Identity != f.Identity {
				w.must(err)
				todo = append(todo, p)
			}
		}
		known, err := column[string](w.Context(), w.s.read, `SELECT CASE WHEN dir = x'' THEN name ELSE dir || '/' || name END FROM upload WHERE gone_at IS NULL`)
		w.must(err)
		for _, p := range known {
			if w.files[p] == nil {
				todo = append(todo, p)
			}
		}
		if len(todo) == 0 {
			return
		}
		slices.Sort(todo)
		w.rng.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
		for _, p := range todo {
			if w.files[p] == nil {
				w.gone(p)
			} else {
				w.publish(p)
			}
			w.consistent()
		}
	}
	w.Fatal("never settles")
}

// expire ends every grace.
func (w *world) expire() {
	w.Helper()
	w.tx(func(tx *Tx) error {
		tx.now = tx.now.Add(time.Hour)
		_, _, err := tx.Withdraw(time.Minute, SweepPosition{}, 1000, w)
		return err
	})
	w.consistent()
}

func (w *world) photos(withdrawn bool) map[string]Photo {
	w.Helper()
	all := map[string]Photo{}
	show := ShowPublished
	if withdrawn {
		show = ShowWithdrawn
	}
	for p, err := range w.s.All().StreamPhotos(w.Context(), PhotoQuery{Show: show}) {
		w.must(err)
		all[p.Link] = p
	}
	return all
}

// link returns the link of the photo of the file at a path, "" if it has none.
func (w *world) link(p string) string {
	w.Helper()
	dir, name := splitPath(p)
	links, err := column[string](w.Context(), w.s.read, `SELECT link FROM photo WHERE id = (SELECT photo_id FROM upload
		WHERE dir = ? AND name = ? AND gone_at IS NULL)`, dir, name)
	w.must(err)
	return strings.Join(links, " ")
}

// shows returns which of the contents a link serves, "" for 404.
func (w *world) shows(link string, contents ...string) string {
	for _, c := range contents {
		if ph, ok := w.photos(false)[link]; ok && ph.SHA == shaOf(c) {
			return c
		}
	}
	return ""
}
