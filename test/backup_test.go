package test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"picday/internal/test/bed"
)

// A manifest is backup --json.
type manifest struct {
	Folder      string            `json:"folder"`
	Photos      int               `json:"photos"`
	Originals   int               `json:"originals"`
	CopiedFiles int               `json:"copied_files"`
	Problems    int               `json:"problems"`
	Waiting     int               `json:"waiting"`
	Lost        []string          `json:"lost"`
	Files       map[string]string `json:"files"`
}

func (s *site) backup(flags ...string) (m manifest) {
	s.t.Helper()
	s.JSON(&m, append([]string{"backup", s.Dir + "/backup"}, flags...)...)
	return m
}

// Backups are made one after another, while photos are uploaded, deleted and collected.
// Each backup has every original that its catalogue points to.
func TestBackupWhileUploadsRun(t *testing.T) {
	s := newSite(t, bed.Options{Settle: 50 * time.Millisecond, DeleteGrace: 50 * time.Millisecond})
	u := s.jobs("busy", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/lost.jpg", photo()))
	s.uploadAndWait(u, "/job1/A/first.jpg")
	const rounds, batch = 12, 10
	sizes := map[int]bool{}
	for round := range rounds {
		// The files of photos deleted in the last round are collected during this backup.
		s.MustPicday("trash", "empty", "--all")
		cmd := s.PicdayCmd("backup", s.Dir+"/backup", "--json")
		var out bytes.Buffer
		cmd.Stdout = &out
		s.must(cmd.Start())
		var now []string
		for i := range batch {
			name := fmt.Sprintf("job1/A/%d-%d.jpg", round, i)
			s.must(wire.Put("/"+name, photo()))
			now = append(now, name)
			if round > 0 {
				s.must(wire.Remove(fmt.Sprintf("/job1/A/%d-%d.jpg", round-1, i)))
			}
		}
		s.must(cmd.Wait())
		var m manifest
		s.must(json.Unmarshal(out.Bytes(), &m))
		sizes[m.Photos] = true
		if m.Problems != 1 || len(m.Lost) > 0 {
			t.Errorf("%+v", m)
		}
		s.requireWholeBackup()
		s.waitPhotos(u, append(now, "job1/A/first.jpg")...)
	}
	if len(sizes) < 2 {
		t.Errorf("the catalogue was %v: this test has seen nothing move", sizes)
	}
	copied := func() int {
		all, err := filepath.Glob(s.Dir + "/backup/originals/*/*")
		s.must(err)
		return len(all)
	}
	before := copied()
	s.Eventually("the last ones are in the trash", func() (bool, any) {
		trash := s.trash(u)
		return len(trash) == batch, keys(trash)
	})
	m := s.backup("--prune")
	s.requireWholeBackup()
	if after := copied(); after != 1+2*batch || after != m.Originals || after >= before {
		t.Errorf("%d originals in the backup, after pruning %d: %+v", before, after, m)
	}
}

// requireWholeBackup requires that the backup can be restored whole, by asking SQLite
// and sha256sum, not picday.
func (s *site) requireWholeBackup() {
	s.t.Helper()
	var m manifest
	s.must(json.Unmarshal(readFile(s.t, s.Dir+"/backup/manifest.json"), &m))
	if len(m.Files) < 4 {
		s.t.Errorf("the folder has %v", m.Files)
	}
	folder := s.Dir + "/backup/" + m.Folder
	for name, want := range m.Files {
		if sum(readFile(s.t, folder+"/"+name)) != want {
			s.t.Errorf("%s is not what the manifest says", name)
		}
	}
	for _, sha := range s.catalogueHashes(folder + "/catalogue.sqlite") {
		if data := readFile(s.t, fmt.Sprintf("%s/backup/originals/%s/%s.jpg", s.Dir, sha[:2], sha)); sum(data) != sha {
			s.t.Errorf("%s has changed", sha)
		}
	}
}

// catalogueHashes lists the hashes that photos and their history have in a catalogue.
func (s *site) catalogueHashes(file string) (all []string) {
	s.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file+"?mode=ro&immutable=1")
	s.must(err)
	defer db.Close()
	rows, err := db.Query(`SELECT lower(hex(sha256)) FROM photo UNION SELECT lower(hex(sha256)) FROM history`)
	s.must(err)
	defer rows.Close()
	for rows.Next() {
		var sha string
		s.must(rows.Scan(&sha))
		all = append(all, sha)
	}
	s.must(rows.Err())
	return all
}

func TestBackupRefuses(t *testing.T) {
	s := newSite(t)
	u := s.jobs("refuses", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.must(os.Mkdir(s.Dir+"/full", 0o755))
	s.must(os.WriteFile(s.Dir+"/full/letter.txt", nil, 0o644))
	s.must(os.Symlink(s.Uploads, s.Dir+"/elsewhere"))
	s.must(os.Mkdir(s.Dir+"/somebodys", 0o700))
	s.must(os.Chown(s.Dir+"/somebodys", 12345, 0))
	for _, c := range []struct {
		dir, says string
		code      int
	}{
		{s.Data + "/backup", "data_dir", 4},
		{s.Uploads + "/backup", "upload_dir", 4},
		{s.Dir + "/elsewhere/backup", "upload_dir", 4},
		{s.Dir, "lie in one another", 4},
		{s.Dir + "/full", "letter.txt", 4},
		{s.Dir + "/somebodys", "chown root", 4},
		{s.Dir + "/not/there", "mounted", 2},
		{s.Dir + "/full/letter.txt", "not a directory", 2},
	} {
		if r := s.Picday("backup", c.dir); r.Code != c.code || !strings.Contains(r.Stderr, c.says) {
			t.Errorf("%s: %v", c.dir, r)
		}
	}
	// A full disk is reported, and the earlier backup stays valid.
	disk := s.Dir + "/disk"
	s.must(os.Mkdir(disk, 0o755))
	s.must(syscall.Mount("tmpfs", disk, "tmpfs", 0, "mode=0755,size=4m"))
	s.MustPicday("backup", disk)
	before := readFile(t, disk+"/manifest.json")
	s.uploadAndWait(u, "/job1/A/y.jpg")
	s.fillFileSystem(disk)
	if r := s.Picday("backup", disk); r.Code != 1 || !strings.Contains(r.Stderr, "is full") {
		t.Error(r)
	}
	if string(readFile(t, disk+"/manifest.json")) != string(before) {
		t.Error("the manifest has changed")
	}
}

// fillFileSystem writes until nothing goes onto a file system any more.
func (s *site) fillFileSystem(dir string) {
	s.t.Helper()
	f, err := os.Create(dir + "/ballast")
	s.must(err)
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
}
