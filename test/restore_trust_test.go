package test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// updateManifest updates the hashes in the manifest, as somebody who changes the files of a backup
// can do too.
func (s *site) updateManifest() (folder string) {
	s.t.Helper()
	name := s.Dir + "/backup/manifest.json"
	var m map[string]any
	s.must(json.Unmarshal(readFile(s.t, name), &m))
	folder = s.Dir + "/backup/" + m["folder"].(string)
	for file := range m["files"].(map[string]any) {
		m["files"].(map[string]any)[file] = sum(readFile(s.t, filepath.Join(folder, file)))
	}
	text, err := json.Marshal(m)
	s.must(err)
	s.must(os.WriteFile(name, text, 0o600))
	return folder
}

// A backup that somebody other than root could change is refused, or nothing dangerous in it
// is restored.
func TestRestoreTrustsOnlyRoot(t *testing.T) {
	s := newSite(t)
	u := s.jobs("trusts", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.backup()
	s.daemon.Stop(syscall.SIGTERM)
	s.deleteEverything(u)
	backup := s.Dir + "/backup"
	folder := s.updateManifest()
	refused := func(what string, args ...string) {
		t.Helper()
		r := s.Picday(append([]string{"restore", backup}, args...)...)
		if r.Code == 0 || r.Code == 1 && what != "a queue" || !strings.Contains(r.Stderr, "picday: ") {
			t.Errorf("%s: %v", what, r)
		}
		if _, err := os.Lstat(s.Data); err == nil {
			t.Fatalf("%s: something was changed", what)
		}
	}
	somebody := int(s.Credential("nobody").Uid)
	for _, path := range []string{backup, folder, backup + "/manifest.json", folder + "/accounts.json", folder + "/catalogue.sqlite"} {
		s.must(os.Chown(path, somebody, 0))
		refused("somebody's " + path)
		s.must(os.Chown(path, 0, 0))
		was, err := os.Stat(path)
		s.must(err)
		s.must(os.Chmod(path, 0o777))
		refused("writable " + path)
		s.must(os.Chmod(path, was.Mode().Perm()))
	}
	accounts := readFile(t, folder+"/accounts.json")
	s.must(os.Remove(folder + "/accounts.json"))
	s.must(syscall.Mkfifo(folder+"/accounts.json", 0o600))
	refused("a queue")
	s.must(os.Remove(folder + "/accounts.json"))
	s.must(os.WriteFile(folder+"/accounts.json", accounts, 0o600))

	// Add a trigger to the catalogue, and one that never ends.
	catalogue := readFile(t, folder+"/catalogue.sqlite")
	db, err := sql.Open("sqlite3", folder+"/catalogue.sqlite")
	s.must(err)
	_, err = db.Exec(`CREATE TRIGGER forever AFTER DELETE ON upload BEGIN
		INSERT INTO meta SELECT 'x', count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n); END`)
	s.must(err)
	s.must(db.Close())
	s.updateManifest()
	refused("a trigger", "--without-config")
	s.must(os.WriteFile(folder+"/catalogue.sqlite", catalogue, 0o600))

	// A command in the configuration is shown, and restored only with --with-config.
	config := readFile(t, s.Config)
	s.must(os.Remove(s.Config))
	ran := s.Dir + "/ran"
	text := string(config)
	if i := strings.Index(text, "reload"); i >= 0 {
		line, _, _ := strings.Cut(text[i:], "\n")
		text = strings.Replace(text, line, `reload = ["touch", "`+ran+`"]`, 1)
	}
	s.must(os.WriteFile(folder+"/picday.toml", []byte(text), 0o600))
	s.updateManifest()
	r := s.Picday("restore", backup)
	if r.Code != 4 || !strings.Contains(r.Stderr, "sshd.reload: ") || !strings.Contains(r.Stderr, ran) || !strings.Contains(r.Stderr, "--with-config") {
		t.Errorf("a command in the configuration: %v", r)
	}
	for _, path := range []string{s.Data, s.Config, ran} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is there", path)
		}
	}
	s.must(os.WriteFile(s.Config, config, 0o644))
	r = s.Picday("restore", backup, "--without-config")
	if r.Code != 0 || !bytes.Equal(readFile(t, s.Config), config) {
		t.Error(r)
	}
	s.daemon = s.StartDaemon()
	s.requireStillPublished(u, "job1/A/x.jpg")
}

// A restore can be interrupted while it reads an original of 64 GiB.
func TestRestoreStops(t *testing.T) {
	s := newSite(t)
	u := s.jobs("stops", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.backup()
	s.daemon.Stop(syscall.SIGTERM)
	s.deleteEverything(u)
	folder := s.updateManifest()
	const huge = 64 << 30
	db, err := sql.Open("sqlite3", folder+"/catalogue.sqlite")
	s.must(err)
	_, err = db.Exec(`UPDATE original SET bytes = ?`, int64(huge))
	s.must(err)
	s.must(db.Close())
	s.updateManifest()
	all, err := filepath.Glob(s.Dir + "/backup/originals/*/*.jpg")
	s.must(err)
	s.must(os.Truncate(all[0], huge))
	cmd := s.PicdayCmd("restore", s.Dir+"/backup")
	var said bytes.Buffer
	cmd.Stderr = &said
	initialising.Lock()
	defer initialising.Unlock()
	s.must(cmd.Start())
	s.Eventually("it copies", func() (bool, any) {
		temps, _ := filepath.Glob(s.Data + "/tmp/new-*")
		return len(temps) > 0, said.String()
	})
	s.must(cmd.Process.Signal(syscall.SIGTERM))
	told := time.Now()
	err = cmd.Wait()
	t.Logf("stopped after %v: %v", time.Since(told), err)
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v\n%s", err, said.String())
	}
}
