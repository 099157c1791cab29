package restore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/internal/config"
	"picday/store/backup"
)

// A ConfigChoice says whose configuration is used.
type ConfigChoice int

const (
	// DecideConfig keeps a configuration that was written for this machine.
	// Otherwise it takes the backup's, unless that sets something grave.
	DecideConfig ConfigChoice = iota
	TakeConfig
	KeepConfig
)

// A ConfigPlan is the configuration to restore with.
type ConfigPlan struct {
	Config config.Config
	File   string // this machine's configuration file
	Text   []byte // what File becomes; nil leaves it as it is
	// Ignored is the backup's configuration file, if this machine's own is kept
	// although the two differ.
	Ignored string
}

// InvalidConfigError is returned for a configuration that does not parse.
type InvalidConfigError struct {
	File       string // this machine's
	BackupFile string // the backup's, if that is the one
	Err        error
}

func (e *InvalidConfigError) Error() string {
	if e.BackupFile == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("the configuration in the backup, %s, is not for this picday: %v", e.BackupFile, e.Err)
}

func (e *InvalidConfigError) Unwrap() error { return e.Err }

// UnconfirmedConfigError is returned for a configuration in the backup that
// says what is run, where files are, or who can connect. It is taken only with
// TakeConfig.
type UnconfirmedConfigError struct {
	BackupFile  string
	Differences []config.Difference // Here is this machine's value, There the backup's
}

func (e *UnconfirmedConfigError) Error() string {
	return fmt.Sprintf("the configuration in the backup (%s) says what is run, where files are, or who can connect", e.BackupFile)
}

// PlanConfig decides which configuration is used, and changes nothing. name is
// this machine's configuration file as config.Load takes it.
func (src *Source) PlanConfig(name string, choice ConfigChoice) (ConfigPlan, error) {
	file := config.File(name)
	keep := func(ignored string) (ConfigPlan, error) {
		cfg, err := config.Load(name)
		if err != nil {
			err = &InvalidConfigError{File: file, Err: err}
		}
		return ConfigPlan{Config: cfg, File: file, Ignored: ignored}, err
	}
	if choice == KeepConfig || src.Manifest.Files[backup.ConfigFile] == "" {
		return keep("")
	}
	copied := filepath.Join(src.Folder, backup.ConfigFile)
	want, err := backup.ReadRootOwned(copied, backup.MaxConfig)
	if err != nil {
		return ConfigPlan{}, err
	}
	have, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ConfigPlan{}, err
	}
	there := err == nil
	if there && string(have) == string(want) {
		return keep("")
	}
	own := config.Default()
	if there && choice == DecideConfig {
		if own, err = config.Parse(have); err != nil || !own.IsDefault() {
			return keep(copied)
		}
	}
	cfg, err := config.Parse(want)
	if err != nil {
		return ConfigPlan{File: file}, &InvalidConfigError{file, copied, err}
	}
	if differences := config.Differences(own, cfg); choice == DecideConfig && anyGrave(differences) {
		return ConfigPlan{}, &UnconfirmedConfigError{copied, differences}
	}
	return ConfigPlan{Config: cfg, File: file, Text: want}, nil
}

func anyGrave(all []config.Difference) bool {
	for _, d := range all {
		if strings.HasPrefix(d.Key, "sshd.") || strings.HasPrefix(d.Key, "web.") || strings.HasSuffix(d.Key, "_dir") {
			return true
		}
	}
	return false
}
