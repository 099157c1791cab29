package store

import (
	"context"
	"database/sql"
)

// An AlbumQuery says which albums are wanted; an empty field means any.
type AlbumQuery struct {
	Account, Job string
	// After continues behind that album.
	AfterAccount, AfterJob, AfterAlbum string
	Limit                              int
}

// AlbumPage lists albums by account, job and name.
func (v View) AlbumPage(ctx context.Context, q AlbumQuery) ([]Album, error) {
	var w where
	v.only(&w, "j.account_id")
	w.text("a.name = ?", q.Account)
	w.text("j.name = ?", q.Job)
	if q.AfterAccount != "" {
		w.add("a.name >= ?", q.AfterAccount) // so that the index of names can be used
		w.add("(a.name, j.name, l.name) > (?, ?, ?)", q.AfterAccount, q.AfterJob, q.AfterAlbum)
	}
	// CROSS JOIN fixes the order of the loops: then the rows come in the order
	// asked for, and a page stops reading at its end.
	return collect(ctx, v.s.read, func(r *sql.Rows) (al Album, err error) {
		var latest int64
		err = r.Scan(&al.Account, &al.Job, &al.Name, &al.Individuals, &al.Group, &latest)
		al.Latest = fromMillis(latest)
		return al, err
	}, `SELECT a.name, j.name, l.name, l.individuals, l.groups, l.latest
		FROM account a CROSS JOIN job j ON j.account_id = a.id CROSS JOIN album l ON l.job_id = j.id `+w.sql()+`
		ORDER BY a.name, j.name, l.name LIMIT ?`, append(w.args, limited(q.Limit))...)
}
