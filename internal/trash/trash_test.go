package trash

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/internal/test/uploads"
	"picday/store"
	"picday/store/pictures"
)

// A machine stands in for account.System: files without owners.
type machine struct{ *uploads.Site }

func (m machine) RestoreFile(a store.Account, path string, content func(io.Writer) error) (fs.FileInfo, error) {
	path = a.Name + "/" + path
	if _, err := os.Lstat(m.At(path)); err == nil {
		return nil, account.ErrRefused
	}
	var b bytes.Buffer
	if err := content(&b); err != nil {
		return nil, err
	}
	m.Write(path, b.String())
	return os.Lstat(m.At(path))
}

const path = "acme/job1/A/x.jpg"

// newTrash has the photo at path in the trash, and its link.
func newTrash(t *testing.T) (*Trash, *uploads.Site, string) {
	s := uploads.New(t)
	s.Write(path, "a picture")
	link := s.Publish(path).Link
	s.Remove(path)
	s.Missing(path)
	s.Withdraw()
	if s.Photo(path).ID != 0 {
		t.Fatal("this test cannot see: the photo is published")
	}
	return &Trash{Store: s.Store, Machine: machine{s}, UploadDir: s.UploadDir, Volumes: s.Volumes}, s, link
}

func says(t *testing.T, report []string, err error, want string) {
	t.Helper()
	if err != nil || strings.Join(report, "\n") != want {
		t.Errorf("%q, %v; want %q", report, err, want)
	}
}

func TestRestorePutsTheFileBackUnderItsOldLink(t *testing.T) {
	x, s, link := newTrash(t)
	report, err := x.Restore(t.Context(), s.Acme, "job1/A/x.jpg", "")
	says(t, report, err, "job1/A/x.jpg is back, under its old link")
	text, err := os.ReadFile(s.At(path))
	if s.Photo(path).Link != link || err != nil || string(text) != "a picture" {
		t.Errorf("%+v, %q, %v", s.Photo(path), text, err)
	}
	s.Missing(path) // nothing: the catalogue knows the file
	s.Withdraw()
	if s.Photo(path).ID == 0 {
		t.Error("it is withdrawn again")
	}
	if _, err := x.Restore(t.Context(), s.Acme, "job1/A/x.jpg", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
}

func TestRestoreTakesThePictureThatIsAskedFor(t *testing.T) {
	x, s, _ := newTrash(t)
	first, err := s.Store.All().Trashed(t.Context(), "acme", "job1/A/x.jpg", "")
	s.Must(err)
	s.Write(path, "a later picture")
	s.Publish(path)
	s.Remove(path)
	s.Missing(path)
	s.Withdraw()
	_, err = x.Restore(t.Context(), s.Acme, "job1/A/x.jpg", strings.ToUpper(first.SHA.String()[:8]))
	s.Must(err)
	if s.Photo(path).SHA != first.SHA {
		t.Error("another picture was restored")
	}
}

func TestASchoolNeedNotNameItsOwnFolder(t *testing.T) {
	x, s, _ := newTrash(t)
	const portrait = "lincoln/lincoln/user-pictures/12.jpg"
	s.Write(portrait, "a face")
	s.Publish(portrait)
	s.Remove(portrait)
	s.Missing(portrait)
	s.Withdraw()
	report, err := x.Restore(t.Context(), s.Lincoln, "user-pictures/12.jpg", "")
	says(t, report, err, "lincoln/user-pictures/12.jpg is back, under its old link")
}

// What an operator has withdrawn has its file still, or it was deleted too.
func TestRestoreOfWhatAnOperatorWithdrew(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		s := uploads.New(t)
		x := &Trash{Store: s.Store, Machine: machine{s}, UploadDir: s.UploadDir, Volumes: s.Volumes}
		s.Write(path, "a picture")
		p := s.Publish(path)
		s.Update(func(tx *store.Tx) error { return tx.WithdrawBy(p.ID, "eva") })
		want := "job1/A/x.jpg, withdrawn by eva, is published again"
		if deleted {
			s.Remove(path)
			s.Missing(path)
			s.Withdraw()
			want = "job1/A/x.jpg is back, under its old link"
		}
		report, err := x.Restore(t.Context(), s.Acme, "job1/A/x.jpg", "")
		says(t, report, err, want)
		if _, err := os.Lstat(s.At(path)); err != nil || s.Photo(path).Link != p.Link {
			t.Errorf("deleted %v: %v, %+v", deleted, err, s.Photo(path))
		}
	}
}

func TestNothingIsRestoredThatIsNotWhole(t *testing.T) {
	x, s, _ := newTrash(t)
	p, err := s.Store.All().Trashed(t.Context(), "acme", "job1/A/x.jpg", "")
	s.Must(err)
	original := s.Store.Files().Path(pictures.Original(p.SHA))
	s.Must(os.WriteFile(original, []byte("a Picture"), 0o644))
	report, err := x.Restore(t.Context(), s.Acme, "job1/A/x.jpg", "")
	if _, there := os.Lstat(s.At(path)); !errors.Is(err, pictures.ErrDamaged) || len(report) > 0 || there == nil || s.Photo(path).ID != 0 {
		t.Errorf("%q, %v, there: %v", report, err, there)
	}
}

func TestAFileInItsPlaceIsNotReplaced(t *testing.T) {
	x, s, _ := newTrash(t)
	s.Write(path, "another picture")
	report, err := x.Restore(t.Context(), s.Acme, "job1/A/x.jpg", "")
	if text, _ := os.ReadFile(s.At(path)); !errors.Is(err, account.ErrRefused) || len(report) > 0 || string(text) != "another picture" {
		t.Errorf("%q, %v", report, err)
	}
}

func TestEmptyEndsOneAccountsTrashOrAll(t *testing.T) {
	_, s, _ := newTrash(t)
	if n, err := Empty(t.Context(), s.Store, 0, false); n != 0 || !failure.IsRefusal(err) {
		t.Errorf("nobody said whose: %d, %v", n, err)
	}
	if n, err := Empty(t.Context(), s.Store, s.Acme.ID, true); n != 0 || !failure.IsUsage(err) {
		t.Errorf("acme's and all: %d, %v", n, err)
	}
	for _, c := range []struct{ account, want int64 }{{s.Lincoln.ID, 0}, {s.Acme.ID, 1}, {0, 0}} {
		if n, err := Empty(t.Context(), s.Store, c.account, c.account == 0); err != nil || n != c.want {
			t.Errorf("account %d: %d, %v", c.account, n, err)
		}
	}
	if _, err := s.Store.All().Trashed(t.Context(), "acme", "job1/A/x.jpg", ""); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
