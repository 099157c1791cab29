package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"picday/internal/names"
)

// An Album is a folder inside a job. Only albums with published photos are listed.
type Album struct {
	Account, Job, Name string
	Individuals, Group int
	Latest             time.Time // when the newest photo was published, including photos withdrawn since
}

// An AlbumQuery selects albums; an empty field selects all.
type AlbumQuery struct {
	Account, Job string
	// The After fields are the last album of the page before; empty = the first page.
	AfterAccount, AfterJob, AfterAlbum string
	Limit                              int // 0 = all
}

// Albums lists albums by account, job and name, each by names.Key. It reads the albums of
// whole jobs, as many as it needs.
func (v View) Albums(ctx context.Context, q AlbumQuery) (all []Album, err error) {
	var w where
	v.only(&w, "j.account_id")
	w.text("a.name = ?", q.Account)
	w.text("j.name = ?", q.Job)
	if q.AfterAccount != "" {
		w.behind(">=", q.AfterAccount, q.AfterJob)
	}
	// CROSS JOIN makes SQLite loop in this order, which is the order of the result, so
	// that it needs no sorting and stops with the last row that is read.
	rows, err := v.s.read.QueryContext(ctx, `SELECT a.name, j.name, l.name, l.individuals, l.groups, l.latest
		FROM account a CROSS JOIN job j ON j.account_id = a.id CROSS JOIN album l ON l.job_id = j.id `+w.sql()+`
		ORDER BY a.sort, a.name, a.id, j.sort, j.name`, w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var job []Album
	flush := func() { // adds the job's albums to all
		names.Sort(job, func(al Album) string { return al.Name })
		if len(job) > 0 && job[0].Account == q.AfterAccount && job[0].Job == q.AfterJob {
			job = slices.DeleteFunc(job, func(al Album) bool { return names.Compare(al.Name, q.AfterAlbum) <= 0 })
		}
		all, job = append(all, job...), nil
	}
	for rows.Next() {
		var al Album
		var latest int64
		if err := rows.Scan(&al.Account, &al.Job, &al.Name, &al.Individuals, &al.Group, &latest); err != nil {
			return nil, err
		}
		al.Latest = fromMillis(latest)
		if len(job) > 0 && (job[0].Account != al.Account || job[0].Job != al.Job) {
			if flush(); q.Limit > 0 && len(all) >= q.Limit {
				break
			}
		}
		job = append(job, al)
	}
	flush()
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	return all, rows.Err()
}

// Album finds one album of a job, with its counts; ErrNotFound if it has no published
// photos. The job must come from the same view.
func (v View) Album(ctx context.Context, j Job, name string) (Album, error) {
	al := Album{Account: j.Account, Job: j.Name, Name: name}
	var latest int64
	err := v.s.read.QueryRowContext(ctx, `SELECT individuals, groups, latest FROM album WHERE job_id = ? AND name = ?`, j.ID, name).
		Scan(&al.Individuals, &al.Group, &latest)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("album %q of job %q: %w", name, j.Name, ErrNotFound)
	}
	al.Latest = fromMillis(latest)
	return al, err
}
