package provision

import (
	"context"
	"os"

	"picday/internal/account"
	"picday/internal/config"
	"picday/store"
)

// Firewall reads the networks of all accounts; also are further ones.
func Firewall(ctx context.Context, cfg config.Config, s *store.Store, also []string) (account.Firewall, error) {
	if os.Geteuid() == 0 {
		// The catalogue is the last to hear of a new allowlist. Whoever was
		// woken by the change of sshd's files waits for it here.
		release, err := account.New(cfg).Lock(ctx)
		if err != nil {
			return account.Firewall{}, err
		}
		defer release()
	}
	accounts, err := s.All().Accounts(ctx)
	if err != nil {
		return account.Firewall{}, err
	}
	return account.NewFirewall(cfg.SSHD.Port, accounts, also)
}
