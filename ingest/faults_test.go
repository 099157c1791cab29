//go:build linux && amd64

package ingest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"picday/internal/rendition"
	"picday/internal/test/faults"
	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
	"picday/store/backup"
	"picday/store/pictures"
)

// A faulty is a bed on which one call fails.
type faulty struct {
	*bed
	n         int    // so that each round has a picture of its own
	path, sha string // the file of this round, and the picture that it has
	file      upload.File
	old       *store.Photo
	backups   string
}

// An operation is tried while one call fails, and again while none does.
type operation struct {
	prepare func(*faulty)
	try     func(*faulty) error
	// between says what is wrong after a try that has failed; done, after one that has not.
	between, done func(*faulty) string
}

var operations = map[string]operation{
	"publish": {
		prepare: func(w *faulty) { w.upload() },
		try:     func(w *faulty) error { return w.trySettle() },
		between: func(w *faulty) string { return w.shows("", w.sha) },
		done:    func(w *faulty) string { return w.shows(w.sha) },
	},
	"overwrite": {
		prepare: func(w *faulty) { w.uploaded(); w.upload() },
		try:     func(w *faulty) error { return w.trySettle() },
		between: func(w *faulty) string { return w.shows(w.old.SHA.String(), w.sha) },
		done:    func(w *faulty) string { return w.shows(w.sha) },
	},
	"move": {
		prepare: func(w *faulty) { w.uploaded(); w.rename() },
		try:     func(w *faulty) error { return w.trySettle() },
		between: func(w *faulty) string { return w.shows("", w.sha) },
		done:    func(w *faulty) string { return w.shows(w.sha) + w.sameLink() },
	},
	"withdraw": {
		prepare: func(w *faulty) { w.uploaded(); w.must(os.Remove(w.at(w.path))) },
		try:     func(w *faulty) error { return w.tryWithdraw() },
		between: func(w *faulty) string { return w.shows("", w.sha) },
		done:    func(w *faulty) string { return w.shows("") },
	},
	"restore": {
		prepare: func(w *faulty) {
			w.uploaded()
			w.must(os.Remove(w.at(w.path)))
			w.must(w.tryWithdraw())
			w.upload()
		},
		try:     func(w *faulty) error { return w.trySettle() },
		between: func(w *faulty) string { return w.shows("", w.sha) },
		done:    func(w *faulty) string { return w.shows(w.sha) + w.sameLink() },
	},
	"put back": {
		prepare: func(w *faulty) {
			w.uploaded()
			w.must(w.Store.Update(w.Context(), func(tx *store.Tx) error { return tx.WithdrawBy(w.old.ID, "eva") }))
		},
		try: func(w *faulty) error {
			return w.Store.Update(w.Context(), func(tx *store.Tx) error { return tx.RestoreBy(w.old.ID, "eva") })
		},
		between: func(w *faulty) string { return w.shows("", w.sha) },
		done:    func(w *faulty) string { return w.shows(w.sha) + w.sameLink() },
	},
	"expire": {
		prepare: func(w *faulty) { w.uploaded(); w.must(os.Remove(w.at(w.path))); w.must(w.tryWithdraw()) },
		try: func(w *faulty) error {
			return w.Store.Update(w.Context(), func(tx *store.Tx) error {
				_, _, err := tx.Expire(-1, store.SweepPosition{}, 100)
				if err == nil {
					_, err = tx.Collect(100)
				}
				return err
			})
		},
		between: func(w *faulty) string { return w.shows("") },
		done:    func(w *faulty) string { return w.shows("") },
	},
	"rederive": {
		prepare: func(w *faulty) {
			w.uploaded()
			w.Config.Images.Renditions = []rendition.Spec{{Name: "large", Longest: 300, Quality: 85}}
		},
		try:     func(w *faulty) error { return w.rederive(w.Context(), w.old.SHA) },
		between: func(w *faulty) string { return w.shows(w.sha) },
		done: func(w *faulty) string {
			if p := w.photo(w.path); len(p.Renditions) != 1 || p.Renditions[0].Longest != 300 {
				return fmt.Sprintf("has the renditions %+v", p.Renditions)
			}
			return w.shows(w.sha)
		},
	},
	"backup": {
		prepare: func(w *faulty) { w.uploaded() },
		try: func(w *faulty) error {
			b := &backup.Backup{Store: w.Store, Dir: w.backups}
			if err := b.Begin(); err != nil {
				return err
			}
			defer b.End()
			m, err := b.Take(w.Context(), "test")
			if err == nil && len(m.Lost) > 0 {
				err = fmt.Errorf("it lacks %v", m.Lost) // as the command says
			}
			return err
		},
		between: func(w *faulty) string { return w.wholeBackup(false) },
		done:    func(w *faulty) string { return w.wholeBackup(true) },
	},
}

