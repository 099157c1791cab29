package store

// A Cursor is how far a sweep has come. What is swept is taken in the order of
// a moment and of its number, so many at a time: each transaction does a
// bounded amount of work, and what cannot be done now does not keep the rest
// from its turn. The zero Cursor is before everything.
type Cursor struct {
	At, ID int64
	// More: the sweep stopped because its limit was reached, not at the end.
	More bool
}
