package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"picday/internal/areas"
	"picday/internal/layout"
)

// AreasColumn can have a flaw.
const AreasColumn = "areas"

// parseAreas fills in the names of folders that mean an area.
func (a *Account) parseAreas(own, applied string) {
	a.areasApplied = applied
	if own == "" {
		return
	}
	var n areas.Names
	err := json.Unmarshal([]byte(own), &n)
	if err == nil {
		err = n.Check()
	}
	if err != nil {
		a.Flaws = append(a.Flaws, Flaw{AreasColumn, fmt.Sprintf("%s has no names of folders", brief(own)), fmt.Sprintf("set them anew with \"picday account areas %s\"", a.Name)})
		return
	}
	a.Areas = n
}

// Rules are what the account's paths mean. all are the names of folders that the
// configuration has for all accounts; the account's own count more.
func (a Account) Rules(all areas.Names) (layout.Rules, error) {
	r := layout.Rules{Kind: a.Layout, Account: a.Name, Areas: areas.Of(all, a.Areas)}
	if a.IDPattern == "" {
		return r, nil
	}
	id, err := layout.CompileID(a.IDPattern)
	r.ID = id
	return r, err
}

// SetAreas replaces the account's own names of folders that mean an area.
func (tx *Tx) SetAreas(a Account, n areas.Names) error {
	if err := n.Check(); err != nil {
		return err
	}
	text := ""
	if !n.None() {
		b, err := json.Marshal(n)
		if err != nil {
			return err
		}
		text = string(b)
	}
	return tx.execOne(`UPDATE account SET areas = ? WHERE id = ?`, text, a.ID)
}

// ApplyAreas has the files looked at again of the folders that mean something else now
// than when it was called last. Known leaves them out until then. Whoever decides about
// files must use the new rules already. It is repeated if it was interrupted.
func (s *Store) ApplyAreas(ctx context.Context, a Account, now areas.Meanings) error {
	was := areas.Parse(a.areasApplied)
	if a.Layout != layout.Jobs || maps.Equal(was, now) {
		return nil
	}
	dirs, err := s.KnownDirs(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		el := strings.Split(dir, "/")
		if len(el) != 3 || was.Area(el[2]) == now.Area(el[2]) {
			continue
		}
		err := s.Update(ctx, func(tx *Tx) error {
			_, err := tx.exec(`UPDATE upload SET again = 1 WHERE account_id = ? AND dir = ? AND gone_at IS NULL`, a.ID, []byte(dir))
			return err
		})
		if err != nil {
			return err
		}
	}
	return s.Update(ctx, func(tx *Tx) error {
		return tx.execOne(`UPDATE account SET areas_applied = ? WHERE id = ?`, now.String(), a.ID)
	})
}
