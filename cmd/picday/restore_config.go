package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/internal/config"
	"picday/internal/durable"
	"picday/internal/shell"
	"picday/store"
)

// planConfig loads the configuration that will hold, and returns the text of
// the one in the backup if it is to be put back. One that somebody wrote for
// this machine is kept, and one that has a say in what root does is taken only
// from who has seen it.
func (r *restoring) planConfig() (text []byte, err error) {
	if r.without || r.view.Backup.Files[store.ConfigFile] == "" {
		_, err := r.config()
		return nil, err
	}
	copied := filepath.Join(r.folder, store.ConfigFile)
	want, err := store.ReadRoots(copied, store.MaxConfig)
	if err != nil {
		return nil, err
	}
	file := config.File(r.configFile)
	have, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil && string(have) == string(want) {
		_, err := r.config()
		return nil, err
	}
	own := config.Default()
	if err == nil && !r.with {
		if own, err = config.Parse(have); err != nil || !own.IsDefault() {
			r.say(fmt.Sprintf("%s is kept: it is this machine's own. That of the backup is %s; --with-config takes it", file, copied))
			_, err := r.config()
			return nil, err
		}
	}
	cfg, err := config.Parse(want)
	if err != nil {
		return nil, usageError{fmt.Errorf("the configuration in the backup, %s, is not for this picday: %w. Write %s by hand and run it again", copied, err, file)}
	}
	if !r.with {
		if err := r.askForConfig(config.Differences(own, cfg), copied); err != nil {
			return nil, err
		}
	}
	r.cfg = &cfg
	return want, nil
}

// askForConfig refuses a configuration that says what is run, where files are, or
// who can connect.
func (r *restoring) askForConfig(all []config.Difference, copied string) error {
	grave := false
	var lines []string
	for _, d := range all {
		grave = grave || strings.HasPrefix(d.Key, "sshd.") || strings.HasPrefix(d.Key, "web.") || strings.HasSuffix(d.Key, "_dir")
		lines = append(lines, fmt.Sprintf("  %s: %s here, %s in the backup", d.Key, d.Here, d.There))
	}
	if !grave {
		return nil
	}
	again := []string{"picday", "restore", r.dir}
	if r.configFile != "" {
		again = append(again, "--config", r.configFile)
	}
	if r.catalogue != filepath.Join(r.folder, store.CatalogueFile) {
		again = append(again, "--catalogue", r.catalogue)
	}
	return refusef("the configuration in the backup (%s) says what is run, where files are, or who can connect, and nothing was changed yet. It differs from this machine's:\n%s\nTo take it: %s\nTo keep this machine's: %s",
		copied, strings.Join(lines, "\n"), shell.Line(append(again, "--with-config")...), shell.Line(append(again, "--without-config")...))
}

func (r *restoring) putConfig(text []byte) error {
	if text == nil {
		return nil
	}
	file := config.File(r.configFile)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	r.say("put " + file + " back")
	return durable.WriteFile(file, text, 0o644)
}
