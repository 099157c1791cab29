package people

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"picday/internal/contract"
	"picday/internal/failure"
	"picday/store"
)

// Proposals returns what lists changes of who is on photos, of an account or ("") of all, in
// one state or ("all") in any.
func Proposals(state *string) func(ctx context.Context, s *store.Store, account string) ([]contract.Proposal, error) {
	return func(ctx context.Context, s *store.Store, account string) ([]contract.Proposal, error) {
		q := store.ProposalQuery{Account: account, State: store.ProposalState(*state)}
		if *state == "all" {
			q.State = ""
		}
		return proposals(ctx, s.All(), q)
	}
}

func proposals(ctx context.Context, v store.View, q store.ProposalQuery) (all []contract.Proposal, err error) {
	found, err := v.Proposals(ctx, q)
	for _, p := range found {
		row, err := contract.NewProposal(p, func(id int64) (string, error) {
			photo, err := v.Photo(ctx, id)
			return photo.Path, err
		}, func(id int64) (string, error) {
			x, err := v.Subject(ctx, id)
			return x.Code, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, err
}

// Decisions are what can be done with a proposal.
var Decisions = map[string]func(*store.Tx, int64, string) error{"approve": (*store.Tx).Approve, "reject": (*store.Tx).Reject, "undo": (*store.Tx).Undo}

// Decide does one of the Decisions with the proposal of this number, and says what that
// means.
func Decide(ctx context.Context, s *store.Store, decision, number string) ([]string, error) {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, failure.Usagef("%q is no number of a proposal: see 'picday proposal list'", number)
	}
	err = s.Update(ctx, func(tx *store.Tx) error { return Decisions[decision](tx, id, "") })
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, fmt.Errorf("%w: see 'picday proposal list'. One that waits gets another number when more photos or cards come", err)
	case errors.Is(err, store.ErrNotOpen) && decision == "undo":
		return nil, failure.Refusalf("nothing was changed: proposal %d is not an approved one: see 'picday proposal list --state all'", id)
	case errors.Is(err, store.ErrNotOpen):
		return nil, failure.Refusalf("nothing was changed: proposal %d waits no more: see 'picday proposal list --state all'", id)
	case errors.Is(err, store.ErrChangedSince):
		return nil, failure.Refusalf("nothing was changed: %w; picday proposes anew what is left of it", err)
	case err != nil:
		return nil, err
	}
	return []string{fmt.Sprintf("proposal %d: ", id) + map[string]string{
		"approve": "its photos belong to whom it says, and have new links; the old ones are dead",
		"reject":  "its photos stay whose they are; cards do not change that any more",
		"undo":    "its photos are whose they were before, with new links again; cards do not change that any more",
	}[decision]}, nil
}
