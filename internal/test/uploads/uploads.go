// Package uploads makes an upload volume and a catalogue in temporary directories,
// for tests that need no sshd, no daemon and no root. The test itself does what
// picdayd would: it says which files are taken in, as what, and which are gone.
package uploads

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/internal/trees"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// A Site is an upload volume and the catalogue of it. Paths begin with the account:
// "acme/job1/A/x.jpg". The account acme has the planned jobs job1 and job2, lincoln
// is a school.
type Site struct {
	testing.TB
	Store         *store.Store
	DataDir       string
	UploadDir     string
	Trees         trees.Dir
	Volumes       *upload.Volumes
	Acme, Lincoln store.Account
	renditions    []rendition.Spec
}

// New makes one, with the marker on the volume.
func New(t testing.TB) *Site {
	t.Helper()
	s := &Site{TB: t, DataDir: memory(t), UploadDir: memory(t), renditions: []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}}}
	s.Trees, s.Volumes = trees.Dir(s.UploadDir), upload.NewVolumes(filepath.Join(s.UploadDir, store.MarkerFile))
	var err error
	s.Store, _, err = store.Create(context.Background(), s.DataDir)
	s.Must(err)
	t.Cleanup(func() { s.Store.Close() })
	_, err = s.Store.AdoptVolume(context.Background(), s.UploadDir, false)
	s.Must(err)
	for _, dir := range []string{"acme/job1", "acme/job2", "lincoln/lincoln/user-pictures"} {
		s.Must(os.MkdirAll(s.At(dir), 0o755))
	}
	s.Update(func(tx *store.Tx) (err error) {
		if s.Acme, err = tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs}); err != nil {
			return err
		}
		s.Lincoln, err = tx.AddAccount(store.Account{Name: "lincoln", Layout: layout.Portraits})
		return errors.Join(err, tx.AddJob(s.Acme, "job1"), tx.AddJob(s.Acme, "job2"))
	})
	return s
}

