package web

import (
	"net/http"
	"slices"
	"strconv"

	"picday/internal/contract"
	"picday/store"
)

// apiProposals lists changes of who is on photos.
func apiProposals(w http.ResponseWriter, v *visit) error {
	q, limit, behind, err := readList(v, 1, "account", "state")
	if err != nil {
		return err
	}
	last, err := number(behind[0], 1)
	if err != nil {
		return err
	}
	state := store.ProposalState(q.Get("state"))
	if state != "" && !slices.Contains([]store.ProposalState{store.ProposalOpen, store.ProposalApproved, store.ProposalRejected, store.ProposalUndone}, state) {
		return refuse(http.StatusBadRequest, "state is open, approved, rejected or undone.")
	}
	all, err := v.view.Proposals(v.Context(), store.ProposalQuery{Account: q.Get("account"), State: state, After: last, Limit: limit + 1})
	if err != nil {
		return err
	}
	rows, next := page(all, limit, func(p store.Proposal) string { return cursor(strconv.FormatInt(p.ID, 10)) })
	out := []contract.Proposal{}
	for _, p := range rows {
		row, err := contract.NewProposal(p, func(id int64) (string, error) {
			photo, err := v.view.Photo(v.Context(), id)
			return photo.Path, err
		}, func(id int64) (string, error) {
			s, err := v.view.Subject(v.Context(), id)
			return s.Code, err
		})
		if err != nil {
			return err
		}
		out = append(out, row)
	}
	return tell(w, v, struct {
		Proposals []contract.Proposal `json:"proposals"`
		Next      *string             `json:"next"`
	}{out, next})
}
