package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/layout"
)

func TestALinkDependsOnAccountSubjectAndGeneration(t *testing.T) {
	s, other := bareStore(t), bareStore(t)
	seen := map[string]string{}
	for name, c := range map[string]struct {
		s          *Store
		account    int64
		subject    string
		generation int64
	}{
		"a portrait":               {s, 1, personSubject("12"), 1},
		"of another account":       {s, 2, personSubject("12"), 1},
		"of another person":        {s, 1, personSubject("012"), 1},
		"rotated":                  {s, 1, personSubject("12"), 2},
		"a photo with that number": {s, 1, photoSubject(12), 1},
		"another installation":     {other, 1, personSubject("12"), 1},
		"digits that could flow":   {s, 11, personSubject("2"), 1},
		"the other way":            {s, 1, personSubject("1"), 21},
	} {
		link, err := c.s.link(c.account, c.subject, c.generation)
		if err != nil || len(link) != 56 || strings.Trim(link, "0123456789abcdef") != "" {
			t.Errorf("%s: %q %v", name, link, err)
		}
		if seen[link] != "" {
			t.Errorf("%s and %s have one link", name, seen[link])
		}
		seen[link] = name
		if again, _ := c.s.link(c.account, c.subject, c.generation); again != link {
			t.Errorf("%s: not stable", name)
		}
	}
}

func TestLinkKeyIsMadeOnceAndMissed(t *testing.T) {
	dir := t.TempDir()
	open := func() error {
		s, _, err := Create(t.Context(), dir)
		if err == nil {
			err = s.Close()
		}
		return err
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, LinkKeyFile)
	fi, err := os.Stat(name)
	if err != nil || fi.Mode() != 0o400 || fi.Size() != LinkKeySize {
		t.Errorf("%v %v", fi, err)
	}
	key, _ := os.ReadFile(name)
	if err := open(); err != nil {
		t.Error(err)
	}
	if again, _ := os.ReadFile(name); string(again) != string(key) {
		t.Error("another key after a restart")
	}
	for what, breakIt := range map[string]func() error{
		"missing from": func() error { return os.Remove(name) },
		"is 31 bytes":  func() error { return os.WriteFile(name, key[:31], 0o400) },
		"is 0 bytes":   func() error { return os.WriteFile(name, nil, 0o400) },
	} {
		if err := errors.Join(os.RemoveAll(name), os.WriteFile(name, key, 0o600), breakIt()); err != nil {
			t.Fatal(err)
		}
		if err := open(); err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOpenNeedsACatalogue(t *testing.T) {
	if _, err := Open(t.Context(), t.TempDir()); !errors.Is(err, ErrNoCatalogue) {
		t.Error(err)
	}
	// A catalogue file that is empty is an error; it is not filled with a new schema.
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, LinkKeyFile), make([]byte, LinkKeySize), 0o600),
		os.WriteFile(filepath.Join(dir, CatalogueFile), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNoCatalogue) || !strings.Contains(err.Error(), "backup") {
		t.Error(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, LinkKeyFile), make([]byte, LinkKeySize), 0o600),
		os.WriteFile(filepath.Join(dir, CatalogueFile), []byte(strings.Repeat("not a database, ", 100)), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), CatalogueFile) {
		t.Error(err)
	}
}

// If the catalogue is lost and a new one is made, the link key stays the same. Links are
// made from the key and IDs, so IDs must not be used again: a link that was given out must
// not show another child.
func TestNoLinkIsGivenOutAgainByANewCatalogue(t *testing.T) {
	dir := t.TempDir()
	given := map[string]string{}
	for _, name := range []string{"lincoln", "acme"} {
		s, _, err := Create(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(t.Context(), func(tx *Tx) error {
			a, err := tx.AddAccount(Account{Name: name, Layout: layout.Portraits})
			if err != nil {
				return err
			}
			_, err = tx.Publish(Arrival{Account: a, Place: Place{Path: "12.jpg", Shown: "12.jpg", Person: "12"}, Original: Original{Bytes: 1}}, nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		all, err := s.All().Photos(t.Context(), PhotoQuery{})
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if of := given[all[0].Link]; of != "" {
			t.Errorf("a link of %s shows a child of %s", of, name)
		}
		given[all[0].Link] = name
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := ignoreMissing(os.Remove(filepath.Join(dir, CatalogueFile+suffix))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDerivedKeys(t *testing.T) {
	s, other := bareStore(t), bareStore(t)
	key := func(s *Store, purpose string) string {
		t.Helper()
		k, err := s.DeriveKey(purpose)
		if err != nil || len(k) != 32 || string(k) == string(s.key) {
			t.Errorf("%x %v", k, err)
		}
		return string(k)
	}
	one := key(s, "one")
	if key(s, "one") != one || key(s, "two") == one || key(other, "one") == one {
		t.Error("a key for one purpose is another's, or is not stable")
	}
	s.key = nil
	if _, err := s.DeriveKey("one"); err == nil {
		t.Error("a key is derived from nothing")
	}
}
