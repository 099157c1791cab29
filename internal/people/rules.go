package people

import (
	"context"
	"fmt"
	"time"

	"picday/internal/contract"
	"picday/internal/failure"
	"picday/store"
)

// Rules changes how a job deals with cards; empty fields change nothing.
type Rules struct {
	Card    string // before or after the photos of its subject
	Unknown string // take or refuse codes that nobody has
	Quiet   string // a duration
}

// Run makes the changes, and returns what holds then.
func (x *Rules) Run(ctx context.Context, p Place) (rules contract.CardRules, err error) {
	job, err := p.View.Job(ctx, p.Account.Name, p.Job)
	if err != nil {
		return rules, fmt.Errorf("%w: see 'picday job list'", err)
	}
	r := job.Cards
	for _, c := range []struct {
		flag, value, no, yes string
		to                   *bool
	}{{"card", x.Card, "before", "after", &r.Last}, {"unknown", x.Unknown, "take", "refuse", &r.RefuseUnknown}} {
		switch c.value {
		case "":
		case c.no, c.yes:
			*c.to = c.value == c.yes
		default:
			return rules, failure.Usagef("--%s %s: use %s or %s", c.flag, c.value, c.no, c.yes)
		}
	}
	if x.Quiet != "" {
		if r.Quiet, err = time.ParseDuration(x.Quiet); err != nil || r.Quiet < 0 || r.Quiet > store.MaxQuiet {
			return rules, failure.Usagef("--quiet %s: give a time from 0s to %s, such as 10m", x.Quiet, store.MaxQuiet)
		}
	}
	if r != job.Cards {
		err = p.Update(ctx, func(tx *store.Tx) error { return tx.SetCardRules(job, r) })
	}
	return contract.NewCardRules(r), err
}
