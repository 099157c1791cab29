package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
	"unicode"
)

// Show says whether published photos are wanted, or withdrawn ones.
type Show int

// The choices.
const (
	ShowPublished Show = iota
	ShowWithdrawn
	ShowBoth
)

// An Order is how photos are listed. Each can be continued behind a photo
// (by its key, see Photo.Key) without counting what came before.
type Order int

// The orders. ByChange is the one to follow the catalogue with: whatever
// changes while somebody reads on comes again at the end, so nothing is
// missed.
const (
	ByPath      Order = iota // account and path
	ByFile                   // file name
	ByTaken                  // the camera's clock, or when it came in
	ByPerson                 // ID
	ByNewest                 // what came in last first
	ByChange                 // what was changed first
	ByWithdrawn              // withdrawn ones only: the latest first
)

// keys are what a photo is ordered by, before its id.
var keys = map[Order]string{
	ByFile:      "p.file",
	ByTaken:     "coalesce(o.taken_local, p.ingested_at)",
	ByPerson:    "p.person",
	ByNewest:    "p.ingested_at",
	ByChange:    "p.changed_at",
	ByWithdrawn: "p.withdrawn_at",
}

// A Key is a place in an order: behind the photo that it is of.
type Key struct {
	Text   string // ByFile, ByPerson
	Number int64  // the others: milliseconds since 1970
	ID     int64  // 0 = from the start
}

// Key is the photo's place in an order.
func (p Photo) Key(o Order) Key {
	k := Key{ID: p.ID}
	switch o {
	case ByFile:
		k.Text = p.file
	case ByPerson:
		k.Text = p.person
	case ByTaken:
		k.Number = p.ingested
		if p.taken.Valid {
			k.Number = p.taken.Int64
		}
	case ByNewest:
		k.Number = p.ingested
	case ByChange:
		k.Number = p.ChangedAt
	case ByWithdrawn:
		k.Number = p.withdrawn
	}
	return k
}

// A PhotoQuery says which photos are wanted, and in what order.
type PhotoQuery struct {
	PhotoFilter
	Show         Show
	Order        Order
	ChangedSince int64  // milliseconds since 1970: only what changed later
	PersonFrom   string // only IDs that begin with this
	After        Key    // not ByPath: only those behind it
	Limit        int
}

