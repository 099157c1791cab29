package explain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"picday/store"
)

// cardReasons say why a photo is a card or nobody's. Those with %s name the photo where the
// doubt began.
var cardReasons = map[store.Why]string{
	store.CardKnown: "It is the picture of a card, so its link shows nothing.", store.CardEmpty: "It is the picture of a card that no photo belongs to. Its link shows nothing.",
	store.CardUnread:  "It is the picture of a card whose code could not be read, so its link shows nothing and what belongs to it is nobody's. Type its code on the pages.",
	store.CardForeign: "It is the picture of a card of another job, so its link shows nothing and what belongs to it is nobody's.",
	store.CardRefused: "It is the picture of a card whose code nobody has, so its link shows nothing and what belongs to it is nobody's. Bring the list of people, or say on the pages that it is no card.",
	"no-card":         "It is nobody's: no card belongs to it.", "unread-card": "It is nobody's: the code of the card %s could not be read.", "foreign-card": "It is nobody's: the card %s is of another job.",
	"refused-card": "It is nobody's: nobody has the code of the card %s.", "counter-gap": "It is nobody's: between %s and this a picture is missing, which may have been a card.",
	"order-in-doubt": "It is nobody's: from %s on, the camera's clock and its counter disagree about the order.", "no-order": "It is nobody's: the picture has neither the time nor a number.",
}

// cards finds out whose the published photo is.
func (f *facts) cards(ctx context.Context) error {
	v := f.Store.View(f.Account.ID)
	all, why, at, err := v.Whose(ctx, *f.Photo)
	if err != nil {
		return err
	}
	if text := cardReasons[why]; text != "" {
		if at != 0 {
			f.whose = append(f.whose, fmt.Sprintf(text, f.nameOf(ctx, at)))
		} else if why != "order-in-doubt" {
			f.whose = append(f.whose, text)
		} else {
			f.whose = append(f.whose, "It is nobody's: the camera's clock and its counter disagree about the order of this album.")
		}
	}
	for _, a := range all {
		s, err := v.Subject(ctx, a.SubjectID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		text := "It belongs to subject " + s.Code
		if s.Class != "" {
			text += ", class " + s.Class
		}
		f.whose = append(f.whose, text+f.by(ctx, a)+".")
	}
	return nil
}

// by says by what an assignment is known.
func (f *facts) by(ctx context.Context, a store.Assignment) string {
	switch {
	case a.Way == store.ByOperator && a.Operator == "":
		return ", as root said on the command line"
	case a.Way == store.ByOperator:
		return ", as the operator " + a.Operator + " said"
	case a.Way == store.ByRoster:
		return ", by the list of people"
	case a.CardID == 0:
		return ", by a card"
	}
	card, err := f.Store.View(f.Account.ID).Photo(ctx, a.CardID)
	if err != nil {
		return ", by a card"
	}
	text := ", by the card " + card.File
	if took, taken := card.Taken.Clock, f.Photo.Taken.Clock; !took.IsZero() && !taken.IsZero() {
		switch apart := taken.Sub(took).Round(time.Second); {
		case apart >= 0:
			text += fmt.Sprintf(" taken %s before by the same camera", spoken(apart))
		default:
			text += fmt.Sprintf(" taken %s after by the same camera", spoken(-apart))
		}
	}
	return text
}

// spoken is a time as people say it: 12 s, 5 min, 3 h.
func spoken(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d h", d/time.Hour)
}

func (f *facts) nameOf(ctx context.Context, id int64) string {
	p, err := f.Store.View(f.Account.ID).Photo(ctx, id)
	if err != nil {
		return "a picture that is gone"
	}
	return p.File
}
