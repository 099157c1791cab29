package restore

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/failure"
	"picday/store"
	"picday/store/backup"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err     error
		says    string
		kind    func(error) bool
		neither bool
	}{
		{err: &IncompleteError{backup.ErrNotBackup}, says: "run the same command again", neither: true},
		{err: store.ErrInUse, says: "systemctl stop picdayd", kind: failure.IsRefusal},
		{err: &DataDirError{"/data", ErrNotBlank}, says: "mv /data /data.old", kind: failure.IsRefusal},
		{err: &DataDirError{"/data", store.ErrForeignSchema}, says: "mv /data /data.old", neither: true},
		{err: &InvalidConfigError{"/etc/picday.toml", "/b/picday.toml", fs.ErrInvalid}, says: "Write /etc/picday.toml by hand", kind: failure.IsUsage},
		{err: &InvalidConfigError{"/etc/picday.toml", "", fs.ErrInvalid}, says: "invalid", kind: failure.IsUsage},
		{err: &backup.PlaceError{Err: fs.ErrNotExist}, says: "is its disk mounted?", kind: failure.IsUsage},
		{err: &CatalogueError{fs.ErrNotExist}, says: "--catalogue: ", kind: failure.IsUsage},
		{err: &UnmergedLogError{"/x"}, says: "sqlite3 /x", kind: failure.IsRefusal},
		{err: errors.Join(backup.ErrNotRootOwned, backup.ErrNotBackup), says: "root", kind: failure.IsRefusal},
		{err: backup.ErrNotBackup, says: "backup", kind: failure.IsUsage},
		{err: fs.ErrPermission, says: "permission", neither: true},
	} {
		err := advise(c.err)
		right := c.neither && !failure.IsUsage(err) && !failure.IsRefusal(err) || c.kind != nil && c.kind(err)
		if !right || !strings.Contains(err.Error(), c.says) || !errors.Is(err, c.err) {
			t.Errorf("%T: %v", c.err, err)
		}
	}
	if advise(nil) != nil {
		t.Error("an error of none")
	}
}

func TestADifferentConfigurationIsShown(t *testing.T) {
	s := newSite(t)
	s.must(os.WriteFile(s.config, nil, 0o644))
	src := s.open()
	s.must(os.WriteFile(filepath.Join(src.Folder, backup.ConfigFile), []byte("[sshd]\nreload = [\"reboot\"]\n"), 0o600))
	_, err := src.PlanConfig(s.config, DecideConfig)
	var unconfirmed *UnconfirmedConfigError
	if !errors.As(err, &unconfirmed) {
		t.Fatal(err)
	}
	err = adviseConfig(unconfirmed, src, "/etc/my picday.toml")
	for _, want := range []string{"sshd.reload", "reboot", "picday restore " + src.Dir + " --config '/etc/my picday.toml' --with-config"} {
		if !failure.IsRefusal(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", want, err)
		}
	}
}

func TestProblemsAreSentencesInJSON(t *testing.T) {
	text, err := json.Marshal(Report{Problems: []Problem{{Kind: NoCredentials, Account: "acme"}}})
	if want := `"problems":["account acme has neither password nor keys in the backup: picday account passwd acme"]`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s, %v", text, err)
	}
}
