package store

import (
	"context"
	"database/sql"
	"errors"
)

// Neighbours returns the IDs of the published photos before and after p, 0 for none. In
// the jobs layout they are in the same album and area, in the order ByFile or ByTaken;
// portraits are in the order of their persons, whatever order is.
func (v View) Neighbours(ctx context.Context, p Photo, order Order) (before, after int64, err error) {
	if p.Person != "" {
		order = ByPerson
	}
	find := func(compare, direction string) (id int64) {
		var w where
		v.only(&w, "p.account_id")
		w.add("p.withdrawn_at IS NULL")
		w.add("p.account_id = ?", p.AccountID)
		if p.Person == "" {
			w.add("p.job_id = (SELECT job_id FROM photo WHERE id = ?)", p.ID)
			w.add("p.album = ?", p.Album)
			w.add("p.area = ?", p.Area)
		} else {
			w.add("p.person IS NOT NULL")
		}
		at := p.Key(order)
		var value any = at.Number
		if order.IsText() {
			value = at.Text
		}
		w.add("("+keys[order]+", p.id) "+compare+" (?, ?)", value, p.ID)
		e := v.s.read.QueryRowContext(ctx, `SELECT p.id FROM photo p JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = p.sha256 `+
			w.sql()+` ORDER BY `+keys[order]+direction+`, p.id`+direction+` LIMIT 1`, w.args...).Scan(&id)
		if e != nil && !errors.Is(e, sql.ErrNoRows) {
			err = e
		}
		return id
	}
	return find("<", " DESC"), find(">", ""), err
}
