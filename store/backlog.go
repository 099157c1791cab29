package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// outdated selects the pictures whose renditions are not exactly those wanted,
// named with their settings as RenditionPath does.
const outdated = ` FROM original o WHERE coalesce((SELECT group_concat(spec, ' ') FROM
	(SELECT name || '-' || longest || 'q' || quality AS spec FROM rendition WHERE sha256 = o.sha256 ORDER BY name)), '') <> ?1 `

func specList(want []RenditionSpec) string {
	var all []string
	for _, r := range slices.SortedFunc(slices.Values(want), func(a, b RenditionSpec) int { return strings.Compare(a.Name, b.Name) }) {
		all = append(all, fmt.Sprintf("%s-%dq%d", r.Name, r.Longest, r.Quality))
	}
	return strings.Join(all, " ")
}

// Backlog lists pictures whose renditions are to be made anew, by hash, from
// the first one after the given one.
func (s *Store) Backlog(ctx context.Context, want []RenditionSpec, after SHA, limit int) ([]SHA, error) {
	rows, err := column[[]byte](s.read, `SELECT sha256`+outdated+`AND sha256 > ?2 ORDER BY sha256 LIMIT ?3`, specList(want), after[:], limit)
	var all []SHA
	for _, b := range rows {
		all = append(all, asSHA(b))
	}
	return all, err
}

// BacklogSize counts all of them.
func (s *Store) BacklogSize(ctx context.Context, want []RenditionSpec) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*)`+outdated, specList(want)).Scan(&n)
	return n, err
}

// SetRenditions replaces the renditions of a picture by ones that are on disk.
// The files of those it replaces are the caller's to delete, afterwards.
func (tx *Tx) SetRenditions(h SHA, all []Rendition) error {
	if _, err := tx.Exec(`DELETE FROM rendition WHERE sha256 = ?`, h[:]); err != nil {
		return err
	}
	return tx.insertRenditions(h, all)
}

func (tx *Tx) insertRenditions(h SHA, all []Rendition) error {
	for _, r := range all {
		if _, err := tx.Exec(`INSERT INTO rendition (sha256, name, longest, quality, width, height, bytes, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET longest = excluded.longest, quality = excluded.quality,
				width = excluded.width, height = excluded.height, bytes = excluded.bytes, hash = excluded.hash`,
			h[:], r.Name, r.Longest, r.Quality, r.Width, r.Height, r.Bytes, r.Hash[:]); err != nil {
			return err
		}
	}
	return nil
}
