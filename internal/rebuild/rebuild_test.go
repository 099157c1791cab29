package rebuild

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/failure"
	"picday/internal/test/uploads"
	"picday/store"
)

func configOf(s *uploads.Site) config.Config {
	cfg := config.Default()
	cfg.DataDir, cfg.UploadDir = s.DataDir, s.UploadDir
	return cfg
}

// publish writes files and has them published.
func publish(s *uploads.Site, paths ...string) (all []store.Photo) {
	for _, path := range paths {
		s.Write(path, "picture of "+path)
		all = append(all, s.Publish(path))
	}
	return all
}

// lose closes the catalogue and has something become of its file. reopen opens it again.
func lose(s *uploads.Site, how func(name string) error) {
	s.Helper()
	s.Must(s.Store.Close())
	s.Must(how(filepath.Join(s.DataDir, store.CatalogueFile)))
}

func reopen(s *uploads.Site) {
	s.Helper()
	var err error
	s.Store, err = store.Open(s.Context(), s.DataDir)
	s.Must(err)
	s.Cleanup(func() { s.Store.Close() })
}

// A lost or damaged catalogue is rebuilt with the same links, rotations and withdrawals as far
// as the manifest knows, and nothing is shown that has changed since.
func TestALostCatalogueIsRebuilt(t *testing.T) {
	for name, how := range map[string]func(string) error{
		"deleted": os.Remove,
		"overwritten": func(name string) error {
			return os.WriteFile(name, []byte(strings.Repeat("no catalogue ", 1000)), 0o640)
		},
		"damaged": func(name string) error {
			text, err := os.ReadFile(name)
			for i := 5000; i < len(text); i++ {
				text[i] = 0xa5
			}
			return errors.Join(err, os.WriteFile(name, text, 0o640))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := uploads.New(t)
			kept := publish(s, "acme/job1/A/a.jpg", "acme/job2/B/b.jpg", "lincoln/lincoln/user-pictures/12.jpg")
			bad := publish(s, "acme/job1/A/changed.jpg", "acme/job1/A/gone.jpg", "lincoln/lincoln/user-pictures/13.jpg")
			byOperator := publish(s, "acme/job1/A/secret.jpg")[0]
			var rotated string
			s.Update(func(tx *store.Tx) (err error) {
				if rotated, err = tx.Rotate(kept[2].ID, "eva"); err != nil {
					return err
				}
				return tx.WithdrawBy(byOperator.ID, "eva")
			})
			s.Must(s.Store.WriteManifest(t.Context()))

			later := publish(s, "acme/job1/A/later.jpg")[0]
			s.Write("acme/job1/A/changed.jpg", "another child")
			s.Remove("acme/job1/A/gone.jpg")
			s.Write("lincoln/lincoln/user-pictures/13.jpg", "the right picture of 13")
			_, err := s.Trees.Hide("acme", "job2")
			if err != nil { // its directory is made by the tool
				s.Must(os.MkdirAll(s.Trees.ActiveBase("acme"), 0o755))
				_, err = s.Trees.Hide("acme", "job2")
				s.Must(err)
			}
			s.Must(os.MkdirAll(s.At("acme/job3/C"), 0o755))
			s.Must(os.MkdirAll(s.At("newcomer"), 0o755))
			lose(s, how)

			report, err := Run(t.Context(), configOf(s))
			s.Must(err)
			reopen(s)
			if report.Photos != 3 || report.Withdrawn != 3 || report.JobsMoved != 1 || report.JobsAdded != 1 || report.NewOriginals != 1 || report.LostOriginals != 0 {
				t.Errorf("%+v", report)
			}
			if (name == "deleted") != (report.SetAside == "") {
				t.Errorf("set aside: %q", report.SetAside)
			}
			said := strings.Join(report.Unknown, "\n")
			for _, words := range []string{"newcomer", "1 originals belong", "The job job2 of acme is active", "rotated", "log-ins"} {
				if !strings.Contains(said, words) {
					t.Errorf("does not say %q:\n%s", words, said)
				}
			}
			if p := s.Photo("acme/job1/A/a.jpg"); p.Link != kept[0].Link {
				t.Errorf("the link of a photo: %q", p.Link)
			}
			if p := s.Photo("lincoln/lincoln/user-pictures/12.jpg"); p.Link != rotated {
				t.Errorf("the link of a rotated portrait: %q", p.Link)
			}
			for _, path := range []string{"acme/job1/A/changed.jpg", "acme/job1/A/gone.jpg", "lincoln/lincoln/user-pictures/13.jpg", "acme/job1/A/secret.jpg"} {
				if p := s.Photo(path); p.ID != 0 {
					t.Errorf("%s is published", path)
				}
			}
			if j := s.Job("job2"); j.State != store.Active {
				t.Errorf("%+v", j)
			}
			if j := s.Job("job3"); j.State != store.Planned {
				t.Errorf("%+v", j)
			}
			// What picdayd does next.
			if p := s.Publish("lincoln/lincoln/user-pictures/13.jpg"); p.Link != bad[2].Link {
				t.Errorf("the link of a portrait that has changed since: %q", p.Link)
			}
			if p := s.Publish("acme/job1/A/later.jpg"); p.Link == later.Link || p.ID <= later.ID {
				t.Errorf("a later photo has the ID %d again", p.ID)
			}
			for _, p := range publish(s, "acme/job1/A/new.jpg", "acme/job1/A/new2.jpg") {
				if p.Link == later.Link {
					t.Error("the link of a photo that came after the manifest shows another one")
				}
			}
		})
	}
}

