package main

import (
	"context"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"picday/account"
)

func (a *app) firewallCommand() *cobra.Command {
	var also []string
	var noAdmin, ignoreOpen bool
	cmd := a.command("firewall", "Print nftables rules that let only the accounts' networks reach SSH", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		f, err := a.firewall(ctx, also)
		if err != nil {
			return err
		}
		if len(f.Out) > 0 && !ignoreOpen {
			return refusef("these accounts may upload from anywhere, and a firewall would shut them out: %s\nTo give each its networks: picday account allow NAME CIDR...\nTo print it all the same, add --ignore-open",
				strings.Join(f.Out, ", "))
		}
		if len(also) == 0 && !noAdmin {
			return refusef("no network of yours is named, and this is about your own SSH logins too.\nTo name yours, add --also CIDR\nIf nobody administers this machine by SSH on port %d, add --no-admin", f.Port)
		}
		if f.Empty() {
			return refusef("no account has networks, so nobody at all could connect to port %d.\nTo name networks: picday account allow NAME CIDR...", f.Port)
		}
		if from, ok := sessionFrom(os.Getenv("SSH_CONNECTION"), f.Port); ok && !noAdmin && !f.Admits(from) {
			return refusef("you are logged in from %s, which this would shut out: add it with --also %[1]s", from)
		}
		_, err = a.stdout.Write(f.Nft())
		return err
	})
	cmd.Long = `Print an nftables file that lets only the networks of all enabled accounts, and
those given with --also, open connections to SSH, on the port that picday.toml
names under [sshd]. Nobody else gets an answer: the connection times out.
Nothing is in force until you load it; picday never does. Loading it replaces
the table "inet picday" in one go and touches no other table, and connections
that are open go on.

This is about every login by SSH on that port, yours too. So it is refused, with
exit status 4, without --also (or --no-admin), when the address you are logged
in from is not in the set, as far as sudo lets it be known, when an enabled
account may upload from anywhere, and when nobody could connect at all.

The set is as old as its last loading. The units picday-firewall.service, .path
and .timer load it after every change of an account, at boot, and every 15
minutes, in case somebody has flushed it. They do nothing until you enable them:
say who you are with "systemctl edit picday-firewall.service", adding

  [Service]
  Environment="PICDAY_FIREWALL=--also 198.51.100.0/24"

and then "systemctl enable --now picday-firewall.{service,path,timer}". If it is
refused later the unit fails, and the last set that was good stays in force.`
	cmd.Example = `  picday firewall --also 198.51.100.0/24               # look at it first
  systemd-run --unit=picday-way-back --on-active=5min nft delete table inet picday
                                                       # a way back, by itself
  picday firewall --also 198.51.100.0/24 | nft -f -    # load it
  systemctl stop picday-way-back.timer                 # you can still log in: keep it`
	cmd.Flags().StringArrayVar(&also, "also", nil, "address or network `CIDR` that may connect too, such as your own; repeatable")
	cmd.Flags().BoolVar(&noAdmin, "no-admin", false, "do without --also: nobody administers this machine by SSH on that port")
	cmd.Flags().BoolVar(&ignoreOpen, "ignore-open", false, "shut out accounts that may upload from anywhere")
	return cmd
}

// firewall reads the accounts' networks.
func (a *app) firewall(ctx context.Context, also []string) (account.Firewall, error) {
	s, err := a.open(ctx)
	if err != nil {
		return account.Firewall{}, err
	}
	if os.Geteuid() == 0 {
		// The catalogue is the last to hear of a new allowlist. Whoever was
		// woken by the change of sshd's files waits for it here.
		release, err := account.New(*a.cfg).Lock(ctx)
		if err != nil {
			return account.Firewall{}, err
		}
		defer release()
	}
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return account.Firewall{}, err
	}
	return account.NewFirewall(a.cfg.SSHD.Port, accounts, also)
}

// sessionFrom is the address from which this very session came in by SSH on
// the port, as far as sudo lets it be known.
func sessionFrom(connection string, port int) (netip.Addr, bool) {
	fields := strings.Fields(connection) // client's address and port, ours
	if len(fields) != 4 || fields[3] != strconv.Itoa(port) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(fields[0])
	return addr, err == nil && !addr.IsLoopback()
}
