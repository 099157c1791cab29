package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"picday/internal/codes"
	"picday/internal/names"
)

// A SubjectKind says what a subject is.
type SubjectKind string

// The kinds.
const (
	Person SubjectKind = "person"
	Group  SubjectKind = "group"
	Spare  SubjectKind = "spare" // a card that was printed for somebody who is not known yet
)

// Listed says whether a subject is on the roster.
type Listed string

// The values of Listed.
const (
	NeverListed   Listed = ""
	OnList        Listed = "listed"
	MissingOnList Listed = "missing" // it was on an earlier one
)

// A Subject is who is, or is to be, on pictures: of one job, or of a whole account.
type Subject struct {
	ID, AccountID  int64
	Account        string
	JobID          int64 // 0 = of the whole account
	Job            string
	Kind           SubjectKind
	Code           string // what its card says
	ExternalID     string // the customer's, "" = unknown; in the portraits layout Photo.Person
	First, Last    string // both "" = unnamed
	Class, Grade   string
	More           map[string]string // further columns of the roster
	Listed         Listed
	Photos         int // published
	CreatedAt      time.Time
	ChangedAt      int64     // from the same numbers as Photo.ChangedAt; a photo that is published or withdrawn does not change it
	RemovedAt      time.Time // zero = not removed; a removed one has no names and no ID
	sort, moreText string
}

// Name returns the subject's name for people, "" if it is unnamed.
func (s Subject) Name() string { return strings.TrimSpace(s.First + " " + s.Last) }

// Key returns the subject's position in the order by name, or by change.
func (s Subject) Key(byChange bool) Key {
	if byChange {
		return Key{Number: s.ChangedAt, ID: s.ID}
	}
	return Key{Text: s.sort, ID: s.ID}
}

// sortKey orders subjects by class, last name and first name. The separator is below all
// that names.Key writes.
func (s Subject) sortKey() string {
	return classKey(s.Class) + names.Key(s.Last) + "\x01" + names.Key(s.First) + "\x01" + names.Key(s.ExternalID+s.Code)
}

func classKey(class string) string { return names.Key(class) + "\x01" }

const subjectColumns = `SELECT s.id, s.account_id, a.name, coalesce(s.job_id, 0), coalesce(j.name, ''), s.kind, s.code, coalesce(s.external_id, ''),
	s.first, s.last, s.class, s.grade, s.more, s.sort, s.listed, s.photos, s.created_at, s.changed_at, coalesce(s.removed_at, 0)
	FROM subject s JOIN account a ON a.id = s.account_id LEFT JOIN job j ON j.id = s.job_id `

func scanSubject(r *sql.Rows) (s Subject, err error) {
	var created, removed int64
	err = r.Scan(&s.ID, &s.AccountID, &s.Account, &s.JobID, &s.Job, &s.Kind, &s.Code, &s.ExternalID,
		&s.First, &s.Last, &s.Class, &s.Grade, &s.moreText, &s.sort, &s.Listed, &s.Photos, &created, &s.ChangedAt, &removed)
	s.CreatedAt = fromMillis(created)
	if removed != 0 {
		s.RemovedAt = fromMillis(removed)
	}
	if json.Unmarshal([]byte(s.moreText), &s.More) != nil {
		s.More = nil // somebody else has written it
	}
	for _, text := range []*string{&s.Code, &s.ExternalID, &s.First, &s.Last, &s.Class, &s.Grade, &s.Job, &s.Account} {
		*text = oneLine(*text)
	}
	return s, err
}

func oneSubject(ctx context.Context, q querier, w where) (Subject, error) {
	all, err := collect(ctx, q, scanSubject, subjectColumns+w.sql(), w.args...)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("subject: %w", ErrNotFound)
	}
	if err != nil {
		return Subject{}, err
	}
	return all[0], nil
}

// Subject finds one subject by its ID, removed or not.
func (v View) Subject(ctx context.Context, id int64) (Subject, error) {
	return oneSubject(ctx, v.s.read, v.subjectWhere(id))
}

func (v View) subjectWhere(id int64) (w where) {
	v.only(&w, "s.account_id")
	w.add("s.id = ?", id)
	return w
}

// Subject finds one subject by its ID, as of the transaction.
func (tx *Tx) Subject(id int64) (Subject, error) {
	return oneSubject(tx.ctx, tx.t, tx.s.All().subjectWhere(id))
}

// SubjectByCode finds the subject of an account that has a code, or has had it. It may have
// been removed.
func (v View) SubjectByCode(ctx context.Context, accountID int64, code string) (Subject, error) {
	return v.subjectByCode(ctx, v.s.read, accountID, code)
}

// SubjectByCode is View.SubjectByCode as of the transaction.
func (tx *Tx) SubjectByCode(accountID int64, code string) (Subject, error) {
	return tx.s.All().subjectByCode(tx.ctx, tx.t, accountID, code)
}

func (v View) subjectByCode(ctx context.Context, q querier, accountID int64, code string) (Subject, error) {
	var id int64
	err := q.QueryRowContext(ctx, `SELECT subject_id FROM subject_code WHERE account_id = ? AND code = ?`, accountID, codes.Key(code)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Subject{}, fmt.Errorf("the code %q: %w", code, ErrNotFound)
	}
	if err != nil {
		return Subject{}, err
	}
	return oneSubject(ctx, q, v.subjectWhere(id))
}