// Photos lists photos with their renditions, all as of one moment.
func (v View) Photos(ctx context.Context, q PhotoQuery) ([]Photo, error) {
	tx, err := v.s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	w, order, err := v.wanted(ctx, tx, q)
	if errors.Is(err, sql.ErrNoRows) { // of an account or job that is not there
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := collect(ctx, tx, scanPhoto, photoColumns+w.sql()+` ORDER BY `+order+` LIMIT ?`, append(w.args, limited(q.Limit))...)
	if err != nil {
		return nil, err
	}
	return all, withRenditions(ctx, tx, all)
}

// LastChange is the latest ChangedAt of what the view shows, withdrawn or not.
func (v View) LastChange(ctx context.Context) (at int64, err error) {
	query, args := `SELECT coalesce(max(changed_at), 0) FROM photo`, []any(nil)
	if v.account != 0 {
		query, args = query+` WHERE account_id = ?`, []any{v.account}
	}
	err = v.s.read.QueryRowContext(ctx, query, args...).Scan(&at)
	return at, err
}

// wanted is the query in SQL. Names become ids first, so that the indexes
// that begin with an id can be used.
func (v View) wanted(ctx context.Context, tx *sql.Tx, q PhotoQuery) (w where, order string, err error) {
	// Whoever follows the changes of all accounts must hear also that the photos
	// of one that is gone are withdrawn.
	accountID := "p.account_id"
	if q.Job != "" {
		accountID = "+p.account_id" // not an index of the account: the job has its own
	}
	if q.ChangedSince == 0 || !v.Everything() {
		v.only(&w, accountID)
	}
	account := v.account
	if q.Account != "" {
		if err = tx.QueryRowContext(ctx, `SELECT id FROM account WHERE name = ? AND state <> 'gone'`, q.Account).Scan(&account); err != nil {
			return w, "", err
		}
		w.add(accountID+" = ?", account)
	}
	switch {
	case q.Job != "" && account != 0:
		var job int64
		if err = tx.QueryRowContext(ctx, `SELECT id FROM job WHERE account_id = ? AND name = ?`, account, q.Job).Scan(&job); err != nil {
			return w, "", err
		}
		w.add("p.job_id = ?", job)
	case q.Job != "":
		w.add("p.job_id IN (SELECT id FROM job WHERE name = ?)", q.Job)
	}
	w.text("p.album = ?", q.Album)
	w.text("p.area = ?", q.Area)
	if q.Person != "" {
		w.add("p.person = ? AND p.account_id IN (SELECT id FROM account)", q.Person) // a look-up for each account, not a scan
	}
	if q.PersonFrom != "" {
		w.add("p.person >= ? AND p.person < ?", q.PersonFrom, q.PersonFrom+string(unicode.MaxRune))
	}
	if q.RawPath != "" {
		w.add("p.path = ?", []byte(q.RawPath))
	}
	if q.Path != "" {
		w.add("(p.path_shown = ? OR p.path = CAST(? AS BLOB))", q.Path, q.Path)
	}
	switch q.Show {
	case ShowPublished:
		w.add("p.withdrawn_at IS NULL")
	case ShowWithdrawn:
		w.add("p.withdrawn_at IS NOT NULL")
	}
	w.number("p.changed_at > ?", q.ChangedSince)
	if q.Order == ByPath {
		return w, "a.name, p.path, p.id", nil
	}
	key, down := keys[q.Order], ""
	switch q.Order {
	case ByPerson:
		w.add("p.person IS NOT NULL")
	case ByWithdrawn:
		w.add("p.withdrawn_at IS NOT NULL")
	}
	beyond := ") > (?, ?)"
	if q.Order == ByNewest || q.Order == ByWithdrawn {
		beyond, down = ") < (?, ?)", " DESC"
	}
	if q.After.ID != 0 {
		var at any = q.After.Number
		if q.Order == ByFile || q.Order == ByPerson {
			at = q.After.Text
		}
		w.add("("+key+", p.id"+beyond, at, q.After.ID)
	}
	return w, key + down + ", p.id" + down, nil
}

func withRenditions(ctx context.Context, tx *sql.Tx, all []Photo) error {
	stmt, err := tx.PrepareContext(ctx, `SELECT name, longest, quality, width, height, bytes FROM rendition WHERE sha256 = ? ORDER BY longest DESC, name`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range all {
		rows, err := stmt.QueryContext(ctx, all[i].SHA[:])
		if err != nil {
			return err
		}
		for rows.Next() {
			var r Rendition
			if err = rows.Scan(&r.Name, &r.Longest, &r.Quality, &r.Width, &r.Height, &r.Bytes); err != nil {
				break
			}
			all[i].Renditions = append(all[i].Renditions, r)
		}
		if err == nil {
			err = rows.Err()
		}
		rows.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// Photo finds one photo by its number, published or not.
func (v View) Photo(ctx context.Context, id int64) (Photo, error) {
	var w where
	v.only(&w, "p.account_id")
	w.add("p.id = ?", id)
	tx, err := v.s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Photo{}, err
	}
	defer tx.Rollback()
	all, err := collect(ctx, tx, scanPhoto, photoColumns+w.sql(), w.args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Photo{}, err
	}
	return all[0], withRenditions(ctx, tx, all)
}

// A Past is a picture that a photo was before.
type Past struct {
	SHA                    SHA
	Bytes                  int64
	Width, Height          int
	IngestedAt, ReplacedAt time.Time
	Renditions             []Rendition
}

// History lists what a photo was before, the latest first.
func (v View) History(ctx context.Context, p Photo) ([]Past, error) {
	var w where
	v.only(&w, "p.account_id")
	w.add("h.photo_id = ?", p.ID)
	all, err := collect(ctx, v.s.read, func(r *sql.Rows) (h Past, err error) {
		var sha []byte
		var ingested, replaced int64
		err = r.Scan(&sha, &h.Bytes, &h.Width, &h.Height, &ingested, &replaced)
		h.SHA, h.IngestedAt, h.ReplacedAt = asSHA(sha), fromMillis(ingested), fromMillis(replaced)
		return h, err
	}, `SELECT h.sha256, o.bytes, o.width, o.height, h.ingested_at, h.replaced_at FROM history h
		JOIN photo p ON p.id = h.photo_id JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = h.sha256 `+
		w.sql()+` ORDER BY h.replaced_at DESC, h.rowid DESC`, w.args...)
	for i := 0; err == nil && i < len(all); i++ {
		all[i].Renditions, err = renditionsOf(v.s.read, all[i].SHA)
	}
	return all, err
}
