package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"picday/internal/layout"
	"picday/internal/roster"
)

// ErrTakesAway is returned by TakeRoster for a list on which more than a tenth of the people
// before are missing, unless it was accepted.
var ErrTakesAway = errors.New("more than a tenth of the people before are missing from it")

// A Scope is whose people a list has: of one job of a jobs account, or of a whole portraits
// account.
type Scope struct{ AccountID, JobID int64 }

// Scope finds the scope of a list of an account, and refuses one that the layout does not
// have.
func (v View) Scope(ctx context.Context, a Account, job string) (Scope, error) {
	switch {
	case a.Layout == layout.Jobs && job == "":
		return Scope{}, fmt.Errorf("in the account %s each job has its own list: %w: name the job", a.Name, ErrNotFound)
	case a.Layout != layout.Jobs && job != "":
		return Scope{}, fmt.Errorf("the account %s has one list and no jobs: %w", a.Name, ErrNotFound)
	case job == "":
		return Scope{AccountID: a.ID}, nil
	}
	j, err := v.Job(ctx, a.Name, job)
	return Scope{a.ID, j.ID}, err
}

// A Roster is a list that came: it was taken, or it waits for a person.
type Roster struct {
	Account, Job                    string // only AllRosters sets them
	ID                              int64
	At                              time.Time
	Operator                        string // who brought it; "" = the uploader, or on the command line
	File                            string // its name
	SHA                             SHA
	Waiting                         bool
	People, Added, Changed, Missing int
}

// A RosterFile is a file with a list.
type RosterFile struct {
	Scope
	File, Operator string
	TakenBy        string // who has accepted it, "" = who brought it
	Content        []byte
}

// known lists whom a list can mean.
func (v View) known(ctx context.Context, q querier, s Scope) ([]roster.Known, []Subject, error) {
	all, err := v.subjectsIn(ctx, q, SubjectQuery{AccountID: s.AccountID, JobID: s.JobID})
	known := make([]roster.Known, len(all))
	for i, x := range all {
		known[i] = roster.Known{
			Person:    roster.Person{ID: x.ExternalID, Code: x.Code, First: x.First, Last: x.Last, Class: x.Class, Grade: x.Grade, More: x.More},
			SubjectID: x.ID, Listed: x.Listed == OnList, Missing: x.Listed == MissingOnList, Photos: x.Photos,
		}
	}
	return known, all, err
}

// RosterDiff tells what a list would change.
func (v View) RosterDiff(ctx context.Context, s Scope, l roster.List) (roster.Diff, error) {
	known, _, err := v.known(ctx, v.s.read, s)
	if err != nil {
		return roster.Diff{}, err
	}
	return roster.Compare(l, known)
}

// TakeRoster makes the people of a job or account those of a list. Whoever is missing from
// it is marked so, and stays. A list that takes away more than a tenth fails with
// ErrTakesAway unless it is accepted. It ends every list that waits.
func (tx *Tx) TakeRoster(f RosterFile, l roster.List, accept bool) (roster.Diff, error) {
	known, subjects, err := tx.s.All().known(tx.ctx, tx.t, f.Scope)
	if err != nil {
		return roster.Diff{}, err
	}
	d, err := roster.Compare(l, known)
	if err != nil {
		return d, err
	}
	if d.TakesAway() && !accept {
		return d, fmt.Errorf("the list was not taken: %w: %s", ErrTakesAway, d.Summary())
	}
	byID := map[int64]Subject{}
	for _, s := range subjects {
		byID[s.ID] = s
	}
	for _, c := range d.Changed {
		if err := tx.UpdateSubject(byID[c.Was.SubjectID].as(c.Now)); err != nil {
			return d, fmt.Errorf("line %d: %w", c.Now.Line, err)
		}
	}
	for _, p := range d.Added {
		if _, err := tx.AddSubject(Subject{AccountID: f.AccountID, JobID: f.JobID, Kind: Person}.as(p)); err != nil {
			return d, fmt.Errorf("line %d: %w", p.Line, err)
		}
	}
	stamp, err := tx.stamp()
	if err != nil {
		return d, err
	}
	for _, k := range d.Missing {
		if err := tx.execOne(`UPDATE subject SET listed = 'missing', changed_at = ? WHERE id = ?`, stamp, k.SubjectID); err != nil {
			return d, err
		}
	}
	if err := tx.dropRosters(f.Scope, true); err != nil {
		return d, err
	}
	if _, err := tx.addRoster(f, d, "taken"); err != nil {
		return d, err
	}
	return d, tx.rosterTaken(f, d)
}

