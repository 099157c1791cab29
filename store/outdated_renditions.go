package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"picday/internal/rendition"
)

// outdated selects the pictures whose renditions differ from those wanted, and those of jobs
// in which QR codes were not looked for. ?1 is the specList of the renditions.
const outdated = ` FROM original o WHERE (coalesce((SELECT group_concat(spec, ' ') FROM
	(SELECT name || '-' || longest || 'q' || quality AS spec FROM rendition WHERE sha256 = o.sha256 ORDER BY name)), '') <> ?1
	OR o.codes IS NULL AND EXISTS (SELECT 1 FROM photo WHERE sha256 = o.sha256 AND job_id IS NOT NULL)) `

// specList returns the names and settings of renditions, sorted by name, in the form that
// outdated compares.
func specList(want []rendition.Spec) string {
	var all []string
	for _, r := range slices.SortedFunc(slices.Values(want), func(a, b rendition.Spec) int { return strings.Compare(a.Name, b.Name) }) {
		all = append(all, fmt.Sprintf("%s-%dq%d", r.Name, r.Longest, r.Quality))
	}
	return strings.Join(all, " ")
}

// OutdatedRenditions lists at most limit pictures whose renditions differ from those
// wanted, or whose codes were not looked for, in the order of their hashes, beginning after the hash after.
func (s *Store) OutdatedRenditions(ctx context.Context, want []rendition.Spec, after SHA, limit int) ([]SHA, error) {
	rows, err := column[[]byte](ctx, s.read, `SELECT sha256`+outdated+`AND sha256 > ?2 ORDER BY sha256 LIMIT ?3`, specList(want), after[:], limit)
	var all []SHA
	for _, b := range rows {
		all = append(all, asSHA(b))
	}
	return all, err
}

// CountOutdatedRenditions counts what OutdatedRenditions lists without a limit.
func (s *Store) CountOutdatedRenditions(ctx context.Context, want []rendition.Spec) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*)`+outdated, specList(want)).Scan(&n)
	return n, err
}

// SetRenditions replaces the rows of a picture's renditions, and marks the photos that
// show it as changed. The new files must be on disk already; the caller deletes the old
// files after the commit.
func (tx *Tx) SetRenditions(h SHA, all []Rendition) error {
	if _, err := tx.exec(`DELETE FROM rendition WHERE sha256 = ?`, h[:]); err != nil {
		return err
	}
	if _, err := tx.insertRenditions(h, all); err != nil {
		return err
	}
	return tx.lookChanged(h)
}

// lookChanged marks the photos that show a picture as changed.
func (tx *Tx) lookChanged(h SHA) error {
	stamp, err := tx.stamp()
	if err == nil {
		_, err = tx.exec(`UPDATE photo SET changed_at = ? WHERE sha256 = ?`, stamp, h[:])
	}
	return err
}

// insertRenditions tells whether any is new or differs from what was known.
func (tx *Tx) insertRenditions(h SHA, all []Rendition) (changed bool, err error) {
	for _, r := range all {
		n, err := tx.execCount(`INSERT INTO rendition (sha256, name, longest, quality, width, height, bytes, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET longest = excluded.longest, quality = excluded.quality,
				width = excluded.width, height = excluded.height, bytes = excluded.bytes, hash = excluded.hash
			WHERE (longest, quality, width, height, bytes, hash) IS NOT (excluded.longest, excluded.quality, excluded.width, excluded.height, excluded.bytes, excluded.hash)`,
			h[:], r.Name, r.Longest, r.Quality, r.Width, r.Height, r.Bytes, r.Hash[:])
		if err != nil {
			return false, err
		}
		changed = changed || n > 0
	}
	return changed, nil
}
