package filestate

import (
	"strings"

	"picday/internal/layout"
	"picday/store"
)

// A Block is why picdayd does not look at a path at all.
type Block int

// The blocks.
const (
	NotBlocked     Block = iota
	AccountRemoved       // nothing new is taken in from an account that was removed with its photos kept
	NoJob                // the path is in a folder that is no job
	JobActive            // nothing new is taken in from an active job's folder
)

// BlockOf tells why picdayd does not look at a path of the account. job is the one
// that the path begins with, with no ID if there is none.
func BlockOf(a store.Account, job store.Job, path string) Block {
	switch {
	case a.Kept:
		return AccountRemoved
	case a.Layout == layout.Jobs && job.ID == 0 && strings.Contains(path, "/"):
		return NoJob
	case job.State == store.Active:
		return JobActive
	}
	return NotBlocked
}