// Each call on a file that picday makes while it publishes, overwrites, moves, withdraws,
// restores, expires, makes renditions anew or backs up fails once, SQLite's too: not done,
// done and said to have failed, half written, and on a full disk. What was published stays
// so, nothing half is, it is no problem of the upload, and the next try succeeds.
// PICDAY_TORTURE=1 tries every call, otherwise two or three of each.
func TestEveryCallFailsOnce(t *testing.T) {
	if dir := os.Getenv("PICDAY_FAULTS_DATA"); dir != "" {
		if err := faults.Start(dir); err != nil {
			t.Skip(err)
		}
		failEveryCall(t)
		return
	}
	// In a process of its own, because what Start does cannot be undone.
	dir := memory(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEveryCallFailsOnce$", "-test.v", "-test.timeout=60m")
	cmd.Env = append(os.Environ(), "PICDAY_FAULTS_DATA="+dir, "TMPDIR="+dir, "MALLOC_ARENA_MAX=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func failEveryCall(t *testing.T) {
	w := newFaulty(t)
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		for mode := range faults.Modes {
			calls, tried := w.count(operations[name], mode), 0
			step := 1 + calls/300 // a backup makes many alike
			if os.Getenv("PICDAY_TORTURE") == "" {
				step = max(1, calls/2)
			}
			for n := w.n % step; n < calls; n += step {
				tried++
				wrong := w.fail(operations[name], mode, n)
				if wrong != "" {
					t.Errorf("%s: call %d: %s", name, n, wrong)
				}
				if wrong != "" || tried%50 == 0 { // what is looked at afterwards grows
					w.must(w.Store.Close())
					w = newFaulty(t)
				}
			}
			t.Logf("%s, %s: %d of %d calls", name, mode, tried, calls)
		}
		w.sound()
	}
}

// begin prepares the next round.
func (w *faulty) begin(op operation) {
	w.n++
	w.path = fmt.Sprintf("acme/job1/x/%d.jpg", w.n)
	w.Config = w.cfg
	op.prepare(w)
}

// count returns how many calls an operation makes.
func (w *faulty) count(op operation, mode faults.Mode) int {
	w.Helper()
	w.begin(op)
	faults.Begin(mode, -1)
	err := op.try(w)
	calls, _ := faults.End()
	w.must(err)
	if wrong := op.done(w); wrong != "" {
		w.Fatal(wrong)
	}
	return calls
}

// fail tries an operation while one call fails, and says what is wrong then.
func (w *faulty) fail(op operation, mode faults.Mode, n int) string {
	w.Helper()
	w.begin(op)
	faults.Begin(mode, n)
	err := op.try(w)
	_, call := faults.End()
	if call == "" && err == nil {
		return "" // it made fewer calls this time
	}
	about := fmt.Sprintf("%s, %s: ", mode, call)
	if err != nil {
		if wrong := op.between(w); wrong != "" {
			return fmt.Sprintf("%s (it says: %v) %s", about, err, wrong)
		}
	} else if wrong := op.done(w); wrong != "" {
		return about + "not noticed: " + wrong
	}
	if reason := w.reason(w.path); reason != "" {
		return about + "a problem of the upload: " + string(reason)
	}
	if err := op.try(w); err != nil {
		return fmt.Sprintf("%s tried again: %v", about, err)
	}
	if wrong := op.done(w); wrong != "" {
		return about + "tried again: " + wrong
	}
	return ""
}

func newFaulty(t *testing.T) *faulty {
	w := &faulty{bed: newBed(t), backups: filepath.Join(memory(t), "backup")}
	w.restart()
	go func() { _ = w.Writer.Run(t.Context()) }()
	return w
}

func (w *faulty) upload() {
	w.Helper()
	data := testphoto.Tiny(w.n)
	if w.old != nil && w.photo(w.path) != nil {
		data = testphoto.Tiny(1_000_000 + w.n)
	}
	w.write(w.path, data)
	w.file = w.bed.file(w.path)
	w.sha = fmt.Sprintf("%x", sha256.Sum256(data))
}

func (w *faulty) uploaded() {
	w.Helper()
	w.upload()
	w.must(w.trySettle())
	w.old = w.photo(w.path)
}

func (w *faulty) rename() {
	w.Helper()
	from := w.path
	w.path += "moved.jpg"
	w.must(os.Rename(w.at(from), w.at(w.path)))
	w.file = w.bed.file(w.path)
}

// trySettle does with one file what Run does.
func (w *faulty) trySettle() error {
	f := w.file
	v, ok := w.withoutReading(w.Context(), f)
	if !ok {
		v = w.take(w.Context(), f)
	}
	if v.release != nil {
		defer v.release()
	}
	if v.apply != nil {
		if err := w.Store.Files().Sync(v.files...); err != nil {
			return err
		}
		return w.Store.Update(w.Context(), v.apply)
	}
	if v.again {
		return errors.New(v.why)
	}
	return nil
}

func (w *faulty) tryWithdraw() error {
	account, rest, _ := cut(w.path)
	a, _ := w.account(account)
	return w.Store.Update(w.Context(), func(tx *store.Tx) error {
		return w.withDisk(nil, func(d store.Disk) error {
			if _, _, err := tx.Missing(a.Account, rest, "", 1000, d); err != nil {
				return err
			}
			_, _, err := tx.Withdraw(-1, store.SweepPosition{}, 100, d)
			return err
		})
	})
}

// shows says what is wrong if the path shows none of these pictures, whole; "" = it may
// show none.
func (w *faulty) shows(shas ...string) string {
	p := w.photo(w.path)
	if p == nil {
		if slices.Contains(shas, "") {
			return ""
		}
		return "nothing is published"
	}
	if !slices.Contains(shas, p.SHA.String()) {
		return fmt.Sprintf("%.12s is published", p.SHA)
	}
	return w.whole(w.Store, p.SHA)
}

// whole says which file of a picture is not as the catalogue says.
func (w *faulty) whole(s *store.Store, sha store.SHA) (wrong string) {
	o, found, err := s.Original(w.Context(), sha)
	if w.must(err); !found {
		return "its picture is not in the catalogue"
	}
	for _, f := range o.Files() {
		if err := s.Files().Read(w.Context(), f, io.Discard); err != nil {
			wrong += fmt.Sprintf("%s: %v; ", f.Name, err)
		}
	}
	return wrong
}

func (w *faulty) sameLink() string {
	if p := w.photo(w.path); p == nil || p.Link != w.old.Link {
		return "its link is another one"
	}
	return ""
}

// wholeBackup says what is wrong with the last backup, which must have this round's photo if
// all is set.
func (w *faulty) wholeBackup(all bool) (wrong string) {
	m, err := backup.ReadManifest(w.Context(), w.backups)
	if err != nil {
		if !all && errors.Is(err, backup.ErrNotBackup) {
			return "" // there is none yet
		}
		return err.Error()
	}
	snap, err := backup.OpenCatalogue(w.Context(), w.backups, m)
	if err != nil {
		return err.Error()
	}
	defer snap.Close()
	for o, err := range snap.Pictures(w.Context()) {
		w.must(err)
		if all || !slices.ContainsFunc(o.Files(), func(f pictures.File) bool { return slices.Contains(m.Lost, string(f.Name)) }) {
			wrong += w.whole(snap, o.SHA)
		}
	}
	if all {
		wrong += w.whole(snap, w.old.SHA)
	}
	return wrong
}

// sound checks catalogue and files as verify does, after a restart.
func (w *faulty) sound() {
	w.Helper()
	w.must(w.Store.QuickCheck(w.Context()))
	w.must(w.Store.Files().ClearTemp())
	expected, known := map[string]bool{}, map[string]bool{}
	for o, err := range w.Store.Pictures(w.Context()) {
		w.must(err)
		if wrong := w.whole(w.Store, o.SHA); wrong != "" {
			w.Error(wrong)
		}
		known[o.SHA.String()] = true
		for _, f := range o.Files() {
			expected[w.Store.Files().Path(f.Name)] = true
		}
	}
	for _, dir := range []string{"originals", "renditions"} {
		for name := range w.kept(dir) {
			// An old rendition whose deletion has failed is left over, as the log says.
			stem, _, isRendition := strings.Cut(filepath.Base(name), "-")
			if !expected[name] && !(isRendition && known[stem]) {
				w.Errorf("nothing points to %s", name)
			}
		}
	}
}
