package store

import (
	"picday/store/pictures"
)

// needed is true of an original that a photo or its history points to. Collect
// deletes the others.
const needed = `o.refs > 0`

// Hold keeps Collect from deleting the original and its renditions until the returned
// function is called. Call Hold before looking for the files, and release them after
// the commit of the row that points to them.
func (s *Store) Hold(h SHA) (release func()) {
	s.heldMu.Lock()
	defer s.heldMu.Unlock()
	s.held[h]++
	return func() {
		s.heldMu.Lock()
		defer s.heldMu.Unlock()
		if s.held[h]--; s.held[h] == 0 {
			delete(s.held, h)
		}
	}
}

// Collect deletes pictures that no photo and no history points to and that are not held,
// at most limit of them, and returns how many. It deletes the files before the rows, so
// that after a crash in between the next call finds the rows and continues.
func (tx *Tx) Collect(limit int) (int, error) {
	tx.s.heldMu.Lock()
	defer tx.s.heldMu.Unlock()
	// Read more than limit, because the first ones may be held.
	hashes, err := column[[]byte](tx.ctx, tx.t, `SELECT sha256 FROM original WHERE refs = 0 LIMIT ?`, limit+len(tx.s.held))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, b := range hashes {
		h := asSHA(b)
		if n == limit || tx.s.held[h] > 0 {
			continue
		}
		renditions, err := renditionsOf(tx.ctx, tx.t, h)
		if err != nil {
			return n, err
		}
		for _, r := range renditions {
			if err := tx.s.files.Remove(pictures.Rendition(h, r.Spec)); err != nil {
				return n, err
			}
		}
		if err := tx.s.files.Remove(pictures.Original(h)); err != nil {
			return n, err
		}
		if _, err := tx.exec(`DELETE FROM original WHERE sha256 = ?`, b); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
