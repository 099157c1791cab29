package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A ProposalState says what has become of a proposal.
type ProposalState string

// The states of proposals.
const (
	ProposalOpen     ProposalState = "open"
	ProposalApproved ProposalState = "approved"
	ProposalRejected ProposalState = "rejected"
	ProposalUndone   ProposalState = "undone" // after it was approved
)

// A Proposal is a change of who is on the photos of an album, which waits for a person
// because the album had been quiet before.
type Proposal struct {
	ID                  int64
	AccountID           int64
	Account, Job, Album string
	State               ProposalState
	At, DecidedAt       time.Time // DecidedAt is zero while it is open
	Operator            string    // who decided; "" = on the command line
	Photos              []ProposedPhoto
}

// A ProposedPhoto is one photo of a proposal, with the IDs of its subjects in their order.
type ProposedPhoto struct {
	PhotoID      int64
	Was, Becomes []int64
	CardID       int64 // the card that says so; 0 = none
}

// ErrNotOpen is returned for a proposal that somebody has decided about, or not yet.
var ErrNotOpen = errors.New("this was decided already")

// ErrChangedSince is returned for a proposal whose photos are no longer as it says.
var ErrChangedSince = errors.New("who is on these photos has changed since")

// propose replaces the open proposal of an album, if it differs.
func (tx *Tx) propose(d DueAlbum, photos []albumPhoto, want []ProposedPhoto) error {
	id, err := tx.openProposal(d)
	if err != nil {
		return err
	}
	slices.SortFunc(want, func(a, b ProposedPhoto) int { return int(max(-1, min(1, a.PhotoID-b.PhotoID))) })
	if id != 0 {
		is, err := proposedPhotos(tx.ctx, tx.t, id)
		if err != nil {
			return err
		}
		if slices.EqualFunc(is, want, func(a, b ProposedPhoto) bool {
			return a.PhotoID == b.PhotoID && slices.Equal(a.Was, b.Was) && slices.Equal(a.Becomes, b.Becomes) && a.CardID == b.CardID
		}) {
			return nil
		}
		if err := tx.execOne(`DELETE FROM proposal WHERE id = ?`, id); err != nil {
			return err
		}
	}
	if len(want) == 0 {
		return nil
	}
	res, err := tx.exec(`INSERT INTO proposal (account_id, job_id, album, state, at, operator) VALUES (?, ?, ?, 'open', ?, '')`, photos[0].accountID, d.JobID, d.Album, millis(tx.now))
	if err != nil {
		return err
	}
	if id, err = res.LastInsertId(); err != nil {
		return err
	}
	for _, p := range want {
		if _, err := tx.exec(`INSERT INTO proposal_photo VALUES (?, ?, ?, ?, nullif(?, 0))`, id, p.PhotoID, idsText(p.Was), idsText(p.Becomes), p.CardID); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) openProposal(d DueAlbum) (id int64, err error) {
	err = tx.queryRow(`SELECT id FROM proposal WHERE job_id = ? AND album = ? AND state = 'open'`, d.JobID, d.Album).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

func proposedPhotos(ctx context.Context, q querier, id int64) ([]ProposedPhoto, error) {
	return collect(ctx, q, func(r *sql.Rows) (p ProposedPhoto, err error) {
		var was, becomes string
		err = r.Scan(&p.PhotoID, &was, &becomes, &p.CardID)
		p.Was, p.Becomes = idsOf(was), idsOf(becomes)
		return p, err
	}, `SELECT photo_id, was, becomes, coalesce(card_id, 0) FROM proposal_photo WHERE proposal_id = ? ORDER BY photo_id`, id)
}

// A ProposalQuery selects proposals; an empty field means any.
type ProposalQuery struct {
	Account string
	State   ProposalState
	Job     Job
	After   int64 // the ID of the last one of the page before
	Limit   int
}

const proposalColumns = `SELECT r.id, r.account_id, a.name, j.name, r.album, r.state, r.at, coalesce(r.decided_at, 0), r.operator
	FROM proposal r JOIN account a ON a.id = r.account_id JOIN job j ON j.id = r.job_id `

func scanProposal(r *sql.Rows) (p Proposal, err error) {
	var at, decided int64
	err = r.Scan(&p.ID, &p.AccountID, &p.Account, &p.Job, &p.Album, &p.State, &at, &decided, &p.Operator)
	p.At, p.Operator, p.Job, p.Album = fromMillis(at), login(p.Operator), oneLine(p.Job), oneLine(p.Album)
	if decided != 0 {
		p.DecidedAt = fromMillis(decided)
	}
	return p, err
}

// Proposals lists proposals with their photos, by ID.
func (v View) Proposals(ctx context.Context, q ProposalQuery) ([]Proposal, error) {
	var w where
	v.only(&w, "r.account_id")
	w.text("a.name = ?", q.Account)
	w.text("r.state = ?", string(q.State))
	w.number("r.job_id = ?", q.Job.ID)
	w.number("r.id > ?", q.After)
	all, err := collect(ctx, v.s.read, scanProposal, proposalColumns+w.sql()+` ORDER BY r.id LIMIT ?`, append(w.args, limited(q.Limit))...)
	for i := range all {
		if err == nil {
			all[i].Photos, err = proposedPhotos(ctx, v.s.read, all[i].ID)
		}
	}
	return all, err
}

// Proposal finds one proposal with its photos.
func (v View) Proposal(ctx context.Context, id int64) (Proposal, error) {
	return v.proposal(ctx, v.s.read, id)
}

func (v View) proposal(ctx context.Context, q querier, id int64) (Proposal, error) {
	var w where
	v.only(&w, "r.account_id")
	w.add("r.id = ?", id)
	all, err := collect(ctx, q, scanProposal, proposalColumns+w.sql(), w.args...)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("proposal %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return Proposal{}, err
	}
	all[0].Photos, err = proposedPhotos(ctx, q, id)
	return all[0], err
}

// Approve does what a proposal says, and gives the photos new links, because whoever had
// them before may have the old ones. It fails with ErrNotOpen or ErrChangedSince.
func (tx *Tx) Approve(id int64, operator string) error {
	p, err := tx.decide(id, ProposalOpen, ProposalApproved, operator)
	if err != nil {
		return err
	}
	for _, q := range p.Photos {
		if err := tx.swap(q.PhotoID, q.Was, q.Becomes, Assignment{Way: ByCard, CardID: q.CardID}, operator); err != nil {
			return err
		}
	}
	// From now on it changes by approval only, as before.
	_, err = tx.exec(`UPDATE subject_photo SET at = min(at, (SELECT c.sealed_at FROM proposal r JOIN card_album c ON c.job_id = r.job_id AND c.album = r.album WHERE r.id = ?1))
		WHERE photo_id IN (SELECT photo_id FROM proposal_photo WHERE proposal_id = ?1)`, id)
	return err
}

// Reject leaves the photos as they are, and has a person's word for it: cards do not change
// them any more.
func (tx *Tx) Reject(id int64, operator string) error {
	p, err := tx.decide(id, ProposalOpen, ProposalRejected, operator)
	for _, q := range p.Photos {
		if err == nil {
			_, err = tx.exec(`UPDATE subject_photo SET way = 'operator', card_id = NULL, operator = ? WHERE photo_id = ?`, operator, q.PhotoID)
		}
	}
	return err
}

// Undo puts back what was before a proposal was approved, with new links again. Cards do
// not change these photos any more.
func (tx *Tx) Undo(id int64, operator string) error {
	p, err := tx.decide(id, ProposalApproved, ProposalUndone, operator)
	for _, q := range p.Photos {
		if err == nil {
			err = tx.swap(q.PhotoID, q.Becomes, q.Was, Assignment{Way: ByOperator, Operator: operator}, operator)
		}
	}
	return err
}

func (tx *Tx) decide(id int64, from, to ProposalState, operator string) (Proposal, error) {
	p, err := tx.s.All().proposal(tx.ctx, tx.t, id)
	if err != nil {
		return p, err
	}
	if p.State != from {
		return p, ErrNotOpen
	}
	if err := tx.execOne(`UPDATE proposal SET state = ?, decided_at = ?, operator = ? WHERE id = ?`, to, millis(tx.now), operator, id); err != nil {
		return p, err
	}
	if _, err := tx.exec(`UPDATE job SET regrouped = regrouped + 1 WHERE id = (SELECT job_id FROM proposal WHERE id = ?)`, id); err != nil {
		return p, err
	}
	return p, tx.addActivity(Activity{AccountID: p.AccountID, Event: EventProposal, Path: p.Job + "/" + p.Album, Detail: string(to), Operator: operator})
}

// swap changes who is on a photo, and its link.
func (tx *Tx) swap(photoID int64, was, becomes []int64, a Assignment, operator string) error {
	now, err := tx.AssignmentsOf(photoID)
	if err != nil {
		return err
	}
	if is, _ := subjectsOf(now); !slices.Equal(is, was) {
		return ErrChangedSince
	}
	if err := tx.reassign(photoID, was, becomes, a); err != nil {
		return err
	}
	_, err = tx.Rotate(photoID, operator)
	return err
}
