// Package catalogues fills a catalogue with what a photo office has after a
// season, quickly: rows without uploads. For tests and benches only.
//
// It promises the same names and numbers each time, and that what the
// catalogue counts along is right; there are files only for the pictures given.
package catalogues

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"picday/internal/layout"
	"picday/internal/names"
	"picday/internal/rendition"
	"picday/store"
	"picday/store/pictures"
)

// A Plan says what is wanted.
type Plan struct {
	Accounts []Account
	// Pictures are shown in turn, as they are, as every rendition. None: each
	// photo has an original of its own, without files.
	Pictures []Picture
	Now      time.Time // everything has come in before
}

// An Account of the plan.
type Account struct {
	Name    string
	Layout  layout.Kind
	Jobs    []Job
	People  int
	Problem int // so many of each reason
}

// A Job of the plan.
type Job struct {
	Name   string
	State  store.JobState
	Albums []Album
}

// An Album of the plan. Files names its photos beyond the counted ones.
type Album struct {
	Name               string
	Individuals, Group int
	Files              []string
}

// A Picture is a JPEG with its sizes.
type Picture struct {
	Large, Thumb  []byte
	Width, Height int // of the original
	LargeW        int
	LargeH        int
	ThumbW        int
	ThumbH        int
}

// Specs are the renditions that every photo has.
var Specs = []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}, {Name: "thumb", Longest: 400, Quality: 80}}

type filler struct {
	s    *store.Store
	tx   *sql.Tx
	plan Plan
	pics []store.SHA
	n    int // photos so far
	at   time.Time
	rnd  *rand.Rand

	original, rendition, photo, upload, activity, part, named *sql.Stmt
}

