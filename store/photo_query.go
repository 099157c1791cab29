package store

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"time"
	"unicode"
)

// Show selects published photos, withdrawn ones, or both.
type Show int

// The values of Show.
const (
	ShowPublished Show = iota
	ShowWithdrawn
	ShowBoth
)

// An Order is the order of a list of photos.
type Order int

// The orders. Use ByChange to follow the catalogue: a photo that changes while somebody
// reads page after page moves to the end, so the reader misses no change.
const (
	ByPath      Order = iota // account and path
	ByFile                   // file name, by names.Key
	ByTaken                  // the camera's clock, or IngestedAt if that is unknown
	ByPerson                 // the person's ID, by names.Key; only portraits
	ByID                     // the person's ID as text, which PersonFrom needs; only portraits
	ByNewest                 // IngestedAt, the latest first
	ByChange                 // ChangedAt, the earliest first
	ByWithdrawn              // WithdrawnAt, the latest first; only withdrawn photos
)

// keys are the SQL expressions of the orders. Photos with the same value are in the order
// of their IDs.
var keys = map[Order]string{
	ByFile:      "p.sort",
	ByTaken:     "coalesce(o.taken_local, p.ingested_at)",
	ByPerson:    "p.sort",
	ByID:        "p.person",
	ByNewest:    "p.ingested_at",
	ByChange:    "p.changed_at",
	ByWithdrawn: "p.withdrawn_at",
}

// IsText tells whether the Text of a Key says its position in the order.
func (o Order) IsText() bool { return o == ByFile || o == ByPerson || o == ByID }

// A Key is the position of a photo in an order. The zero Key is the start.
type Key struct {
	Text   string // the value in the orders ByFile and ByPerson, which is made by names.Key, and ByID
	Number int64  // the value in the other orders, milliseconds since 1970
	ID     int64  // of the photo
}