// SubjectByID finds the subject with a customer's ID: of a job, or (jobID 0) of those of
// the whole account.
func (v View) SubjectByID(ctx context.Context, accountID, jobID int64, externalID string) (Subject, error) {
	return v.subjectByID(ctx, v.s.read, accountID, jobID, externalID)
}

// SubjectByID is View.SubjectByID as of the transaction.
func (tx *Tx) SubjectByID(accountID, jobID int64, externalID string) (Subject, error) {
	return tx.s.All().subjectByID(tx.ctx, tx.t, accountID, jobID, externalID)
}

func (v View) subjectByID(ctx context.Context, q querier, accountID, jobID int64, externalID string) (Subject, error) {
	var w where
	v.only(&w, "+s.account_id")
	if jobID != 0 {
		w.add("s.job_id = ? AND s.external_id = ? AND +s.account_id = ?", jobID, externalID, accountID)
	} else {
		w.add("s.account_id = ? AND s.external_id = ? AND s.job_id IS NULL", accountID, externalID)
	}
	return oneSubject(ctx, q, w)
}

// A SubjectQuery selects subjects, and their order; an empty field selects all.
type SubjectQuery struct {
	AccountID int64 // of the view; 0 = all, only ByChange
	JobID     int64 // of that account
	Class     string
	Kind      SubjectKind
	Missing   bool // only those without a photo
	WithPhoto bool // only those with one
	Listed    bool // only those on the roster
	// ByChange lists them in the order of their last change, and removed ones too if
	// ChangedSince is set; otherwise they are in the order of class, last and first name.
	ByChange     bool
	ChangedSince int64
	After        Key // the last subject of the page before
	Backwards    bool
	Limit        int // 0 = all
}

// Subjects lists subjects.
func (v View) Subjects(ctx context.Context, q SubjectQuery) ([]Subject, error) {
	if v.account != 0 && q.AccountID != v.account {
		if q.AccountID != 0 {
			return nil, ErrNotFound
		}
		q.AccountID = v.account
	}
	return v.subjectsIn(ctx, v.s.read, q)
}

func (v View) subjectsIn(ctx context.Context, from querier, q SubjectQuery) ([]Subject, error) {
	var w where
	w.add("a.state <> 'gone'")
	if q.JobID != 0 {
		w.add("s.job_id = ? AND +s.account_id = ?", q.JobID, q.AccountID)
	} else {
		w.number("s.account_id = ?", q.AccountID)
	}
	if q.Class != "" {
		from := classKey(q.Class)
		w.add("s.sort >= ? AND s.sort < ? AND s.class = ?", from, from[:len(from)-1]+"\x02", q.Class)
	}
	w.text("s.kind = ?", string(q.Kind))
	if q.Missing {
		w.add("s.photos = 0")
	}
	if q.WithPhoto {
		w.add("s.photos > 0")
	}
	if q.Listed {
		w.add("s.listed = 'listed'")
	}
	w.number("s.changed_at > ?", q.ChangedSince)
	if q.ChangedSince == 0 {
		w.add("s.removed_at IS NULL")
	}
	key, at := "s.sort", any(q.After.Text)
	if q.ByChange {
		key, at = "s.changed_at", any(q.After.Number)
	}
	beyond, down := ") > (?, ?)", ""
	if q.Backwards {
		beyond, down = ") < (?, ?)", " DESC"
	}
	if q.After.ID != 0 {
		w.add("("+key+", s.id"+beyond, at, q.After.ID)
	}
	all, err := collect(ctx, from, scanSubject, subjectColumns+w.sql()+" ORDER BY "+key+down+", s.id"+down+" LIMIT ?", append(w.args, limited(q.Limit))...)
	if q.Backwards {
		slices.Reverse(all)
	}
	return all, err
}

// A ClassCount is how many subjects a class has.
type ClassCount struct {
	Class    string
	Subjects int
	Missing  int // without a photo
}

// Classes counts the subjects of a job, or (jobID 0) of an account, by class, in natural
// order. It reads them all; nil = there is none.
func (v View) Classes(ctx context.Context, accountID, jobID int64) ([]ClassCount, error) {
	if v.account != 0 && accountID != v.account {
		return nil, ErrNotFound
	}
	var w where
	w.add("removed_at IS NULL")
	if jobID != 0 {
		w.add("job_id = ? AND +account_id = ?", jobID, accountID)
	} else {
		w.add("account_id = ?", accountID)
	}
	all, err := collect(ctx, v.s.read, func(r *sql.Rows) (c ClassCount, err error) {
		err = r.Scan(&c.Class, &c.Subjects, &c.Missing)
		c.Class = oneLine(c.Class)
		return c, err
	}, `SELECT class, count(*), sum(photos = 0) FROM subject `+w.sql()+` GROUP BY class LIMIT 10000`, w.args...)
	slices.SortFunc(all, func(a, b ClassCount) int {
		return strings.Compare(names.Key(a.Class)+"\x00"+a.Class, names.Key(b.Class)+"\x00"+b.Class)
	})
	return all, err
}