// rosterTaken adds the entry that the people of a job or account are those of a list.
func (tx *Tx) rosterTaken(f RosterFile, d roster.Diff) error {
	path := oneLine(f.File)
	if f.JobID != 0 {
		var job string
		if err := tx.queryRow(`SELECT name FROM job WHERE id = ?`, f.JobID).Scan(&job); err != nil {
			return err
		}
		path = oneLine(job) + "/" + path
	}
	return tx.addActivity(Activity{AccountID: f.AccountID, Event: EventRoster, Path: path, Detail: d.Summary(), Operator: cmp.Or(f.TakenBy, f.Operator)})
}

// as is a subject with what a list says of it.
func (s Subject) as(p roster.Person) Subject {
	if p.Code != "" {
		s.Code = p.Code
	}
	s.ExternalID, s.First, s.Last, s.Class, s.Grade, s.More, s.Listed = p.ID, p.First, p.Last, p.Class, p.Grade, p.More, OnList
	if s.Kind == Spare && p.First+p.Last != "" {
		s.Kind = Person
	}
	return s
}

// HoldRoster keeps a list until a person has decided about it, in the place of another
// that waits, and returns its number.
func (tx *Tx) HoldRoster(f RosterFile, d roster.Diff) (id int64, err error) {
	if err := tx.dropRosters(f.Scope, true); err != nil {
		return 0, err
	}
	return tx.addRoster(f, d, "waiting")
}