// memory is a directory that needs no disk, if there is one: making those of a
// store durable takes longer than the rest of a test.
func memory(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "picday-uploads-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Must ends the test if there is an error.
func (s *Site) Must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// Update is one transaction.
func (s *Site) Update(fn func(*store.Tx) error) {
	s.Helper()
	s.Must(s.Store.Update(context.Background(), fn))
}

// At is the path on this machine.
func (s *Site) At(path string) string { return filepath.Join(s.UploadDir, path) }

// Write writes a file, with the folders above it.
func (s *Site) Write(path, content string) {
	s.Helper()
	s.Must(os.MkdirAll(filepath.Dir(s.At(path)), 0o755))
	s.Must(os.WriteFile(s.At(path), []byte(content), 0o644))
}

// Remove removes a file.
func (s *Site) Remove(path string) {
	s.Helper()
	s.Must(os.Remove(s.At(path)))
}

// Publish has the file become a photo.
func (s *Site) Publish(path string) store.Photo {
	s.Helper()
	acct, place, identity, content := s.file(path)
	original := s.keep(content)
	s.Update(func(tx *store.Tx) error {
		_, err := tx.Publish(store.Arrival{Account: acct, Place: place, Identity: identity, Original: original}, disk{s})
		return err
	})
	return s.Photo(path)
}

// Photo is the published one at a path, with no ID if there is none.
func (s *Site) Photo(path string) (found store.Photo) {
	s.Helper()
	account, raw, _ := strings.Cut(path, "/")
	all, err := s.Store.All().Photos(context.Background(), store.PhotoQuery{Account: account, RawPath: raw, Show: store.ShowPublished})
	s.Must(err)
	if len(all) > 0 {
		found = all[0]
	}
	return found
}

// Problem has the file be a problem.
func (s *Site) Problem(path string, reason layout.Reason, keep time.Duration) {
	s.Helper()
	acct, place, identity, _ := s.file(path)
	s.Update(func(tx *store.Tx) error { return tx.Problem(acct, place, identity, reason, keep, disk{s}) })
}

// Companion has the file be a RAW file; stem is the name of the JPEG without its ending.
func (s *Site) Companion(path, stem string) {
	s.Helper()
	acct, place, identity, _ := s.file(path)
	s.Update(func(tx *store.Tx) error {
		_, err := tx.Companion(acct, place, identity, stem)
		return err
	})
}

// Missing has it be noticed that the file is gone, and Withdraw that it stays so.
func (s *Site) Missing(path string) {
	s.Helper()
	acct, raw := s.account(path)
	s.Update(func(tx *store.Tx) error {
		_, _, err := tx.Missing(acct, raw, "", 1000, disk{s})
		return err
	})
}

// Withdraw ends the grace of all that is missing.
func (s *Site) Withdraw() {
	s.Helper()
	s.Update(func(tx *store.Tx) error {
		_, _, err := tx.Withdraw(0, store.SweepPosition{}, 1000, disk{s})
		return err
	})
}

// Job is the job as the catalogue has it now.
func (s *Site) Job(name string) store.Job {
	s.Helper()
	job, err := s.Store.View(s.Acme.ID).Job(context.Background(), s.Acme.Name, name)
	s.Must(err)
	return job
}

// SetJobState moves a job to another state.
func (s *Site) SetJobState(name string, state store.JobState) {
	s.Helper()
	job := s.Job(name)
	s.Update(func(tx *store.Tx) error { return tx.SetJobState(job, state, "") })
}

func (s *Site) account(path string) (acct store.Account, raw string) {
	name, raw, _ := strings.Cut(path, "/")
	if acct = s.Acme; name == s.Lincoln.Name {
		acct = s.Lincoln
	}
	return acct, raw
}

func (s *Site) file(path string) (acct store.Account, place store.Place, identity upload.Identity, content []byte) {
	s.Helper()
	acct, raw := s.account(path)
	m := layout.Rules{Kind: acct.Layout, Account: acct.Name}.Of(raw)
	place = store.Place{Path: raw, Shown: layout.Shown(raw), Job: m.Job, Album: m.Album, Area: m.Area, Person: m.Person}
	fi, err := os.Lstat(s.At(path))
	s.Must(err)
	if fi.Mode().IsRegular() {
		content, err = os.ReadFile(s.At(path))
		s.Must(err)
	}
	return acct, place, s.Volumes.IdentityOf(fi, filepath.Dir(s.At(path))), content
}

// keep writes the files of a picture: the rendition is the original itself.
func (s *Site) keep(content []byte) store.Original {
	s.Helper()
	sha := store.SHA(sha256.Sum256(content))
	o := store.Original{SHA: sha, Bytes: int64(len(content)), Width: 600, Height: 400}
	s.write(s.Store.Files().Path(pictures.Original(sha)), content)
	for _, spec := range s.renditions {
		s.write(s.Store.Files().Path(pictures.Rendition(sha, spec)), content)
		o.Renditions = append(o.Renditions, store.Rendition{Spec: spec, Width: 600, Height: 400, Bytes: o.Bytes, Hash: sha})
	}
	return o
}

func (s *Site) write(name string, content []byte) {
	s.Helper()
	s.Must(os.MkdirAll(filepath.Dir(name), 0o755))
	if _, err := os.Lstat(name); err != nil {
		s.Must(os.WriteFile(name, content, 0o644))
	}
}

// A disk tells a transaction what is on the volume.
type disk struct{ s *Site }

func (d disk) Look(_ context.Context, account, path string) (store.Presence, upload.Identity) {
	// A folder that no uploader can remove is not deleted: it is hidden.
	top, _, _ := strings.Cut(path, "/")
	if _, err := os.Lstat(d.s.At(account + "/" + top)); err != nil {
		return store.Unknown, upload.Identity{}
	}
	name := d.s.At(account + "/" + path)
	fi, err := os.Lstat(name)
	if err != nil {
		return store.Absent, upload.Identity{}
	}
	return store.There, d.s.Volumes.IdentityOf(fi, filepath.Dir(name))
}

func (d disk) Find(context.Context, string, string, upload.Identity, store.SHA) (store.Presence, string) {
	return store.Absent, ""
}

func (d disk) Verify(context.Context) error { return nil }
