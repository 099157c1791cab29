package series

import "slices"

// Assign says whose the photos of one album are. cardLast is how the job is set.
func Assign(photos []Photo, cardLast bool) Result {
	r := Result{Whose: make(map[int64]Whose, len(photos))}
	for _, lane := range byCamera(photos) {
		r.lane(lane, cardLast)
	}
	for _, p := range photos {
		switch {
		case p.Card.Kind != NoCard:
			r.Whose[p.ID] = Whose{Why: IsCard}
		case p.Group:
			r.Whose[p.ID] = Whose{Why: GroupArea, Everyone: true}
		}
	}
	slices.Sort(r.Empty)
	return r
}

func (r *Result) lane(lane []shot, cardLast bool) {
	ordered, rest, lost := order(lane)
	for _, s := range lost {
		r.Whose[s.ID] = Whose{Why: NoOrder}
	}
	doubt := Whose{Why: Disagreement}
	if len(ordered) > 0 && len(rest) > 0 {
		doubt.At = rest[0].ID
	}
	for _, s := range rest {
		r.Whose[s.ID] = doubt
	}
	state := Whose{Why: NoCardYet}
	if cardLast {
		slices.Reverse(ordered)
		if len(rest) > 0 {
			state = doubt
		}
	}
	photos := 0 // of the series
	end := func() {
		if state.Why == ByCard && photos == 0 {
			r.Empty = append(r.Empty, state.Card)
		}
		photos = 0
	}
	for i, s := range ordered {
		if i > 0 && gap(ordered[i-1], s) {
			if state.Why != NoCardYet && state.Why != Disagreement {
				end()
				state = Whose{Why: AfterGap, At: ordered[i-1].ID}
			}
		}
		switch {
		case s.Card.Kind != NoCard:
			end()
			state = s.begins()
		case s.Group:
		default:
			r.Whose[s.ID] = state
			photos++
		}
	}
	end()
}

// begins is what follows a card.
func (s shot) begins() Whose {
	switch {
	case s.Group:
		// A card among pictures of groups is nobody's own.
		return Whose{Why: NoCardYet}
	case s.Card.Kind == Foreign:
		return Whose{Why: AfterForeign, At: s.ID}
	case s.Card.Kind == Refused:
		return Whose{Why: AfterRefused, At: s.ID}
	case s.Card.Kind == Known && (len(s.Card.Subjects) > 0 || s.Card.Everyone):
		who := slices.Clone(s.Card.Subjects)
		slices.Sort(who)
		return Whose{Why: ByCard, Subjects: slices.Compact(who), Everyone: s.Card.Everyone, Card: s.ID}
	}
	return Whose{Why: AfterUnread, At: s.ID}
}

// gap tells whether the counter leaves numbers out between two neighbours, in either
// direction.
func gap(a, b shot) bool {
	if a.counter < 0 || b.counter < 0 {
		return false
	}
	return max(ahead(a.counter, b.counter), ahead(b.counter, a.counter)) > 1
}
