package receipts

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/language"
	"picday/internal/layout"
	"picday/internal/qr"
	"picday/internal/roster"
	"picday/internal/test/uploads"
	"picday/store"
	"picday/watcher"
)

// a bed is an upload volume with a Writer.
type bed struct {
	*uploads.Site
	*Writer
	waiting map[watcher.Tree]watcher.Backlog
	full    error
	now     time.Time
}

func newBed(t *testing.T) *bed {
	b := &bed{Site: uploads.New(t), now: time.Now()}
	b.restart(true)
	return b
}

// restart makes another Writer, as a new start of picdayd does.
func (b *bed) restart(enabled bool) {
	b.Writer = New(Options{
		Enabled: enabled, Store: b.Site.Store, Trees: b.Site.Trees,
		Volume:  func(ctx context.Context) error { return b.Site.Store.CheckVolume(ctx, b.UploadDir) },
		Room:    func() error { return b.full },
		Waiting: func() map[watcher.Tree]watcher.Backlog { return b.waiting },
		Log:     zerolog.New(zerolog.NewTestWriter(b.TB)),
	})
}

// written looks so much later that every receipt may be written again, and returns the
// report for people.
func (b *bed) written(path string) string {
	b.Helper()
	b.now = b.now.Add(time.Minute)
	b.Must(b.look(b.Context(), b.now))
	text, err := os.ReadFile(b.At(path + "/report.txt"))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	b.Must(err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// rows is the report for programs: what it says of each kind.
func (b *bed) rows(path string) map[string][][]string {
	b.Helper()
	f, err := os.Open(b.At(path + "/report.csv"))
	b.Must(err)
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	b.Must(err)
	by := map[string][][]string{}
	for _, row := range all[1:] {
		by[row[0]] = append(by[row[0]], row[1:])
	}
	return by
}

func (b *bed) number(path, what string) int {
	b.Helper()
	rows := b.rows(path)[what]
	if len(rows) == 0 {
		b.Fatalf("nothing is said of %s", what)
	}
	n, err := strconv.Atoi(rows[0][0])
	b.Must(err)
	return n
}

const job1 = "acme/_picday/job1"

// A receipt says what arrived, what became of it, and what is missing, in the language of the
// account; it is written again when that changes, and only then.
func TestAReceiptSaysWhatBecameOfAnUpload(t *testing.T) {
	b := newBed(t)
	if text := b.written(job1); !strings.Contains(text, "Files that arrived                            0") {
		t.Errorf("before anything came:\n%s", text)
	}
	b.Write("acme/job1/A/IMG_0001.jpg", "1")
	b.Publish("acme/job1/A/IMG_0001.jpg")
	b.Write("acme/job1/A/IMG_0004.jpg", "4")
	b.Publish("acme/job1/A/IMG_0004.jpg")
	b.Write("acme/job1/A/IMG_0004.jpg", "another one")
	b.Publish("acme/job1/A/IMG_0004.jpg")
	b.Must(os.Chtimes(b.At("acme/job1/A/IMG_0001.jpg"), b.now, b.now.Add(time.Hour)))
	b.Publish("acme/job1/A/IMG_0001.jpg")
	b.Write("acme/job1/A/IMG_0004.CR2", "raw")
	b.Companion("acme/job1/A/IMG_0004.CR2", "IMG_0004")
	b.Write("acme/job1/notes.png", "png")
	b.Problem("acme/job1/notes.png", layout.NotJPEG, 0)
	b.waiting = map[watcher.Tree]watcher.Backlog{{Account: "acme", Path: "job1"}: {Files: 2, Uploading: 1}}
	text := b.written(job1)
	for what, n := range map[string]int{"arrived": 6, "published": 2, "replaced": 1, "unchanged": 1, "aside": 1, "waiting": 2, "uploading": 1, "problems": 1} {
		if got := b.number(job1, what); got != n {
			t.Errorf("%s: %d, not %d", what, got, n)
		}
	}
	for _, words := range []string{"2 files are still on their way.", "1 file needs you", "job1/notes.png", "Did not come: IMG_0002–IMG_0003."} {
		if !strings.Contains(text, words) {
			t.Errorf("does not say %q:\n%s", words, text)
		}
	}
	if rows := b.rows(job1); rows["problem"][0][1] != "job1/notes.png" || rows["problem"][0][2] != "not-jpeg" || rows["gap"][0][0] != "2" {
		t.Errorf("%q", rows)
	}
	if b.number("acme/_picday/job2", "arrived") != 0 {
		t.Error("another job")
	}

	fi, err := os.Stat(b.At(job1 + "/report.txt"))
	b.Must(err)
	b.waiting = nil
	b.Update(func(tx *store.Tx) error { return tx.SetLanguage(b.Acme, language.German) })
	if text = b.written(job1); !strings.Contains(text, "1 Datei braucht Sie") || !strings.Contains(text, "anderes Format als JPEG") {
		t.Errorf("in German:\n%s", text)
	}
	second, err := os.Stat(b.At(job1 + "/report.txt"))
	b.Must(err)
	if os.SameFile(fi, second) {
		t.Error("written over the one that somebody may be reading")
	}
	b.written(job1)
	b.restart(true)
	b.written(job1)
	if third, err := os.Stat(b.At(job1 + "/report.txt")); err != nil || !os.SameFile(second, third) {
		t.Error("written again though nothing has changed:", err)
	}
	if left, _ := filepath.Glob(b.At(job1 + "/.*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	b.full = errors.New("full")
	if text = b.written(job1); !strings.Contains(text, "Platte voll") {
		t.Errorf("while the disk is full:\n%s", text)
	}
}

// Whoever reads a receipt finds what people have to decide: cards, photos of nobody, changes
// that wait, lists that wait, and who has no photo.
func TestAReceiptNamesPeople(t *testing.T) {
	b := newBed(t)
	var all []store.Photo
	for i := 1; i <= 5; i++ {
		path := fmt.Sprintf("acme/job1/A/IMG_000%d.jpg", i)
		b.Write(path, path)
		all = append(all, b.Publish(path))
	}
	job := b.Job("job1")
	file := store.RosterFile{Scope: store.Scope{AccountID: b.Acme.ID, JobID: job.ID}, File: "list.csv", Content: []byte("ID,Last name,First name,Class,Code\n0012,Meier,Anna,5b,K7Q2\n0013,Huber,Max,5b,ABCD\n0014,=Bader,Eva,5b,EFGH\n")}
	list, err := roster.Parse(file.Content)
	b.Must(err)
	b.Update(func(tx *store.Tx) error {
		if _, err := tx.TakeRoster(file, list, false); err != nil {
			return err
		}
		short, err := roster.Parse([]byte("ID,Last name\n0012,Meier\n"))
		if err != nil {
			return err
		}
		_, err = tx.HoldRoster(store.RosterFile{Scope: file.Scope, File: "short.csv", Content: []byte("x")}, must(roster.Compare(short, nil)))
		return errors.Join(err, tx.SetCodes(all[4].SHA, &qr.Found{Unread: true}), tx.SetCodes(all[1].SHA, &qr.Found{Codes: []qr.Code{{Text: "K7Q2"}}}))
	})
	group := func() {
		b.Update(func(tx *store.Tx) error {
			_, err := tx.Regroup(store.DueAlbum{JobID: job.ID, Album: "A"}, 100)
			return err
		})
	}
	group()
	text := b.written(job1)
	for _, words := range []string{"IMG_0005.jpg\n      There is a code on it", "IMG_0001.jpg\n      No card belongs to it.", "Max Huber (5b)", "short.csv waits"} {
		if !strings.Contains(text, words) {
			t.Errorf("does not say %q:\n%s", words, text)
		}
	}
	if b.number(job1, "cards") != 2 || b.number(job1, "published") != 3 || b.number(job1, "cards-unread") != 1 || b.number(job1, "unassigned") != 1 || b.number(job1, "without-photo") != 2 {
		t.Errorf("%s", text)
	}
	for _, row := range b.rows(job1)["without-photo"] {
		if strings.HasPrefix(row[3], "=") {
			t.Errorf("a formula: %q", row)
		}
	}
	// The album was quiet, and then the card says something else.
	b.Update(func(tx *store.Tx) error { return tx.SetCardRules(job, store.CardRules{}) })
	time.Sleep(2 * time.Millisecond)
	group()
	b.Update(func(tx *store.Tx) error { return tx.SayCard(all[1].ID, "ABCD", "eva") })
	group()
	if text = b.written(job1); !strings.Contains(text, "IMG_0003.jpg to IMG_0004.jpg: from Anna Meier (5b) to Max Huber (5b)") {
		t.Errorf("the proposal:\n%s", text)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The receipt of a job that is on sale, or gone, goes; all go when they are switched off; a
// folder of that name that picdayd has not made is left alone.
func TestReceiptsGo(t *testing.T) {
	b := newBed(t)
	b.Write("lincoln/lincoln/user-pictures/12.jpg", "12")
	b.Publish("lincoln/lincoln/user-pictures/12.jpg")
	const school = "lincoln/lincoln/_picday"
	if b.written(job1) == "" || b.written(school) == "" || b.number(school, "published") != 1 {
		t.Fatalf("no receipts: %q %q", b.written(job1), b.written(school))
	}
	b.SetJobState("job1", store.Active)
	if b.written(job1) != "" {
		t.Error("of a job that is on sale")
	}
	if _, err := os.Lstat(b.At(job1)); err == nil {
		t.Error("its folder stays")
	}
	b.SetJobState("job1", store.Planned)
	if b.written(job1) == "" {
		t.Error("planned again")
	}
	b.restart(false)
	b.written(job1)
	for _, dir := range []string{"acme/_picday", school} {
		if _, err := os.Lstat(b.At(dir)); err == nil {
			t.Errorf("switched off, %s stays", dir)
		}
	}
	for _, entries := range []string{"acme/job1", "lincoln/lincoln/user-pictures/12.jpg"} {
		if _, err := os.Lstat(b.At(entries)); err != nil {
			t.Error(err)
		}
	}
	b.Must(os.Symlink(b.At("acme/job1"), b.At("acme/_picday")))
	b.restart(true)
	b.written(job1)
	if entries, err := os.ReadDir(b.At("acme/job1")); len(entries) > 0 || err != nil {
		t.Errorf("written through a link: %v %v", entries, err)
	}
	if b.written(school) == "" {
		t.Error("one account's folder keeps the others from theirs")
	}
	b.restart(false)
	b.written(job1)
	if _, err := os.Lstat(b.At("acme/_picday")); err != nil {
		t.Error("what is not picdayd's is removed:", err)
	}
}

// One job whose receipt was written a moment ago waits, and is written in time.
func TestAReceiptIsNotWrittenTwiceInAMoment(t *testing.T) {
	b := newBed(t)
	b.written(job1)
	b.Write("acme/job1/A/a.jpg", "a")
	b.Publish("acme/job1/A/a.jpg")
	b.Must(b.look(t.Context(), b.now.Add(between/2)))
	if b.number(job1, "arrived") != 0 {
		t.Error("at once")
	}
	b.Must(b.look(t.Context(), b.now.Add(between)))
	if b.number(job1, "arrived") != 1 {
		t.Error("not in time")
	}
}

var texts = regexp.MustCompile(`w(?:ords\(\))?\.T\("([^"]*)"`)

// Every text has its German, also the sentences about cards.
func TestEveryTextHasItsGerman(t *testing.T) {
	source, err := os.ReadFile("text.go")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, m := range texts.FindAllStringSubmatch(string(source), -1) {
		keys = append(keys, m[1])
	}
	if len(keys) < 25 {
		t.Fatal("this test cannot see the texts:", len(keys))
	}
	for _, why := range store.Whys {
		if !slices.Contains([]store.Why{store.CardKnown, store.CardEmpty}, why) {
			keys = append(keys, why.Message())
		}
	}
	for _, key := range keys {
		if !language.Has(key) || strings.Contains(key, "%d") && !language.Plural(key) {
			t.Errorf("%q has no German: add it to internal/language/de/receipts.toml", key)
		}
	}
}
