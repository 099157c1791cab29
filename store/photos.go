package store

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// A Photo is what the catalogue knows at one upload path.
type Photo struct {
	ID            int64
	AccountID     int64
	Account       string
	RawPath       string // bytes as on disk
	Path          string // for people
	Job, Album    string // jobs
	Area          string
	Person        string // portraits
	File          string
	SHA           SHA
	Bytes         int64
	Width, Height int       // as seen
	TakenAt       time.Time // by the camera's zone, or else the account's
	Taken         Taken
	IngestedAt    time.Time
	WithdrawnAt   time.Time // zero = published
	WithdrawnBy   string    // the operator, on the pages; "" = the uploader, by deleting the file
	ChangedAt     int64     // milliseconds since 1970, see View.Photos
	Flags         []string
	Replaced      SHA // the picture that was here before, if this is another shot beyond doubt; see replaced.go
	Link          string
	Renditions    []Rendition

	// As the row has them, which is what the order goes by.
	file, person        string
	taken               sql.NullInt64
	ingested, withdrawn int64

	flaw error // see Flawed
}

// Taken is what the camera's clock showed.
type Taken struct {
	Clock time.Time // in its zone if Zoned, else as if it were UTC; zero = not known
	Zoned bool      // the camera gave the zone
}

// A PhotoFilter says which photos are wanted; an empty field means any.
type PhotoFilter struct {
	Account, Job, Album, Area, Person string
	Withdrawn                         bool   // the trash instead of what is published
	Path                              string // raw or shown
	RawPath                           string // found at once, by an index
}

const photoColumns = `SELECT p.id, p.account_id, a.name, p.path, p.path_shown, coalesce(j.name, ''), coalesce(p.album, ''),
	coalesce(p.area, ''), coalesce(p.person, ''), p.file, p.sha256, o.bytes, o.width, o.height, o.taken_local, o.taken_zone, a.time_zone,
	p.ingested_at, coalesce(p.withdrawn_at, 0), coalesce(p.withdrawn_by, ''), p.changed_at, p.flags, coalesce(p.replaced, x''), p.link
	FROM photo p JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = p.sha256 LEFT JOIN job j ON j.id = p.job_id `

// Photos calls each for the photos asked for, by account and path. Everything
// is read in one go, so that a listing is of one moment.
func (s *Store) Photos(ctx context.Context, f PhotoFilter, each func(Photo) error) error {
	show := ShowPublished
	if f.Withdrawn {
		show = ShowWithdrawn
	}
	all, err := s.View(0).Photos(ctx, PhotoQuery{PhotoFilter: f, Show: show, Order: ByPath})
	for i := 0; err == nil && i < len(all); i++ {
		err = each(all[i])
	}
	return err
}

func scanPhoto(r *sql.Rows) (p Photo, err error) {
	var path, sha, replaced []byte
	var flags, tz string
	var minutes sql.NullInt64
	var ingested, withdrawn int64
	err = r.Scan(&p.ID, &p.AccountID, &p.Account, &path, &p.Path, &p.Job, &p.Album, &p.Area, &p.Person, &p.File, &sha, &p.Bytes, &p.Width, &p.Height,
		&p.taken, &minutes, &tz, &ingested, &withdrawn, &p.WithdrawnBy, &p.ChangedAt, &flags, &replaced, &p.Link)
	p.RawPath, p.IngestedAt, p.Flags = string(path), fromMillis(ingested), strings.Fields(flags)
	p.SHA, p.ingested, p.withdrawn = asSHA(sha), ingested, withdrawn
	p.Taken.Clock, p.Taken.Zoned = takenOf(p.taken, minutes)
	p.TakenAt = takenAt(p.Taken.Clock, p.Taken.Zoned, locationOf(tz))
	if p.Replaced = asSHA(replaced); p.Replaced != (SHA{}) {
		p.Flags = append(p.Flags, string(OtherShot))
	}
	if withdrawn != 0 {
		p.WithdrawnAt = fromMillis(withdrawn)
	}
	p.file, p.person = p.File, p.Person
	p.parse(sha)
	return p, err
}

// Counts are the sizes of the catalogue that status shows.
type Counts struct {
	Photos, Problems int
	Unusual          int // of the photos: see photo.Picture
	OriginalFiles    int
	OriginalBytes    int64
	RenditionFiles   int
	RenditionBytes   int64
}

// Counts costs the same however many photos there are: they are counted along.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT coalesce(sum(photos), 0) FROM tally),
		(SELECT coalesce(sum(problems), 0) FROM tally), (SELECT coalesce(sum(unusual), 0) FROM tally), o.files, o.bytes, r.files, r.bytes
		FROM stored o JOIN stored r WHERE o.what = 'original' AND r.what = 'rendition'`).
		Scan(&c.Photos, &c.Problems, &c.Unusual, &c.OriginalFiles, &c.OriginalBytes, &c.RenditionFiles, &c.RenditionBytes)
	return c, err
}
