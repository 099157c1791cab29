package store

import (
	"database/sql"
	"strings"
	"time"

	"picday/internal/layout"
)

// A Photo is the row of a photo, with what other tables say about it.
type Photo struct {
	ID            int64
	AccountID     int64
	Account       string
	RawPath       string // of the upload, as on disk
	Path          string // RawPath in printable form
	Job, Album    string // "" in the portraits layout
	Area          string // "" in the portraits layout
	Person        string // the ID; "" in the jobs layout
	File          string // the last element of Path
	SHA           SHA
	Bytes         int64
	Width, Height int       // pixels, as displayed
	TakenAt       time.Time // in the camera's zone if it is known, else in the account's
	Taken         Taken
	IngestedAt    time.Time // when the current picture was published
	WithdrawnAt   time.Time // zero = published
	WithdrawnBy   string    // the operator; "" = the file was deleted
	ChangedAt     int64     // of the last change of the row, milliseconds since 1970; see ByChange
	Flags         []string
	Replaced      SHA // the picture before, if a notice says that it was certainly another shot; see replaced.go
	Link          string
	Card          bool // it is the picture of a card, so its link shows nothing
	Renditions    []Rendition

	// These values of the row are the Key in some orders. The exported fields may differ
	// from them if the row is flawed.
	sort, person        string
	taken               sql.NullInt64
	ingested, withdrawn int64

	flaw error // see Flawed
}

// Taken is what the camera's clock showed when the photo was taken.
type Taken struct {
	Clock time.Time // in the camera's zone if Zoned, else as if it were UTC; zero = unknown
	Zoned bool      // the camera recorded its zone
}

const photoColumns = `SELECT p.id, p.account_id, a.name, p.path, p.path_shown, coalesce(j.name, ''), coalesce(p.album, ''),
	coalesce(p.area, ''), coalesce(p.person, ''), p.file, p.sort, p.sha256, o.bytes, o.width, o.height, o.taken_local, o.taken_zone, a.time_zone,
	p.ingested_at, coalesce(p.withdrawn_at, 0), coalesce(p.withdrawn_by, ''), p.changed_at, p.flags, coalesce(p.replaced, x''), p.link, ` + isCard + `
	FROM photo p JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = p.sha256 LEFT JOIN job j ON j.id = p.job_id `

func scanPhoto(r *sql.Rows) (p Photo, err error) {
	var path, sha, replaced []byte
	var flags, tz string
	var minutes sql.NullInt64
	var ingested, withdrawn int64
	err = r.Scan(&p.ID, &p.AccountID, &p.Account, &path, &p.Path, &p.Job, &p.Album, &p.Area, &p.Person, &p.File, &p.sort, &sha, &p.Bytes, &p.Width, &p.Height,
		&p.taken, &minutes, &tz, &ingested, &withdrawn, &p.WithdrawnBy, &p.ChangedAt, &flags, &replaced, &p.Link, &p.Card)
	p.RawPath, p.IngestedAt, p.Flags = string(path), fromMillis(ingested), strings.Fields(flags)
	p.SHA, p.ingested, p.withdrawn = asSHA(sha), ingested, withdrawn
	p.Taken.Clock, p.Taken.Zoned = takenOf(p.taken, minutes)
	p.TakenAt = takenAt(p.Taken.Clock, p.Taken.Zoned, locationOf(tz))
	if p.Replaced = asSHA(replaced); p.Replaced != (SHA{}) {
		p.Flags = append(p.Flags, string(layout.OtherShot))
	}
	if p.Card {
		p.Flags = append(p.Flags, CardFlag)
	}
	if withdrawn != 0 {
		p.WithdrawnAt = fromMillis(withdrawn)
	}
	p.person = p.Person
	p.parse(sha)
	return p, err
}
