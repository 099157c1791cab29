package account

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"picday/store"
)

// From OpenSSH 9.8 on, sshd refuses an address for a while after some wrong log-ins,
// and a whole school may share one address. This can only be set for sshd as a
// whole, so picday does not change it: doctor says what to write.

// patient is how many wrong log-ins in a row an address should survive: programs at
// a few desks that were given a mistyped password.
const patient = 15

func (s *System) checkPenalties(ctx context.Context, f *findings, accounts []store.Account) {
	const check = "penalties"
	e, err := s.effective(ctx, "root", from(sampleIPv4[0]))
	if err != nil {
		return // reported with the accounts
	}
	message, lines := penalties(e, accounts)
	switch {
	case message != "":
		f.warn(check, message, fmt.Sprintf("put into a file of its own, such as %s/10-penalties.conf: %s", filepath.Dir(s.Config.SSHD.DropIn), strings.Join(lines, " and in the next line: ")))
	case len(e.values["persourcepenalties"]) > 0:
		f.ok(check, "wrong log-ins of one uploader do not shut out others at the same address")
	}
}

// penalties returns whom sshd's penalties can shut out, and the lines of sshd's
// configuration that end it; "" if nobody, or if OpenSSH is older.
func penalties(e effective, accounts []store.Account) (message string, lines []string) {
	spec := strings.Fields(strings.Join(e.values["persourcepenalties"], " "))
	authfail, least := amount(spec, "authfail"), amount(spec, "min")
	if authfail == 0 { // not there, or off
		return "", nil
	}
	tries := max((least+authfail-1)/authfail, 1)
	exempt := strings.Split(strings.Join(e.values["persourcepenaltyexemptlist"], ","), ",")
	exempt = slices.DeleteFunc(exempt, func(x string) bool { return x == "" || x == "none" })
	var networks, who, open []string
	for _, a := range accounts {
		if !a.Enabled || a.Flawed() != nil {
			continue
		}
		if len(a.AllowFrom) == 0 && tries < patient && !slices.Contains(exempt, "*") {
			open = append(open, a.Name)
		}
		for _, p := range a.AllowFrom {
			if tries < patient && !covered(p, exempt) && !slices.Contains(networks, p.String()) {
				networks = append(networks, p.String())
				if !slices.Contains(who, a.Name) {
					who = append(who, a.Name)
				}
			}
		}
	}
	if len(networks)+len(open) == 0 {
		return "", nil
	}
	if len(networks) > 0 {
		lines = append(lines, "PerSourcePenaltyExemptList "+strings.Join(append(exempt, networks...), ","))
	}
	if len(open) > 0 {
		lines = append(lines, "PerSourcePenalties authfail:1")
	}
	return fmt.Sprintf("after %d wrong log-ins, by whomever, sshd refuses everybody at that address for a while: all uploaders of a school, for one mistyped password (accounts: %s)",
		tries, strings.Join(append(who, open...), ", ")), lines
}

// amount returns the number of seconds of a key, or 0.
func amount(spec []string, key string) int {
	for _, word := range spec {
		if k, value, _ := strings.Cut(word, ":"); k == key {
			n, _ := strconv.Atoi(value)
			return n
		}
	}
	return 0
}

func covered(p netip.Prefix, exempt []string) bool {
	return slices.ContainsFunc(exempt, func(x string) bool {
		e, err := netip.ParsePrefix(x)
		if addr, aerr := netip.ParseAddr(x); err != nil && aerr == nil {
			e, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		return x == "*" || err == nil && e.Bits() <= p.Bits() && e.Contains(p.Addr())
	})
}
