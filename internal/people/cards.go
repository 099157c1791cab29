package people

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"picday/internal/cardsheet"
	"picday/internal/durable"
	"picday/internal/failure"
	"picday/store"
)

// Cards prints cards into a file.
type Cards struct {
	File     string // .pdf or .html
	Missing  bool   // only of those who have no photo
	PerSheet int
	Spare    int // so many new cards for nobody yet, and no others
}

// Run writes the file, and returns sentences that say what is in it.
func (x *Cards) Run(ctx context.Context, p Place) ([]string, error) {
	var err error
	write := map[string]func(*bytes.Buffer, string, []cardsheet.Card, int) error{
		".pdf":  func(b *bytes.Buffer, t string, c []cardsheet.Card, n int) error { return cardsheet.PDF(b, t, c, n) },
		".html": func(b *bytes.Buffer, t string, c []cardsheet.Card, n int) error { return cardsheet.HTML(b, t, c, n) },
	}[strings.ToLower(filepath.Ext(x.File))]
	if write == nil {
		return nil, failure.Usagef("-o %s: give a file that ends in .pdf or .html", x.File)
	}
	if !slices.Contains(cardsheet.PerSheet, x.PerSheet) {
		return nil, failure.Usagef("--per-sheet %d: use 1, 2, 4, 6 or 8", x.PerSheet)
	}
	if x.Spare < 0 || x.Spare > 1000 || x.Spare > 0 && x.Missing {
		return nil, failure.Usagef("--spare %d: give at most 1000, without --missing", x.Spare)
	}
	var cards []cardsheet.Card
	if x.Spare > 0 {
		spares, err := p.addSpares(ctx, x.Spare)
		if err != nil {
			return nil, err
		}
		cards = cardsOf(spares)
	} else if cards, err = p.CardsFor(ctx, x.Missing, ""); err != nil {
		return nil, err
	}
	if len(cards) == 0 {
		return []string{"nobody needs a card: no file was written"}, nil
	}
	var b bytes.Buffer
	if err := write(&b, cmp.Or(p.Job, p.Account.Name), cards, x.PerSheet); err != nil {
		return nil, err
	}
	if err := durable.WriteFile(x.File, b.Bytes(), 0o600); err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("%d cards in %s", len(cards), x.File)}, nil
}

// CardsFor are the cards of everybody, or of those without a photo, of a class or ("") of all.
func (p Place) CardsFor(ctx context.Context, missing bool, class string) ([]cardsheet.Card, error) {
	subjects, err := p.list(ctx, store.SubjectQuery{Missing: missing, Class: class})
	if missing { // a spare card is for nobody, who cannot be missing
		subjects = slices.DeleteFunc(subjects, func(s store.Subject) bool { return s.Kind == store.Spare })
	}
	return cardsOf(subjects), err
}

// cardsOf are the cards of subjects. Whoever is no longer on the list gets none.
func cardsOf(subjects []store.Subject) (cards []cardsheet.Card) {
	for _, s := range subjects {
		if s.Listed != store.MissingOnList {
			cards = append(cards, cardsheet.Card{Code: s.Code, Name: s.Name(), Class: s.Class})
		}
	}
	return cards
}

// addSpares adds cards for nobody yet, numbered behind those that there are.
func (p Place) addSpares(ctx context.Context, n int) (added []store.Subject, err error) {
	_, s, err := p.scope(ctx)
	if err != nil {
		return nil, err
	}
	known, err := p.list(ctx, store.SubjectQuery{Kind: store.Spare})
	if err != nil {
		return nil, err
	}
	last := 0
	for _, k := range known {
		var number int
		if _, err := fmt.Sscanf(k.Last, "Extra %d", &number); err == nil && k.Kind == store.Spare {
			last = max(last, number)
		}
	}
	err = p.Update(ctx, func(tx *store.Tx) error {
		for i := range n {
			spare, err := tx.AddSubject(store.Subject{AccountID: s.AccountID, JobID: s.JobID, Kind: store.Spare, Last: fmt.Sprintf("Extra %d", last+1+i)})
			if err != nil {
				return err
			}
			added = append(added, spare)
		}
		return nil
	})
	return added, err
}