// Key returns the photo's position in an order other than ByPath.
func (p Photo) Key(o Order) Key {
	k := Key{ID: p.ID}
	switch o {
	case ByFile, ByPerson:
		k.Text = p.sort
	case ByID:
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

// A PhotoQuery selects photos, and their order; an empty field selects all.
type PhotoQuery struct {
	Account, Job, Album, Area, Person string
	PersonFrom                        string // a prefix of the person's ID
	Path                              string // in printable form, or as on disk
	RawPath                           string // as on disk; an index finds it, unlike Path
	ChangedSince                      int64  // milliseconds since 1970: only photos changed later
	Show                              Show
	Order                             Order
	After                             Key // the last photo of the page before; not used with ByPath
	// Backwards lists the last photos before After, or of all, in the same order. Not
	// with ByPath, nor by StreamPhotos.
	Backwards bool
	Limit     int // 0 = all

	accountID int64 // Changed has looked Account up; it may be gone
}

// Photos lists photos with their renditions, all from one snapshot of the catalogue.
func (v View) Photos(ctx context.Context, q PhotoQuery) (all []Photo, err error) {
	err = v.eachPhoto(ctx, q, func(p Photo) bool {
		all = append(all, p)
		return true
	})
	if q.Backwards {
		slices.Reverse(all)
	}
	return all, err
}

// StreamPhotos yields what Photos lists without holding it all in memory. It stops after
// the first error, which it yields with the zero Photo.
//
// A read transaction is open until the loop ends, so all photos are from one snapshot.
// The loop may read and write the store; it does not see what is written meanwhile. It
// must not wait for a person or the network: until it ends, the write-ahead log cannot be
// emptied, and one of the four connections for reading is in use. picdayd therefore asks
// for pages with a Limit instead.
func (v View) StreamPhotos(ctx context.Context, q PhotoQuery) iter.Seq2[Photo, error] {
	return func(yield func(Photo, error) bool) {
		if err := v.eachPhoto(ctx, q, func(p Photo) bool { return yield(p, nil) }); err != nil {
			yield(Photo{}, err)
		}
	}
}

// eachPhoto calls each for the photos until it returns false.
func (v View) eachPhoto(ctx context.Context, q PhotoQuery, each func(Photo) bool) error {
	tx, err := v.s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return v.eachPhotoIn(ctx, tx, q, each)
}

// photosIn is Photos as of a transaction.
func (v View) photosIn(ctx context.Context, tx *sql.Tx, q PhotoQuery) (all []Photo, err error) {
	err = v.eachPhotoIn(ctx, tx, q, func(p Photo) bool {
		all = append(all, p)
		return true
	})
	return all, err
}

func (v View) eachPhotoIn(ctx context.Context, tx *sql.Tx, q PhotoQuery, each func(Photo) bool) error {
	w, order, err := v.wanted(ctx, tx, q)
	if errors.Is(err, sql.ErrNoRows) { // there is no such account or job
		return nil
	}
	if err != nil {
		return err
	}
	renditions, err := tx.PrepareContext(ctx, renditionsShown)
	if err != nil {
		return err
	}
	defer renditions.Close()
	rows, err := tx.QueryContext(ctx, photoColumns+w.sql()+` ORDER BY `+order+` LIMIT ?`, append(w.args, limited(q.Limit))...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		p, err := scanPhoto(rows)
		if err == nil {
			err = p.readRenditions(ctx, renditions)
		}
		if err != nil {
			return err
		}
		if !each(p) {
			return nil
		}
	}
	return rows.Err()
}

// CountPhotos counts what Photos lists; Limit is ignored.
func (v View) CountPhotos(ctx context.Context, q PhotoQuery) (n int, err error) {
	w, _, err := v.wanted(ctx, v.s.read, q)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err == nil {
		err = v.s.read.QueryRowContext(ctx, `SELECT count(*) FROM photo p JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = p.sha256 `+w.sql(), w.args...).Scan(&n)
	}
	return n, err
}

// wanted translates the query to SQL. It returns sql.ErrNoRows if there is no such account
// or job. It looks up their IDs first, so that SQLite can use the indexes that begin with
// an ID.
func (v View) wanted(ctx context.Context, from querier, q PhotoQuery) (w where, order string, err error) {
	accountID := "p.account_id"
	if q.Job != "" || q.Path != "" {
		accountID = "+p.account_id" // "+" makes SQLite use the job's index, or the path's, not the account's
	}
	// A reader that follows the changes of all accounts must also learn that the photos
	// of a removed account were withdrawn.
	if q.ChangedSince == 0 || !v.Everything() {
		v.only(&w, accountID)
	}
	account := v.account
	switch {
	case q.accountID != 0:
		account = q.accountID
		w.add(accountID+" = ?", account)
	case q.Account != "":
		if account, err = v.accountID(ctx, from, q.Account); err != nil {
			return w, "", err
		}
		w.add(accountID+" = ?", account)
	}
	switch {
	case q.Job != "" && account != 0:
		var job int64
		if err = from.QueryRowContext(ctx, `SELECT id FROM job WHERE account_id = ? AND name = ?`, account, q.Job).Scan(&job); err != nil {
			return w, "", err
		}
		w.add("p.job_id = ?", job)
	case q.Job != "":
		w.add("p.job_id IN (SELECT id FROM job WHERE name = ?)", q.Job)
	}
	w.text("p.album = ?", q.Album)
	w.text("p.area = ?", q.Area)
	if q.Person != "" {
		w.add("p.person = ? AND p.account_id IN (SELECT id FROM account)", q.Person) // the IN makes SQLite look up each account instead of scanning all photos
	}
	if q.PersonFrom != "" {
		w.add("p.person >= ? AND p.person < ?", q.PersonFrom, q.PersonFrom+string(unicode.MaxRune))
	}
	if q.RawPath != "" {
		w.add("p.path = ?", []byte(q.RawPath))
	}
	if q.Path != "" {
		// Most paths are shown as they are; an index has the others.
		w.add(`p.id IN (SELECT id FROM photo WHERE account_id IN (SELECT id FROM account WHERE ? IN (0, id)) AND path = CAST(? AS BLOB)
			UNION ALL SELECT id FROM photo WHERE account_id IN (SELECT id FROM account WHERE ? IN (0, id)) AND path_shown = ? AND CAST(path AS TEXT) <> path_shown)`,
			account, q.Path, account, q.Path)
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
	case ByPerson, ByID:
		w.add("p.person IS NOT NULL")
	case ByWithdrawn:
		w.add("p.withdrawn_at IS NOT NULL")
	}
	beyond := ") > (?, ?)"
	if (q.Order == ByNewest || q.Order == ByWithdrawn) != q.Backwards {
		beyond, down = ") < (?, ?)", " DESC"
	}
	if q.After.ID != 0 {
		var at any = q.After.Number
		if q.Order.IsText() {
			at = q.After.Text
		}
		w.add("("+key+", p.id"+beyond, at, q.After.ID)
	}
	return w, key + down + ", p.id" + down, nil
}

const renditionsShown = `SELECT name, longest, quality, width, height, bytes, hash FROM rendition WHERE sha256 = ? ORDER BY longest DESC, name`

// readRenditions runs stmt, which is renditionsShown.
func (p *Photo) readRenditions(ctx context.Context, stmt *sql.Stmt) error {
	rows, err := stmt.QueryContext(ctx, p.SHA[:])
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r Rendition
		var hash []byte
		if err := rows.Scan(&r.Name, &r.Longest, &r.Quality, &r.Width, &r.Height, &r.Bytes, &hash); err != nil {
			return err
		}
		r.Hash = asSHA(hash)
		p.Renditions = append(p.Renditions, r)
	}
	return rows.Err()
}

// Photo finds one photo by its ID, published or withdrawn.
func (v View) Photo(ctx context.Context, id int64) (p Photo, err error) {
	tx, err := v.s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return p, err
	}
	defer tx.Rollback()
	var w where
	v.only(&w, "p.account_id")
	w.add("p.id = ?", id)
	return photoWhere(ctx, tx, w)
}

