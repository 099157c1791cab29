package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
)

// ErrForgotten means that photos were withdrawn after ChangedSince, and that the catalogue
// no longer knows which: they have left the trash, or a backup was restored. A program that
// keeps a copy must read the whole list again.
var ErrForgotten = errors.New("what was withdrawn since then is no longer known")

// Changed lists the photos that have changed after q.ChangedSince, published or withdrawn,
// in the order of their last change; q.After and q.Limit are as in Photos. It is for programs
// that keep a copy of the list, and includes photos that Photos leaves out:
//
//   - the photos of removed accounts with the name q.Account, which are withdrawn;
//   - photos that were moved out of q.Job, q.Album or q.Area, with their present place, also
//     after every later change.
//
// It fails with ErrForgotten, or with ErrNotFound for an account that the view never had.
//
// With ChangedSince 0, to begin a copy, it lists what Photos lists, in the order of change.
func (v View) Changed(ctx context.Context, q PhotoQuery) ([]Photo, error) {
	q.Order = ByChange
	if q.ChangedSince != 0 {
		q.Show = ShowBoth
	}
	tx, err := v.s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	accounts, err := v.accountsEver(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	var all []Photo
	for _, id := range accounts {
		q.accountID = id
		some, err := v.photosIn(ctx, tx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if q.ChangedSince == 0 {
			continue
		}
		forgotten, err := forgottenOf(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		// A reader that continues after q.After has seen all changes before After.Number,
		// but perhaps not all of that number.
		if forgotten > q.ChangedSince && (q.After.ID == 0 || forgotten >= q.After.Number) {
			return nil, ErrForgotten
		}
		left, err := v.departed(ctx, tx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, left...)
	}
	// Each of the lists has its first q.Limit photos, so the first q.Limit of all of them
	// are complete.
	slices.SortFunc(all, func(a, b Photo) int { return cmp.Or(cmp.Compare(a.ChangedAt, b.ChangedAt), cmp.Compare(a.ID, b.ID)) })
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	return all, nil
}

// accountsEver returns the IDs of all accounts, including removed ones, with the name
// q.Account, or with a job of the name q.Job; 0 = all. Changed queries each account alone,
// because an index has only the changes of one account or job in their order.
func (v View) accountsEver(ctx context.Context, tx querier, q PhotoQuery) (ids []int64, err error) {
	switch {
	case q.Account != "":
		ids, err = column[int64](ctx, tx, `SELECT id FROM account WHERE name = ? ORDER BY id`, q.Account)
	case v.account == 0 && q.Job != "":
		return column[int64](ctx, tx, `SELECT account_id FROM job WHERE name = ? ORDER BY account_id`, q.Job)
	default:
		return []int64{v.account}, nil
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool { return v.account != 0 && id != v.account })
	if err == nil && len(ids) == 0 {
		err = ErrNotFound
	}
	return ids, err
}

// forgottenOf returns the latest change of a withdrawn photo that is no longer known, of one
// account or (0) of any; milliseconds since 1970.
func forgottenOf(ctx context.Context, q querier, accountID int64) (at int64, err error) {
	query, args := `SELECT coalesce(max(forgotten), 0) FROM tally`, []any(nil)
	if accountID != 0 {
		query, args = query+` WHERE account_id = ?`, []any{accountID}
	}
	err = q.QueryRowContext(ctx, query, args...).Scan(&at)
	return at, err
}

// departed lists the photos that were moved out of q.Job, q.Album or q.Area, of the account
// q.accountID or (0) of all.
func (v View) departed(ctx context.Context, tx *sql.Tx, q PhotoQuery) (all []Photo, err error) {
	if q.Job == "" && q.Album == "" && q.Area == "" {
		return nil, nil
	}
	var was, is where
	switch {
	case q.Job != "":
		var job int64
		err = tx.QueryRowContext(ctx, `SELECT id FROM job WHERE account_id = ? AND name = ?`, q.accountID, q.Job).Scan(&job)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		was.add("d.job_id = ?", job)
		is.add("p.job_id = ?", job)
	case q.accountID != 0:
		was.add("+d.job_id IN (SELECT id FROM job WHERE account_id = ?)", q.accountID)
	}
	for column, value := range map[string]string{"album": q.Album, "area": q.Area} {
		was.text("d."+column+" = ?", value)
		is.text("p."+column+" = ?", value)
	}
	was.add("d.changed_at > ?", q.ChangedSince)
	if q.After.ID != 0 {
		was.add("(d.changed_at, d.photo_id) > (?, ?)", q.After.Number, q.After.ID)
	}
	was.add(`NOT EXISTS (SELECT 1 FROM photo p `+is.sql()+` AND p.id = d.photo_id)`, is.args...)
	// GROUP BY leaves one row per photo, which may have left several places. Otherwise the
	// limit would count rows, and a page could have too few photos.
	ids, err := column[int64](ctx, tx, `SELECT d.photo_id FROM departure d `+was.sql()+` GROUP BY d.changed_at, d.photo_id ORDER BY d.changed_at, d.photo_id LIMIT ?`,
		append(was.args, limited(q.Limit))...)
	for i := 0; err == nil && i < len(ids); i++ {
		var p Photo
		if p, err = photoWhere(ctx, tx, where{[]string{"p.id = ?"}, []any{ids[i]}}); err == nil {
			all = append(all, p)
		}
	}
	return all, err
}

// People lists the published portraits of an account whose persons have these IDs, in the
// order of the IDs. It looks each up in an index.
func (v View) People(ctx context.Context, account string, ids []string) ([]Photo, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	tx, err := v.s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	accountID, err := v.accountID(ctx, tx, account)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	all, err := collect(ctx, tx, scanPhoto, photoColumns+`WHERE p.account_id = ? AND p.person IN (SELECT value FROM json_each(?)) AND p.withdrawn_at IS NULL LIMIT ?`,
		accountID, string(list), len(ids))
	if err != nil {
		return nil, err
	}
	renditions, err := tx.PrepareContext(ctx, renditionsShown)
	if err != nil {
		return nil, err
	}
	defer renditions.Close()
	place := map[string]int{}
	for i, id := range slices.Backward(ids) {
		place[id] = i
	}
	for i := range all {
		if err := all[i].readRenditions(ctx, renditions); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b Photo) int { return cmp.Compare(place[a.person], place[b.person]) })
	return all, nil
}
