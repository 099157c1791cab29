package store

import "slices"

// A Role says what an operator may do on the pages, in the account that he sees or in
// all. Each role may do what the ones before it may.
type Role string

// The roles.
const (
	Look  Role = "look"  // see everything and download
	Work  Role = "work"  // withdraw and restore, rotate links, put jobs on sale
	Admin Role = "admin" // make and end log-ins of the pages, and tokens
)

// Roles lists them, the one that may least first.
var Roles = []Role{Look, Work, Admin}

// May tells whether r may do what needs the role need. A role that is none may nothing.
func (r Role) May(need Role) bool {
	has := slices.Index(Roles, r)
	return has >= 0 && has >= slices.Index(Roles, need)
}

// String is the role as operators are shown it.
func (r Role) String() string { return string(r) }