// A sound catalogue is not touched, and without a manifest nothing is changed.
func TestWhatIsNotRebuilt(t *testing.T) {
	s := uploads.New(t)
	p := publish(s, "acme/job1/A/a.jpg")[0]
	s.Must(s.Store.WriteManifest(t.Context()))
	if _, err := Run(t.Context(), configOf(s)); !errors.Is(err, ErrSound) || !failure.IsRefusal(err) {
		t.Errorf("sound: %v", err)
	}
	if s.Photo("acme/job1/A/a.jpg").Link != p.Link {
		t.Error("touched")
	}
	unlock, err := store.LockDataDir(s.DataDir)
	s.Must(err)
	if _, err := Run(t.Context(), configOf(s)); !errors.Is(err, store.ErrInUse) {
		t.Errorf("picdayd runs: %v", err)
	}
	unlock()
	s.Must(os.Remove(filepath.Join(s.DataDir, store.ManifestFile)))
	lose(s, os.Remove)
	if _, err := Run(t.Context(), configOf(s)); err == nil || !strings.Contains(err.Error(), "no manifest") || !strings.Contains(err.Error(), "also those that an operator had withdrawn") {
		t.Errorf("no manifest: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(s.DataDir, store.CatalogueFile)); !os.IsNotExist(err) {
		t.Error("a catalogue was begun")
	}
}

// An account whose folder is gone was removed since: its links show nothing.
func TestAnAccountThatWasRemovedSinceShowsNothing(t *testing.T) {
	s := uploads.New(t)
	publish(s, "acme/job1/A/a.jpg", "lincoln/lincoln/user-pictures/12.jpg")
	s.Must(s.Store.WriteManifest(t.Context()))
	s.Must(os.RemoveAll(s.At("acme")))
	lose(s, os.Remove)
	began := time.Now()
	report, err := Run(t.Context(), configOf(s))
	s.Must(err)
	reopen(s)
	if s.Photo("acme/job1/A/a.jpg").ID != 0 || s.Photo("lincoln/lincoln/user-pictures/12.jpg").ID == 0 {
		t.Error("not withdrawn, or another account is")
	}
	if report.Withdrawn != 1 || report.Photos != 1 || report.AsOf.After(began) || !strings.Contains(strings.Join(report.Unknown, " "), "account remove acme") {
		t.Errorf("%+v", report)
	}
}
