package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"picday/internal/series"
)

// A Why says why a photo is a card, or nobody's.
type Why string

// The reasons of cards. The others are those of package series.
const (
	CardKnown   Why = "card"         // photos follow it
	CardEmpty   Why = "card-empty"   // no photo follows it
	CardUnread  Why = "card-unread"  // a code was seen that could not be read
	CardForeign Why = "card-foreign" // it is of another job
	CardRefused Why = "card-refused" // nobody has its code, or it is no code
)

// CardsInDoubt are the reasons of cards that wait for a person.
var CardsInDoubt = []Why{CardUnread, CardForeign, CardRefused}

// Unassigned are the reasons of photos that are nobody's.
var Unassigned = []Why{
	Why(series.NoCardYet), Why(series.AfterUnread), Why(series.AfterForeign), Why(series.AfterRefused),
	Why(series.AfterGap), Why(series.Disagreement), Why(series.NoOrder),
}

// whyMessages say why a photo waits for a person, or is nobody's.
var whyMessages = map[Why]string{
	CardUnread: "There is a code on it that could not be read.", CardForeign: "The code is of another job.", CardRefused: "Nobody has this code.",
	Why(series.NoCardYet): "No card belongs to it.", Why(series.AfterUnread): "The card before it could not be read.", Why(series.AfterForeign): "The card before it is of another job.",
	Why(series.AfterRefused): "Nobody has the code of the card before it.", Why(series.AfterGap): "A picture is missing before it, which may have been a card.",
	Why(series.Disagreement): "The camera's clock and its counter disagree.", Why(series.NoOrder): "It has neither the time nor a number.",
}

// Message says it to people; "" for a card that needs nobody.
func (w Why) Message() string { return whyMessages[w] }

// Whys are all of them.
var Whys = slices.Concat([]Why{CardKnown, CardEmpty}, CardsInDoubt, Unassigned)

var cardWhys = map[series.CardKind]Why{series.Known: CardKnown, series.Unread: CardUnread, series.Foreign: CardForeign, series.Refused: CardRefused}

// Undecided is how much about people waits for a person.
type Undecided struct {
	Cards     int // CardsInDoubt
	Nobodys   int // photos that are Unassigned
	Proposals int // open ones
}