func (tx *Tx) addRoster(f RosterFile, d roster.Diff, state string) (id int64, err error) {
	sha := sha256.Sum256(f.Content)
	content := f.Content
	if state == "taken" {
		content = nil
	}
	if _, err := tx.exec(`INSERT INTO roster (account_id, job_id, at, operator, file, sha256, state, content, people, added, changed, missing)
		VALUES (?, nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		f.AccountID, f.JobID, millis(tx.now), f.Operator, f.File, sha[:], state, content, d.People, len(d.Added), len(d.Changed), len(d.Missing)); err != nil {
		return 0, err
	}
	if err := tx.queryRow(`SELECT last_insert_rowid()`).Scan(&id); err != nil {
		return 0, err
	}
	return id, tx.dropRosters(f.Scope, false)
}

// rostersKept is how many lists of a job or account are remembered.
const rostersKept = 20

// dropRosters forgets the lists that wait, or else those that came long ago.
func (tx *Tx) dropRosters(s Scope, waiting bool) error {
	where, args := s.where()
	if waiting {
		_, err := tx.exec(`DELETE FROM roster WHERE `+where+` AND state = 'waiting'`, args...)
		return err
	}
	_, err := tx.exec(`DELETE FROM roster WHERE `+where+` AND id <= (SELECT id FROM roster WHERE `+where+` ORDER BY id DESC LIMIT 1 OFFSET ?)`,
		append(append(args, args...), rostersKept)...)
	return err
}

func (s Scope) where() (string, []any) {
	if s.JobID != 0 {
		return "job_id = ? AND +account_id = ?", []any{s.JobID, s.AccountID}
	}
	return "account_id = ? AND job_id IS NULL", []any{s.AccountID}
}

// DropRoster forgets a list that waits.
func (tx *Tx) DropRoster(s Scope, id int64) error {
	where, args := s.where()
	return tx.execOne(`DELETE FROM roster WHERE `+where+` AND id = ? AND state = 'waiting'`, append(args, id)...)
}

// Rosters lists the lists of a job or account that came, the latest first.
func (v View) Rosters(ctx context.Context, s Scope) ([]Roster, error) {
	if v.account != 0 && s.AccountID != v.account {
		return nil, ErrNotFound
	}
	where, args := s.where()
	return collect(ctx, v.s.read, func(r *sql.Rows) (x Roster, err error) {
		var at int64
		var sha []byte
		err = r.Scan(&x.ID, &at, &x.Operator, &x.File, &sha, &x.Waiting, &x.People, &x.Added, &x.Changed, &x.Missing)
		x.At, x.SHA, x.Operator, x.File = fromMillis(at), asSHA(sha), login(x.Operator), oneLine(x.File)
		return x, err
	}, `SELECT id, at, operator, file, sha256, state = 'waiting', people, added, changed, missing FROM roster WHERE `+where+` ORDER BY id DESC LIMIT 50`, args...)
}

// AllRosters lists at most limit lists of the view that came, or of an account or job of it,
// the latest first, only those before a number; 0 = all.
func (v View) AllRosters(ctx context.Context, s Scope, before int64, limit int) ([]Roster, error) {
	var w where
	v.only(&w, "x.account_id")
	w.number("x.account_id = ?", s.AccountID)
	w.number("x.job_id = ?", s.JobID)
	w.number("x.id < ?", before)
	return collect(ctx, v.s.read, func(r *sql.Rows) (x Roster, err error) {
		var at int64
		var sha []byte
		err = r.Scan(&x.Account, &x.Job, &x.ID, &at, &x.Operator, &x.File, &sha, &x.Waiting, &x.People, &x.Added, &x.Changed, &x.Missing)
		x.At, x.SHA, x.Operator, x.File, x.Job = fromMillis(at), asSHA(sha), login(x.Operator), oneLine(x.File), oneLine(x.Job)
		return x, err
	}, `SELECT a.name, coalesce(j.name, ''), x.id, x.at, x.operator, x.file, x.sha256, x.state = 'waiting', x.people, x.added, x.changed, x.missing
		FROM roster x JOIN account a ON a.id = x.account_id LEFT JOIN job j ON j.id = x.job_id `+w.sql()+` ORDER BY x.id DESC LIMIT ?`, append(w.args, limit)...)
}

// WaitingRoster returns the content of a list that waits.
func (v View) WaitingRoster(ctx context.Context, s Scope, id int64) (f RosterFile, err error) {
	if v.account != 0 && s.AccountID != v.account {
		return f, ErrNotFound
	}
	where, args := s.where()
	f.Scope = s
	err = v.s.read.QueryRowContext(ctx, `SELECT file, operator, content FROM roster WHERE `+where+` AND id = ? AND state = 'waiting'`, append(args, id)...).
		Scan(&f.File, &f.Operator, &f.Content)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("the list: %w: somebody has decided about it, or a later one came", ErrNotFound)
	}
	f.File = oneLine(f.File)
	return f, err
}

// HasPeople tells whether a job or account has subjects: otherwise nothing of them is
// shown.
func (v View) HasPeople(ctx context.Context, s Scope) (yes bool, err error) {
	query, id := `SELECT EXISTS (SELECT 1 FROM subject WHERE account_id = ? AND removed_at IS NULL LIMIT 1)`, s.AccountID
	if s.JobID != 0 {
		query, id = `SELECT EXISTS (SELECT 1 FROM subject WHERE job_id = ? AND removed_at IS NULL LIMIT 1)`, s.JobID
	}
	err = v.s.read.QueryRowContext(ctx, query, id).Scan(&yes)
	return yes, err
}

// NotListed lists at most limit published portraits of an account whose IDs nobody has, in
// the order of the IDs. It reads the account's portraits until it has found them.
func (v View) NotListed(ctx context.Context, accountID int64, limit int) ([]Photo, error) {
	return v.photosByID(ctx, `SELECT p.id FROM photo p WHERE p.account_id = ? AND p.person IS NOT NULL AND p.withdrawn_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM subject s WHERE s.account_id = p.account_id AND s.job_id IS NULL AND s.external_id = p.person) ORDER BY p.sort LIMIT ?`, accountID, limit)
}
