package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"picday/internal/codes"
	"picday/internal/qr"
	"picday/internal/series"
)

// CardFlag is the flag of a photo that is the picture of a card.
const CardFlag = "card"

// CardRules are how a job deals with the pictures of cards.
type CardRules struct {
	Last          bool // a card follows its photos, and does not precede them
	RefuseUnknown bool // a code that nobody has makes no new subject
	// Quiet is the time after the last arrival in an album after which who is on its photos
	// changes by approval only.
	Quiet time.Duration
}

// MaxQuiet bounds CardRules.Quiet.
const MaxQuiet = 30 * 24 * time.Hour

// SetCardRules changes how a job deals with cards.
func (tx *Tx) SetCardRules(j Job, r CardRules) error {
	if r.Quiet < 0 || r.Quiet > MaxQuiet {
		return fmt.Errorf("a quiet time of %s: 0 to %s", r.Quiet, MaxQuiet)
	}
	return tx.execOne(`UPDATE job SET card_last = ?, refuse_unknown = ?, quiet = ? WHERE id = ?`, r.Last, r.RefuseUnknown, r.Quiet.Milliseconds(), j.ID)
}

// codesText is what the row of an original has for its codes.
func codesText(f *qr.Found) any {
	switch {
	case f == nil:
		return nil
	case len(f.Codes) == 0 && !f.Unread:
		return ""
	}
	b, _ := json.Marshal(f) // cannot fail: coordinates are numbers
	return string(b)
}

func codesOf(text sql.NullString) *qr.Found {
	if !text.Valid {
		return nil
	}
	var f qr.Found
	if text.String != "" && json.Unmarshal([]byte(text.String), &f) != nil {
		f = qr.Found{Unread: true} // somebody else has written it
	}
	return &f
}

// SetCodes records the QR codes of a picture, if they are not known yet. nil changes
// nothing. The photos that show it are marked as changed if there is a code.
func (tx *Tx) SetCodes(h SHA, f *qr.Found) error {
	if f == nil {
		return nil
	}
	var held bool
	err := tx.queryRow(`SELECT held FROM original WHERE sha256 = ? AND codes IS NULL`, h[:]).Scan(&held)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	text := codesText(f)
	if err == nil {
		err = tx.execOne(`UPDATE original SET codes = ?, held = 0 WHERE sha256 = ?`, text, h[:])
	}
	if err != nil || text == "" && !held {
		return err
	}
	return tx.lookChanged(h)
}

// HeldBack counts the published photos that no link shows until codes were looked for in
// them, because this catalogue is an earlier copy (BeginAgain).
func (s *Store) HeldBack(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM original o JOIN photo p ON p.sha256 = o.sha256 WHERE o.held <> 0 AND p.withdrawn_at IS NULL AND p.card = '' AND `+isHeld).Scan(&n)
	return n, err
}

// ErrNoCard is returned by SayCard for a photo without a card's place.
var ErrNoCard = errors.New("only the photo of a job can be a card")

// SayCard records what a person says of a photo: that it is the card with these codes, with
// spaces between them, or ("") that it is none. Every code must be one of the account.
func (tx *Tx) SayCard(photoID int64, text, operator string) error {
	var accountID, jobID int64
	err := tx.queryRow(`SELECT account_id, coalesce(job_id, 0) FROM photo WHERE id = ?`, photoID).Scan(&accountID, &jobID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case err != nil:
		return err
	case jobID == 0:
		return ErrNoCard
	}
	said := "no"
	if text = strings.TrimSpace(text); text != "" {
		var all []string
		for _, word := range strings.Fields(text) {
			code, err := tx.typedCode(accountID, jobID, word)
			if err != nil {
				return err
			}
			all = append(all, code)
		}
		said = "=" + strings.Join(all, " ")
	}
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	if err := tx.execOne(`UPDATE photo SET card = ?, changed_at = ? WHERE id = ?`, said, stamp, photoID); err != nil {
		return err
	}
	return tx.photoEvent(photoID, EventCard, strings.TrimPrefix(said, "="), operator)
}

// typedCode finds the code that a person means, which somebody must have.
func (tx *Tx) typedCode(accountID, jobID int64, word string) (string, error) {
	for _, key := range codes.Typed(word) {
		s, err := tx.SubjectByCode(accountID, key)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return "", err
		case !s.RemovedAt.IsZero() || s.JobID != 0 && s.JobID != jobID:
			return "", fmt.Errorf("the code %q: %w in this job", word, ErrCodeRefused)
		}
		return key, nil
	}
	// A code on a card that nobody has yet, typed by somebody who holds it.
	if !plainCode.MatchString(word) {
		return "", fmt.Errorf("%q: %w", word, codes.ErrInvalid)
	}
	_, _, err := tx.SubjectForCode(accountID, jobID, word)
	return codes.Key(word), err
}

// plainCode is what a text on a card must be to make a new subject: no address, no sentence.
var plainCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$`)

// candidates are the codes that a text may stand for: itself, and for an address the last
// element of its path and the values of its query.
func candidates(text string) []string {
	all := []string{text}
	if u, err := url.Parse(strings.TrimSpace(text)); err == nil && (u.Scheme != "" || strings.Contains(text, "/")) {
		path := strings.TrimRight(u.Path, "/")
		all = append(all, path[strings.LastIndexByte(path, '/')+1:])
		for _, values := range u.Query() {
			all = append(all, values...)
		}
		slices.Sort(all[2:])
	}
	return slices.DeleteFunc(all, func(c string) bool { return codes.Check(strings.TrimSpace(c)) != nil })
}

