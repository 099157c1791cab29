// Package series finds out whose pictures the photos of an album are, from the pictures of
// cards among them. It is pure: what it says depends on the set of photos alone, not on the
// order in which they came.
//
// A lane is what one camera has taken in one album: cameras are told apart by their serial
// number, else their model, else the part of the file name before the counter. In a lane
// photos are in the order of the camera's clock, and within a second in that of the counter
// in the file name, after 9999 comes 0001. A series is a card and what follows it, or what
// precedes it in a job where the card comes last.
//
// The principle is that doubt means nobody's, never somebody else's. A series ends at the
// next card, at one that was seen and not read, at the code of another job, and where the
// counter leaves numbers out, because one of them may have been a card. Where clock and
// counter disagree, the rest of the lane is nobody's. What no rule can notice is a card
// that was never photographed.
package series

import "time"

// A Photo is one of the album's, of either area.
type Photo struct {
	ID            int64
	File          string    // its name
	Serial, Model string    // of the camera, "" = unknown
	Taken         time.Time // the camera's clock, as if it were UTC; zero = unknown
	Card          Card
	Group         bool // it lies in the area for groups
}

// A Card is what the QR codes in a photo mean.
type Card struct {
	Kind     CardKind
	Subjects []int64 // of Known
	Everyone bool    // Known, and one of them is a group: everybody of the album
}

// A CardKind tells whether a photo is of a card.
type CardKind int

// The kinds.
const (
	NoCard  CardKind = iota
	Known            // it shows the codes of Subjects and no others
	Unread           // a code was seen that could not be read
	Foreign          // a code of another job
	Refused          // a code that nobody has, in a job that takes no such ones
)

// Why says why a photo is whose it is.
type Why string

// The reasons. Those behind GroupArea mean that it is nobody's.
const (
	ByCard       Why = "card"           // Whose.Card says whose
	IsCard       Why = "is-card"        // it is the photo of a card itself
	GroupArea    Why = "group-area"     // it lies in the area for groups: everybody's
	NoCardYet    Why = "no-card"        // no card precedes it (in a job where the card comes last: follows it)
	AfterUnread  Why = "unread-card"    // the card before it, At, was not read
	AfterForeign Why = "foreign-card"   // the card before it, At, is of another job
	AfterRefused Why = "refused-card"   // nobody has the code of the card before it, At
	AfterGap     Why = "counter-gap"    // between it and At the counter leaves numbers out
	Disagreement Why = "order-in-doubt" // clock and counter disagree from At on
	NoOrder      Why = "no-order"       // it has neither clock nor counter
)

// Whose says whose a photo is.
type Whose struct {
	Why      Why
	Subjects []int64 // ByCard: sorted
	Everyone bool    // everybody of the album
	Card     int64   // ByCard: the photo of the card
	At       int64   // the photo where the doubt began; 0 = none
}

// Result is what Assign finds.
type Result struct {
	Whose map[int64]Whose // by the photos' IDs
	Empty []int64         // cards without a photo
}