// CountUndecided counts it over all accounts. Its cost does not depend on the number of photos.
func (s *Store) CountUndecided(ctx context.Context) (n Undecided, err error) {
	_, err = collect(ctx, s.read, func(r *sql.Rows) (x struct{}, err error) {
		var why Why
		var photos int
		err = r.Scan(&why, &photos)
		switch {
		case slices.Contains(CardsInDoubt, why):
			n.Cards += photos
		case slices.Contains(Unassigned, why):
			n.Nobodys += photos
		}
		return x, err
	}, `SELECT why, photos FROM series_tally`)
	if err == nil {
		err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM proposal WHERE state = 'open'`).Scan(&n.Proposals)
	}
	return n, err
}

// A DueAlbum is an album whose photos' subjects have to be found out anew, or which has
// become quiet.
type DueAlbum struct {
	JobID int64
	Album string
}

// DueAlbums lists the albums for Regroup, at the time now.
func (s *Store) DueAlbums(ctx context.Context, now time.Time) ([]DueAlbum, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (d DueAlbum, err error) { return d, r.Scan(&d.JobID, &d.Album) },
		`SELECT job_id, album FROM card_album WHERE due <> 0
		UNION SELECT c.job_id, c.album FROM card_album c JOIN job j ON j.id = c.job_id WHERE c.sealed_at <= c.arrived_at AND c.arrived_at + j.quiet <= ?
		ORDER BY job_id, album`, millis(now))
}

// albumPhoto is a photo of an album with what is recorded of it.
type albumPhoto struct {
	series.Photo
	accountID int64
	codes     sql.NullString
	said      string
	why       string // of the row of series; "" = none
	at        int64
	assigned  []Assignment
}

// Regroup finds out whose the photos of an album are, and records at most most changes;
// done is false if there are more. What was recorded when the album was last quiet is not
// changed but proposed. If nothing is left to do and the album is quiet, what is recorded
// now is as if approved.
func (tx *Tx) Regroup(d DueAlbum, most int) (done bool, err error) {
	photos, rules, err := tx.albumPhotos(d)
	if err != nil {
		return false, err
	}
	in, refused := make([]series.Photo, len(photos)), 0
	for i, p := range photos {
		if p.Card, err = tx.cardOf(p.accountID, d.JobID, codesOf(p.codes), p.said); err != nil {
			return false, err
		}
		if in[i], photos[i] = p.Photo, p; p.Card.Kind == series.Refused {
			refused++
		}
	}
	r := series.Assign(in, rules.last)
	everyone := everyoneOf(r)
	var changes int
	var proposed []ProposedPhoto
	for _, p := range photos {
		if changes >= most {
			return false, nil
		}
		n, err := tx.recordWhy(d, p, r)
		if err != nil {
			return false, err
		}
		changes += n
		w := r.Whose[p.ID]
		want := w.Subjects
		if w.Everyone {
			want = union(want, everyone)
		}
		is, byCard := subjectsOf(p.assigned)
		if !byCard || slices.Equal(is, want) {
			continue
		}
		if len(is) > 0 && slices.ContainsFunc(p.assigned, func(a Assignment) bool { return millis(a.At) <= rules.sealed }) {
			proposed = append(proposed, ProposedPhoto{PhotoID: p.ID, Was: is, Becomes: want, CardID: w.Card})
			continue
		}
		if err := tx.reassign(p.ID, is, want, Assignment{Way: ByCard, CardID: w.Card}); err != nil {
			return false, err
		}
		changes++
	}
	if err := tx.propose(d, photos, proposed); err != nil {
		return false, err
	}
	if _, err := tx.exec(`UPDATE job SET regrouped = regrouped + 1 WHERE id = ?`, d.JobID); err != nil {
		return false, err
	}
	_, err = tx.exec(`UPDATE card_album SET due = 0, refused = ?5, sealed_at = CASE WHEN arrived_at + ?3 <= ?4 THEN ?4 ELSE sealed_at END WHERE job_id = ?1 AND album = ?2`,
		d.JobID, d.Album, rules.quiet, millis(tx.now), refused)
	return true, err
}

// albumRules are what a job and its album say.
type albumRules struct {
	last          bool
	quiet, sealed int64
}

func (tx *Tx) albumPhotos(d DueAlbum) ([]albumPhoto, albumRules, error) {
	var rules albumRules
	err := tx.queryRow(`SELECT j.card_last <> 0, j.quiet, c.sealed_at FROM card_album c JOIN job j ON j.id = c.job_id WHERE c.job_id = ? AND c.album = ?`, d.JobID, d.Album).
		Scan(&rules.last, &rules.quiet, &rules.sealed)
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
		return nil, rules, err
	}
	photos, err := collect(tx.ctx, tx.t, func(r *sql.Rows) (p albumPhoto, err error) {
		var taken sql.NullInt64
		err = r.Scan(&p.ID, &p.accountID, &p.File, &p.Group, &p.Serial, &p.Model, &taken, &p.codes, &p.said, &p.why, &p.at)
		if taken.Valid {
			p.Taken = fromMillis(taken.Int64)
		}
		return p, err
	}, `SELECT p.id, p.account_id, p.file, p.area IS 'group', coalesce(o.serial, ''), coalesce(o.model, ''), o.taken_local, o.codes, p.card, coalesce(s.why, ''), coalesce(s.at_id, 0)
		FROM photo p JOIN original o ON o.sha256 = p.sha256 LEFT JOIN series s ON s.photo_id = p.id
		WHERE p.job_id = ? AND p.album = ? AND p.withdrawn_at IS NULL ORDER BY p.area, p.sort`, d.JobID, d.Album)
	if err != nil {
		return nil, rules, err
	}
	index := map[int64]int{}
	for i, p := range photos {
		index[p.ID] = i
	}
	_, err = collect(tx.ctx, tx.t, func(r *sql.Rows) (x struct{}, err error) {
		var a Assignment
		var at int64
		if err = r.Scan(&a.PhotoID, &a.SubjectID, &a.Way, &a.CardID, &at); err == nil {
			a.At = fromMillis(at)
			i := index[a.PhotoID]
			photos[i].assigned = append(photos[i].assigned, a)
		}
		return x, err
	}, `SELECT s.photo_id, s.subject_id, s.way, coalesce(s.card_id, 0), s.at FROM photo p JOIN subject_photo s ON s.photo_id = p.id
		WHERE p.job_id = ? AND p.album = ? AND p.withdrawn_at IS NULL ORDER BY s.photo_id, s.subject_id`, d.JobID, d.Album)
	return photos, rules, err
}

// recordWhy records that a photo is a card or nobody's, and why.
func (tx *Tx) recordWhy(d DueAlbum, p albumPhoto, r series.Result) (changes int, err error) {
	w := r.Whose[p.ID]
	why, at := Why(w.Why), w.At
	switch w.Why {
	case series.IsCard:
		why = cardWhys[p.Card.Kind]
		if why == CardKnown && slices.Contains(r.Empty, p.ID) {
			why = CardEmpty
		}
	case series.ByCard, series.GroupArea:
		why = ""
	}
	switch {
	case string(why) == p.why && at == p.at:
		return 0, nil
	case why == "":
		_, err = tx.exec(`DELETE FROM series WHERE photo_id = ?`, p.ID)
	default:
		_, err = tx.exec(`INSERT INTO series VALUES (?1, ?2, ?3, nullif(?4, 0)) ON CONFLICT DO UPDATE SET job_id = ?2, why = ?3, at_id = nullif(?4, 0)`, p.ID, d.JobID, why, at)
	}
	return 1, err
}

// everyoneOf is who has a card in the album, groups apart.
func everyoneOf(r series.Result) (all []int64) {
	for _, w := range r.Whose {
		if w.Why == series.ByCard && !w.Everyone {
			all = append(all, w.Subjects...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func union(a, b []int64) []int64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// subjectsOf is who is on a photo, and whether that is known by cards alone.
func subjectsOf(all []Assignment) (ids []int64, byCard bool) {
	byCard = true
	for _, a := range all {
		ids = append(ids, a.SubjectID)
		byCard = byCard && a.Way == ByCard
	}
	slices.Sort(ids)
	return ids, byCard
}

// reassign changes who is on a photo from is to want, by the way and card of a.
func (tx *Tx) reassign(photoID int64, is, want []int64, a Assignment) error {
	for _, id := range is {
		if !slices.Contains(want, id) {
			if _, err := tx.Unassign(photoID, id); err != nil {
				return err
			}
		}
	}
	for _, id := range want {
		a.PhotoID, a.SubjectID = photoID, id
		if _, err := tx.Assign(a); err != nil {
			return err
		}
	}
	return nil
}

func idsText(ids []int64) string {
	if len(ids) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(ids) // cannot fail for numbers
	return string(b)
}

func idsOf(text string) (ids []int64) {
	_ = json.Unmarshal([]byte(text), &ids) // what somebody else has written is nobody
	return ids
}