// cardOf says what the codes on a photo mean in a job.
func (tx *Tx) cardOf(accountID, jobID int64, found *qr.Found, said string) (series.Card, error) {
	var texts []string
	switch {
	case said == "no":
		return series.Card{}, nil
	case said != "":
		texts = strings.Fields(strings.TrimPrefix(said, "="))
	case found == nil || len(found.Codes) == 0 && !found.Unread:
		return series.Card{}, nil
	case found.Unread:
		return series.Card{Kind: series.Unread}, nil
	default:
		for _, c := range found.Codes {
			texts = append(texts, c.Text)
		}
	}
	card := series.Card{Kind: series.Known}
	for _, text := range texts {
		s, err := tx.subjectOnCard(accountID, jobID, text)
		switch {
		case errors.Is(err, ErrCodeRefused):
			return series.Card{Kind: series.Refused}, nil
		case err != nil:
			return card, err
		case s.JobID != 0 && s.JobID != jobID:
			return series.Card{Kind: series.Foreign}, nil
		}
		card.Subjects = append(card.Subjects, s.ID)
		card.Everyone = card.Everyone || s.Kind == Group
	}
	return card, nil
}

// subjectOnCard finds whose card says this. An unknown plain code makes a new subject.
func (tx *Tx) subjectOnCard(accountID, jobID int64, text string) (Subject, error) {
	for _, code := range candidates(text) {
		s, err := tx.SubjectByCode(accountID, code)
		if err == nil && !s.RemovedAt.IsZero() {
			err = ErrCodeRefused
		}
		if !errors.Is(err, ErrNotFound) {
			return s, err
		}
	}
	if !plainCode.MatchString(text) {
		return Subject{}, ErrCodeRefused
	}
	s, _, err := tx.SubjectForCode(accountID, jobID, text)
	return s, err
}

// A CardPhoto is the photo of a card, or one that is nobody's.
type CardPhoto struct {
	Photo
	Why   Why
	At    int64     // the photo where the doubt began; 0 = none
	Codes *qr.Found // nil = none were looked for
	Said  string    // the codes that a person has typed
}

// Keys are the codes that the card may have, as codes.Key writes them.
func (c CardPhoto) Keys() (keys []string) {
	if c.Said != "" {
		return strings.Fields(c.Said)
	}
	if c.Codes == nil {
		return nil
	}
	for _, x := range c.Codes.Codes {
		for _, text := range candidates(x.Text) {
			keys = append(keys, codes.Key(text))
		}
	}
	return keys
}

// A CardQuery selects photos of cards, and those that are nobody's; an empty field means any.
type CardQuery struct {
	Job       Job
	Why       []Why
	After     int64 // the ID of the last one of the page before
	Limit     int
	Published bool // not those that were withdrawn
}

// Cards lists photos of cards, and those that are nobody's, in the order of their IDs, of one
// job.
func (v View) Cards(ctx context.Context, q CardQuery) (all []CardPhoto, err error) {
	whys := q.Why
	if len(whys) == 0 {
		whys = Whys
	}
	type row struct {
		id, at    int64
		why, said string
		codes     sql.NullString
	}
	var rows []row
	for _, why := range whys {
		some, err := collect(ctx, v.s.read, func(r *sql.Rows) (x row, err error) {
			return x, r.Scan(&x.id, &x.why, &x.at, &x.said, &x.codes)
		}, `SELECT r.photo_id, r.why, coalesce(r.at_id, 0), p.card, o.codes FROM series r JOIN photo p ON p.id = r.photo_id JOIN original o ON o.sha256 = p.sha256
			WHERE r.job_id = ? AND r.why = ? AND r.photo_id > ? ORDER BY r.photo_id LIMIT ?`, q.Job.ID, why, q.After, limited(q.Limit))
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	slices.SortFunc(rows, func(a, b row) int { return int(max(-1, min(1, a.id-b.id))) })
	if q.Limit > 0 && len(rows) > q.Limit {
		rows = rows[:q.Limit]
	}
	for _, r := range rows {
		photos, err := v.photosByID(ctx, `SELECT id FROM photo WHERE id = ?`, r.id)
		if err != nil {
			return nil, err
		}
		for _, p := range photos {
			all = append(all, CardPhoto{p, Why(r.why), r.at, codesOf(r.codes), strings.TrimPrefix(r.said, "=")})
		}
	}
	return all, nil
}

// CardCounts counts the photos of cards of a job, and those that are nobody's, by reason.
// nil = the job has none.
func (v View) CardCounts(ctx context.Context, j Job) (map[Why]int, error) {
	var counts map[Why]int
	_, err := collect(ctx, v.s.read, func(r *sql.Rows) (x struct{}, err error) {
		var why string
		var n int
		if err = r.Scan(&why, &n); err == nil {
			if counts == nil {
				counts = map[Why]int{}
			}
			counts[Why(why)] = n
		}
		return x, err
	}, `SELECT why, count(*) FROM series WHERE job_id = ? GROUP BY why`, j.ID)
	return counts, err
}

// Whose says by what it is known whose a photo of a job is: who is on it and by which card,
// or why it is a card or nobody's; at is the photo where the doubt began, 0 = none. The
// photo must come from this view. All is empty for a photo of an album without cards.
func (v View) Whose(ctx context.Context, p Photo) (all []Assignment, why Why, at int64, err error) {
	if all, err = v.AssignmentsOf(ctx, p); err != nil {
		return nil, "", 0, err
	}
	err = v.s.read.QueryRowContext(ctx, `SELECT why, coalesce(at_id, 0) FROM series WHERE photo_id = ?`, p.ID).Scan((*string)(&why), &at)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return all, why, at, err
}
