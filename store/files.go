package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"picday/internal/durable"
)

// A SHA is the SHA-256 of an original's bytes and its only name.
type SHA [32]byte

// String is the usual hexadecimal form.
func (h SHA) String() string { return hex.EncodeToString(h[:]) }

// asSHA is the hash in a row. One of another length, which no picture has, must
// not end the daemon: what it is of is not found.
func asSHA(b []byte) (h SHA) {
	copy(h[:], b)
	return h
}

// Where things are below the data directory. Pictures are spread over 256
// directories so that none grows beyond what tools can list.
const (
	originalsDir  = "originals"
	renditionsDir = "renditions"
	tempDir       = "tmp"
)

// layOut makes the fixed part of the data directory, with the rights of who owns
// the directory and so as his. It returns a sentence for each thing it made; newKey
// means that no link can have been given out.
func layOut(dataDir string) (made []string, newKey bool, err error) {
	dirs := []string{originalsDir, renditionsDir, tempDir}
	for i := range 256 {
		hh := fmt.Sprintf("%02x", i)
		dirs = append(dirs, filepath.Join(originalsDir, hh), filepath.Join(renditionsDir, hh))
	}
	for _, d := range dirs {
		name := filepath.Join(dataDir, d)
		if _, err := os.Lstat(name); err == nil {
			continue
		}
		if err := os.Mkdir(name, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return made, newKey, err
		}
		if len(d) > 3 && filepath.Dir(d) == "." {
			made = append(made, "made "+name)
		}
	}
	// The key comes first, and only before there is a catalogue: a lost key
	// must be missed, not be replaced by one that makes other links.
	catalogue, key := filepath.Join(dataDir, CatalogueFile), filepath.Join(dataDir, linkKeyFile)
	if _, err := os.Lstat(catalogue); errors.Is(err, fs.ErrNotExist) {
		if newKey, err = putOnce(key, newLinkKey(), 0o400); err != nil {
			return made, false, err
		}
		if newKey {
			made = append(made, "made "+key)
		}
	}
	fresh, err := putOnce(catalogue, nil, 0o640)
	if err != nil {
		return made, newKey, err
	}
	if fresh {
		made = append(made, "made "+catalogue)
	}
	return made, newKey, errors.Join(durable.SyncDir(filepath.Join(dataDir, originalsDir)),
		durable.SyncDir(filepath.Join(dataDir, renditionsDir)), durable.SyncDir(dataDir))
}

// putOnce makes a file unless it is there. It is linked into place, so that
// of two processes at once one wins and the other uses what it finds.
func putOnce(name string, content []byte, mode fs.FileMode) (fresh bool, err error) {
	if _, err := os.Lstat(name); err == nil {
		return false, nil
	}
	f, err := durable.Temp(filepath.Dir(name))
	if err != nil {
		return false, err
	}
	defer durable.Discard(f)
	if _, err := f.Write(content); err != nil {
		return false, err
	}
	if err := errors.Join(f.Chmod(mode), f.Sync()); err != nil {
		return false, err
	}
	err = os.Link(f.Name(), name)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// OriginalPath is where the original's bytes are.
func (s *Store) OriginalPath(h SHA) string { return filepath.Join(s.dir, originalName(h)) }

func originalName(h SHA) string {
	x := h.String()
	return filepath.Join(originalsDir, x[:2], x+".jpg")
}

// RenditionPath is where a rendition is. The settings are part of the name,
// so that a new quality in the configuration never finds the old file.
func (s *Store) RenditionPath(h SHA, r RenditionSpec) string {
	return filepath.Join(s.dir, renditionName(h, r))
}

func renditionName(h SHA, r RenditionSpec) string {
	x := h.String()
	return filepath.Join(renditionsDir, x[:2], fmt.Sprintf("%s-%s-%dq%d.jpg", x, r.Name, r.Longest, r.Quality))
}

// TempDir is where files are written before they get their name. It is on
// the same file system as the originals and renditions.
func (s *Store) TempDir() string { return filepath.Join(s.dir, tempDir) }

// DataDir is the directory everything of the store is in.
func (s *Store) DataDir() string { return s.dir }

// ClearTemp removes what an interrupted daemon left half-written. Only the
// daemon calls it, before it opens the catalogue: half a copy may fill the disk.
func ClearTemp(dataDir string) error {
	temp := filepath.Join(dataDir, tempDir)
	old, err := os.ReadDir(temp)
	if err != nil {
		return err
	}
	for _, e := range old {
		if err := os.Remove(filepath.Join(temp, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Pin promises that the original and its renditions will not be collected
// until the returned function is called. Pin before looking for the file.
func (s *Store) Pin(h SHA) (unpin func()) {
	s.pinMu.Lock()
	defer s.pinMu.Unlock()
	s.pins[h]++
	return func() {
		s.pinMu.Lock()
		defer s.pinMu.Unlock()
		if s.pins[h]--; s.pins[h] == 0 {
			delete(s.pins, h)
		}
	}
}

// Collect deletes the files, then the rows, of pictures that no photo and no
// history points to, at most limit of them, and tells how many. Files go
// first: a crash between leaves rows that the next call finds again.
func (tx *Tx) Collect(limit int) (int, error) {
	tx.s.pinMu.Lock()
	defer tx.s.pinMu.Unlock()
	// The pinned ones may be the first in their order.
	hashes, err := column[[]byte](tx, `SELECT sha256 FROM original WHERE refs = 0 LIMIT ?`, limit+len(tx.s.pins))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, b := range hashes {
		h := asSHA(b)
		if n == limit || tx.s.pins[h] > 0 {
			continue
		}
		specs, err := renditionsOf(tx, h)
		if err != nil {
			return n, err
		}
		for _, r := range specs {
			if err := remove(tx.s.RenditionPath(h, r.RenditionSpec)); err != nil {
				return n, err
			}
		}
		if err := remove(tx.s.OriginalPath(h)); err != nil {
			return n, err
		}
		if _, err := tx.Exec(`DELETE FROM original WHERE sha256 = ?`, b); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// A RenditionSpec names a rendition and the settings it is made with.
type RenditionSpec struct {
	Name    string
	Longest int // pixels of the longest side
	Quality int
}

// A Rendition is a resized JPEG of an original.
type Rendition struct {
	RenditionSpec
	Width, Height int
	Bytes         int64
	Hash          SHA // of its own bytes; lists leave it out
}

// An Original is the uploaded bytes, immutable.
type Original struct {
	SHA           SHA
	Bytes         int64
	Width, Height int // as seen, after orientation
	Camera        Camera
	Unusual       bool // see photo.Picture
	Renditions    []Rendition
}

// A Camera is what the EXIF says of where an original comes from. What it does
// not say is zero.
type Camera struct {
	TakenAt             time.Time // the camera's clock; without a zone written as if it were UTC
	Zoned               bool      // the EXIF gave the zone, TakenAt is in it
	Make, Model, Serial string
}
