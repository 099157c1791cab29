package contract

import (
	"fmt"
	"io"
	"time"

	"picday/store"
)

// A Proposal is a change of who is on the photos of an album, which waits for a person or
// which one has decided about.
type Proposal struct {
	ID        int64               `json:"id"`
	Account   string              `json:"account"`
	Job       string              `json:"job"`
	Album     string              `json:"album"`
	State     store.ProposalState `json:"state"`
	At        time.Time           `json:"at"`
	DecidedAt *time.Time          `json:"decided_at"`
	Operator  string              `json:"operator"` // who decided; empty while it is open, or on the command line
	Photos    []ProposedPhoto     `json:"photos"`
}

// A ProposedPhoto is one photo of a proposal.
type ProposedPhoto struct {
	Photo   int64    `json:"photo"` // its number, as photos have it
	Path    string   `json:"path"`
	Was     []string `json:"was"`     // the codes of who is on it, none = nobody
	Becomes []string `json:"becomes"` // and of who would be
	Card    string   `json:"card"`    // the path of the photo of the card that says so, empty = none
}

// CardRules are how a job deals with cards.
type CardRules struct {
	Card         string `json:"card"`          // before, or after: where it is taken, of its subject's photos
	Unknown      string `json:"unknown"`       // take, or refuse: a code that nobody has
	QuietSeconds int    `json:"quiet_seconds"` // after the last upload into an album; then changes wait for a person
}

// NewCardRules shows them.
func NewCardRules(r store.CardRules) CardRules {
	c := CardRules{"before", "take", int(r.Quiet / time.Second)}
	if r.Last {
		c.Card = "after"
	}
	if r.RefuseUnknown {
		c.Unknown = "refuse"
	}
	return c
}

// Text writes them for people, with a tab between two columns.
func (c CardRules) Text(w io.Writer) {
	fmt.Fprintf(w, "a card is taken\t%s its subject's photos\n", c.Card)
	fmt.Fprintf(w, "a code that nobody has\t%s\n", map[string]string{"take": "makes a new, unnamed person", "refuse": "is refused"}[c.Unknown])
	fmt.Fprintf(w, "changes wait for a person\t%s after the last upload into an album\n", time.Duration(c.QuietSeconds)*time.Second)
}

// NewProposal shows a proposal. path and code name a photo and a subject by their IDs.
func NewProposal(p store.Proposal, path func(int64) (string, error), code func(int64) (string, error)) (Proposal, error) {
	out := Proposal{
		ID: p.ID, Account: p.Account, Job: p.Job, Album: p.Album, State: p.State, At: p.At, Operator: p.Operator, Photos: []ProposedPhoto{},
	}
	if !p.DecidedAt.IsZero() {
		out.DecidedAt = &p.DecidedAt
	}
	for _, q := range p.Photos {
		photo := ProposedPhoto{Photo: q.PhotoID, Was: []string{}, Becomes: []string{}}
		var err error
		if photo.Path, err = path(q.PhotoID); err != nil {
			return out, err
		}
		if q.CardID != 0 {
			if photo.Card, err = path(q.CardID); err != nil {
				return out, err
			}
		}
		for _, side := range []struct {
			ids []int64
			to  *[]string
		}{{q.Was, &photo.Was}, {q.Becomes, &photo.Becomes}} {
			for _, id := range side.ids {
				text, err := code(id)
				if err != nil {
					return out, err
				}
				*side.to = append(*side.to, text)
			}
		}
		out.Photos = append(out.Photos, photo)
	}
	return out, nil
}