// Fill enters the plan into a catalogue: its accounts and jobs first, then the rest in
// one transaction.
func Fill(ctx context.Context, s *store.Store, plan Plan) error {
	if plan.Now.IsZero() {
		plan.Now = time.Now()
	}
	err := s.Update(ctx, func(tx *store.Tx) error {
		for _, a := range plan.Accounts {
			acct, err := tx.AddAccount(store.Account{Name: a.Name, Layout: a.Layout, IDPattern: "[0-9]{1,32}"})
			for i := 0; err == nil && i < len(a.Jobs); i++ {
				err = tx.AddJob(acct, a.Jobs[i].Name)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return InTransaction(ctx, s, func(tx *sql.Tx) error {
		f := &filler{s: s, tx: tx, plan: plan, rnd: rand.New(rand.NewPCG(1, 2)), at: plan.Now.Add(-36 * time.Hour)}
		return bare(tx, f.fill)
	})
}

func (f *filler) fill() error {
	if err := f.prepare(); err != nil {
		return err
	}
	for i, p := range f.plan.Pictures {
		if err := f.picture(i, p); err != nil {
			return err
		}
	}
	for _, a := range f.plan.Accounts {
		if err := f.account(a); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) prepare() (err error) {
	for into, query := range map[**sql.Stmt]string{
		&f.original:  `INSERT INTO original (sha256, bytes, width, height, taken_local, make, model, serial) VALUES (?, ?, ?, ?, ?, 'Canon', 'Canon EOS R6', '012021000123')`,
		&f.rendition: `INSERT INTO rendition VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		&f.photo: `INSERT INTO photo (account_id, job_id, album, area, person, path, path_shown, file, sort, sha256, flags, link, ingested_at, changed_at)
			VALUES (?, nullif(?, 0), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&f.part:     `INSERT INTO photo_part VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		&f.named:    `INSERT INTO name_part VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		&f.upload:   `INSERT INTO upload (account_id, dir, name, identity, job_id, photo_id, reason, since, delete_after) VALUES (?, ?, ?, ?, nullif(?, 0), ?, ?, ?, ?)`,
		&f.activity: `INSERT INTO activity (at, account_id, event, path_shown, detail, operator, photo_id) VALUES (?, ?, 'added', ?, '', '', ?)`,
	} {
		if *into, err = f.tx.Prepare(query); err != nil {
			return err
		}
	}
	return nil
}

// picture writes a picture's files.
func (f *filler) picture(i int, p Picture) error {
	sha := store.SHA(sha256.Sum256(p.Large))
	if _, err := f.original.Exec(sha[:], len(p.Large)*9, p.Width, p.Height, f.at.UnixMilli()+int64(i)*61_000); err != nil {
		return err
	}
	for _, r := range []store.Rendition{
		{Spec: Specs[0], Width: p.LargeW, Height: p.LargeH, Bytes: int64(len(p.Large))},
		{Spec: Specs[1], Width: p.ThumbW, Height: p.ThumbH, Bytes: int64(len(p.Thumb))},
	} {
		data := p.Large
		if r.Name == "thumb" {
			data = p.Thumb
		}
		if err := write(f.s.Files().Path(pictures.Rendition(sha, r.Spec)), data); err != nil {
			return err
		}
		hash := sha256.Sum256(data)
		if _, err := f.rendition.Exec(sha[:], r.Name, r.Longest, r.Quality, r.Width, r.Height, r.Bytes, hash[:]); err != nil {
			return err
		}
	}
	f.pics = append(f.pics, sha)
	return write(f.s.Files().Path(pictures.Original(sha)), p.Large)
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o640)
}

func (f *filler) account(a Account) error {
	var acct int64
	if err := f.tx.QueryRow(`SELECT id FROM account WHERE name = ?`, a.Name).Scan(&acct); err != nil {
		return err
	}
	for _, j := range a.Jobs {
		if err := f.job(acct, j); err != nil {
			return err
		}
	}
	dir := a.Name + "/user-pictures"
	for i := range a.People {
		id := strconv.Itoa(201_200_000 + i*7)
		if err := f.add(acct, 0, "", "", id, dir, id+".jpg"); err != nil {
			return err
		}
	}
	return f.problems(acct, a, dir)
}

func (f *filler) job(acct int64, j Job) error {
	var id int64
	if err := f.tx.QueryRow(`SELECT id FROM job WHERE account_id = ? AND name = ?`, acct, j.Name).Scan(&id); err != nil {
		return err
	}
	if j.State != "" {
		if _, err := f.tx.Exec(`UPDATE job SET state = ? WHERE id = ?`, j.State, id); err != nil {
			return err
		}
	}
	for _, al := range j.Albums {
		dir := j.Name + "/" + al.Name
		for _, name := range al.Files {
			if err := f.add(acct, id, al.Name, "individuals", "", dir, name); err != nil {
				return err
			}
		}
		for i := range al.Individuals {
			if err := f.add(acct, id, al.Name, "individuals", "", dir+"/individuals", fmt.Sprintf("IMG_%04d.jpg", i+1)); err != nil {
				return err
			}
		}
		for i := range al.Group {
			if err := f.add(acct, id, al.Name, "group", "", dir+"/group", fmt.Sprintf("GRP_%03d.jpg", i+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *filler) add(acct int64, job int64, album, area, person, dir, name string) error {
	f.n++
	f.at = f.at.Add(time.Duration(f.rnd.IntN(9000)) * time.Millisecond)
	if f.at.After(f.plan.Now) {
		f.at = f.plan.Now
	}
	sha := store.SHA(sha256.Sum256(fmt.Append(nil, f.n)))
	flags := ""
	if f.rnd.IntN(40) == 0 {
		flags = "small"
	}
	if len(f.pics) > 0 {
		sha = f.pics[f.rnd.IntN(len(f.pics))]
	} else {
		if _, err := f.original.Exec(sha[:], 7_000_000, 6000, 4000, f.at.UnixMilli()-int64(f.rnd.IntN(1e9))); err != nil {
			return err
		}
		for _, r := range Specs {
			if _, err := f.rendition.Exec(sha[:], r.Name, r.Longest, r.Quality, r.Longest, r.Longest*2/3, r.Longest*100, sha[:]); err != nil {
				return err
			}
		}
	}
	path, at := dir+"/"+name, f.at.UnixMilli()
	key := names.Key(name)
	if person != "" {
		key = names.Key(person)
	}
	res, err := f.photo.Exec(acct, job, album, area, person, []byte(path), path, name, key, sha[:], flags,
		fmt.Sprintf("%056x", f.n), at, at)
	if err != nil {
		return err
	}
	id, _ := res.LastInsertId()
	if err := f.find(acct, job, id, album, name); err != nil {
		return err
	}
	if _, err = f.upload.Exec(acct, []byte(dir), []byte(name), f.identity(), job, id, nil, at, nil); err == nil && f.n%20 == 0 {
		_, err = f.activity.Exec(at, acct, path, id)
	}
	return err
}

// find enters by what names a job's photo and its album are found.
func (f *filler) find(acct, job, id int64, album, name string) error {
	if job == 0 {
		return nil
	}
	for _, part := range names.Parts(name) {
		if _, err := f.part.Exec(acct, part, id); err != nil {
			return err
		}
	}
	for _, part := range names.Parts(album) {
		if _, err := f.named.Exec(acct, part, job, album); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) identity() []byte {
	b := make([]byte, 32)
	b[7] = 1
	copy(b[8:], fmt.Sprintf("%08x", f.n))
	b[21], b[22] = 0x3a, 0x11 // 3.8 MB
	return b
}

func (f *filler) problems(acct int64, a Account, dir string) error {
	reasons := map[layout.Reason]string{layout.NotJPEG: "scan%d.jpg", layout.Incomplete: "half%d.jpg", layout.Damaged: "noise%d.jpg"}
	if a.Layout == layout.Portraits {
		reasons[layout.BadName] = "Müller, Ann %d.jpg"
	} else {
		reasons[layout.NoAlbum] = "lost%d.jpg"
		dir = a.Jobs[0].Name
	}
	for reason, name := range reasons {
		for i := range a.Problem {
			f.n++
			var after any
			if reason == layout.BadName {
				after = f.plan.Now.Add(time.Duration(i+1) * 20 * time.Hour).UnixMilli()
			}
			since := f.plan.Now.Add(-time.Duration(i*50) * time.Minute).UnixMilli()
			if _, err := f.upload.Exec(acct, []byte(dir), fmt.Appendf(nil, name, i), f.identity(), 0, nil, reason, since, after); err != nil {
				return err
			}
		}
	}
	return nil
}
