package store

import (
	"context"
	"database/sql"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"picday/internal/names"
)

// sortKey is what the photo of this place is ordered by.
func (p Place) sortKey() string {
	if p.Person != "" {
		return names.Key(p.Person)
	}
	return names.Key(path.Base(p.Shown))
}

// findBy makes a photo of a job, and its album, be found by their names. was is the name
// of its file before, "" if it is new. Portraits are found by their IDs.
func (tx *Tx) findBy(id int64, p photoRow, was string) error {
	if p.jobID == 0 {
		return nil
	}
	file := path.Base(p.place.Shown)
	if file != was {
		if err := tx.findNoMore(id, p.accountID, was); err != nil {
			return err
		}
		for _, part := range names.Parts(file) {
			if _, err := tx.exec(`INSERT INTO photo_part VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, p.accountID, part, id); err != nil {
				return err
			}
		}
	}
	return tx.findAlbum(p.accountID, p.jobID, p.place.Album)
}

// findNoMore ends what findBy did for a file name.
func (tx *Tx) findNoMore(id, accountID int64, file string) error {
	for _, part := range names.Parts(file) {
		if _, err := tx.exec(`DELETE FROM photo_part WHERE account_id = ? AND part = ? AND photo_id = ?`, accountID, part, id); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) findAlbum(accountID, jobID int64, album string) error {
	if album == "" {
		return nil
	}
	for _, part := range names.Parts(album) {
		if _, err := tx.exec(`INSERT INTO name_part VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, accountID, part, jobID, album); err != nil {
			return err
		}
	}
	return nil
}

// Found is what Find has found, of each kind at most so many as were wanted.
type Found struct {
	Jobs   []Job
	Albums []Album
	Photos []Photo // withdrawn ones too
}

var linkInText = regexp.MustCompile(`\b[0-9a-f]{56}\b`)

// Find looks for jobs and albums with a name, files of photos with a name, and persons
// with an ID, in which a word begins so; capitals, accents and punctuation do not matter, nor whether somebody writes
// ü or ue.
// It also finds the photo of a link. It reads no more rows than it returns, however large
// the catalogue is.
func (v View) Find(ctx context.Context, text string, most int) (f Found, err error) {
	if link := linkInText.FindString(strings.ToLower(text)); link != "" {
		var w where
		v.only(&w, "p.account_id")
		w.add("p.link = ?", link)
		f.Photos, err = v.photosByID(ctx, `SELECT p.id FROM photo p JOIN account a ON a.id = p.account_id `+w.sql(), w.args...)
		return f, err
	}
	for _, begins := range names.Spellings(text) {
		if begins == "" {
			return f, nil
		}
		if err := v.findNamed(ctx, &f, begins, most); err != nil {
			return f, err
		}
	}
	var w where
	v.only(&w, "a.id")
	id := strings.TrimSpace(text)
	w.add("p.person >= ? AND p.person < ?", id, id+string(unicode.MaxRune))
	persons, err := v.photosByID(ctx, `SELECT p.id FROM account a CROSS JOIN photo p ON p.account_id = a.id AND p.person IS NOT NULL `+w.sql()+` ORDER BY a.sort, a.name, a.id, p.person LIMIT ?`,
		append(w.args, most)...)
	f.Photos = append(persons, f.Photos...)
	return f, err
}

// findNamed adds what has a word that begins so in one of its spellings.
func (v View) findNamed(ctx context.Context, f *Found, begins string, most int) error {
	ends := begins + string(unicode.MaxRune)
	var w where
	v.only(&w, "a.id")
	w.add("n.part >= ? AND n.part < ?", begins, ends)
	// CROSS JOIN makes SQLite loop over the accounts, and stop at the limit.
	found, err := collect(ctx, v.s.read, func(r *sql.Rows) (al Album, err error) {
		return al, r.Scan(&al.Account, &al.Job, &al.Name)
	}, `SELECT a.name, j.name, n.album FROM account a CROSS JOIN name_part n ON n.account_id = a.id CROSS JOIN job j ON j.id = n.job_id `+w.sql()+`
		AND (n.album = '' OR EXISTS (SELECT 1 FROM album l WHERE l.job_id = n.job_id AND l.name = n.album)) ORDER BY a.sort, a.name, a.id, n.part LIMIT ?`,
		append(w.args, 2*most)...)
	if err != nil {
		return err
	}
	seen := map[Album]bool{} // a word may be in a name twice
	for _, j := range f.Jobs {
		seen[Album{Account: j.Account, Job: j.Name}] = true
	}
	for _, al := range f.Albums {
		seen[Album{Account: al.Account, Job: al.Job, Name: al.Name}] = true
	}
	for _, al := range found {
		if seen[al] {
			continue
		}
		seen[al] = true
		if err := v.addFound(ctx, f, al, most); err != nil {
			return err
		}
	}
	photos, err := v.photosByID(ctx, `SELECT n.photo_id FROM account a CROSS JOIN photo_part n ON n.account_id = a.id `+w.sql()+` ORDER BY a.sort, a.name, a.id, n.part LIMIT ?`,
		append(w.args, most)...)
	for _, p := range photos {
		if len(f.Photos) < most && !slices.ContainsFunc(f.Photos, func(o Photo) bool { return o.ID == p.ID }) {
			f.Photos = append(f.Photos, p)
		}
	}
	return err
}

// addFound adds a job, or an album if al has a name.
func (v View) addFound(ctx context.Context, f *Found, al Album, most int) error {
	job, err := v.Job(ctx, al.Account, al.Job)
	if err != nil {
		return err
	}
	if al.Name == "" {
		if len(f.Jobs) < most {
			f.Jobs = append(f.Jobs, job)
		}
		return nil
	}
	if len(f.Albums) < most {
		al, err = v.Album(ctx, job, al.Name)
		f.Albums = append(f.Albums, al)
	}
	return err
}

// photosByID lists the photos whose IDs a query gives, each once.
func (v View) photosByID(ctx context.Context, query string, args ...any) (all []Photo, err error) {
	ids, err := column[int64](ctx, v.s.read, query, args...)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		p, err := v.Photo(ctx, id)
		if errors.Is(err, ErrNotFound) { // it ended meanwhile
			continue
		}
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}
