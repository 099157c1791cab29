package restore

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"picday/internal/account"
	"picday/internal/durable"
	"picday/store"
	"picday/store/backup"
)

// Capture writes into a backup's folder what the catalogue does not know and a
// restore needs: the credentials of accounts and log-ins, and the configuration file if
// there is one. secrets is System.Secrets. Capture returns the names of those
// without a Unix user, whose credentials are not in the backup.
func Capture(ctx context.Context, folder string, catalogue *store.Store, secrets func(name string) (account.Secrets, error), configFile string) (missing []string, err error) {
	accounts, err := catalogue.All().Accounts(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]account.Secrets{}
	var names []string
	for _, acct := range accounts {
		names = append(names, acct.Name)
		for _, l := range acct.Logins {
			names = append(names, l.Name)
		}
	}
	for _, name := range names {
		sec, err := secrets(name)
		if errors.Is(err, account.ErrNoAccount) {
			missing = append(missing, name)
			continue
		}
		if err != nil {
			return missing, err
		}
		all[name] = sec
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return missing, err
	}
	if err := durable.WriteFile(filepath.Join(folder, backup.AccountsFile), append(text, '\n'), 0o600); err != nil {
		return missing, err
	}
	text, err = os.ReadFile(configFile)
	if errors.Is(err, fs.ErrNotExist) {
		return missing, nil
	}
	if err != nil {
		return missing, err
	}
	return missing, durable.WriteFile(filepath.Join(folder, backup.ConfigFile), text, 0o600)
}