func photoWhere(ctx context.Context, tx *sql.Tx, w where) (p Photo, err error) {
	all, err := collect(ctx, tx, scanPhoto, photoColumns+w.sql(), w.args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return p, err
	}
	renditions, err := tx.PrepareContext(ctx, renditionsShown)
	if err != nil {
		return p, err
	}
	defer renditions.Close()
	p = all[0]
	return p, p.readRenditions(ctx, renditions)
}

// An EarlierPicture is a picture that a photo showed earlier.
type EarlierPicture struct {
	SHA                    SHA
	Bytes                  int64
	Width, Height          int
	IngestedAt, ReplacedAt time.Time
	Renditions             []Rendition
}

// History lists the pictures that a photo showed earlier, the latest first.
func (v View) History(ctx context.Context, p Photo) ([]EarlierPicture, error) {
	var w where
	v.only(&w, "p.account_id")
	w.add("h.photo_id = ?", p.ID)
	all, err := collect(ctx, v.s.read, func(r *sql.Rows) (h EarlierPicture, err error) {
		var sha []byte
		var ingested, replaced int64
		err = r.Scan(&sha, &h.Bytes, &h.Width, &h.Height, &ingested, &replaced)
		h.SHA, h.IngestedAt, h.ReplacedAt = asSHA(sha), fromMillis(ingested), fromMillis(replaced)
		return h, err
	}, `SELECT h.sha256, o.bytes, o.width, o.height, h.ingested_at, h.replaced_at FROM history h
		JOIN photo p ON p.id = h.photo_id JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = h.sha256 `+
		w.sql()+` ORDER BY h.replaced_at DESC, h.rowid DESC`, w.args...)
	for i := 0; err == nil && i < len(all); i++ {
		all[i].Renditions, err = renditionsOf(ctx, v.s.read, all[i].SHA)
	}
	return all, err
}
