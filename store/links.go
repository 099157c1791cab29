package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// A Published is what a link shows.
type Published struct {
	File  string    // the rendition, on disk
	Bytes int64     // its size, if it is whole
	Hash  SHA       // of its bytes
	At    time.Time // when the link began to show this picture
}

// Links answers what links show at this moment. A look-up costs some ten
// microseconds, half of what a web server needs for the whole of a request, so
// answers are kept; but each time the catalogue is asked first whether anybody
// has committed anything since, for that costs less than one. So no answer is
// ever older than the last commit of any process.
type Links struct {
	s       *Store
	dflt    string
	db      *sql.DB // its own: whoever lists 40,000 photos must not make a till wait
	look    *sql.Stmt
	conn    *sql.Conn   // never writes: it would not be told of its own commits
	changed driver.Stmt // on conn

	mu      sync.Mutex // conn and all below
	version int64
	known   map[asked]Published
}

type asked struct{ link, rendition string }

// maxKnown bounds the memory for answers, to some 5 MB.
const maxKnown = 10_000

// The default is the rendition of that name; until a picture has one, because
// the configuration has just begun to name it, the largest there is.
const published = `SELECT p.sha256, r.name, r.longest, r.quality, r.bytes, r.hash, p.ingested_at
	FROM photo p JOIN account a ON a.id = p.account_id JOIN rendition r ON r.sha256 = p.sha256
	WHERE p.link = ?1 AND p.withdrawn_at IS NULL AND a.state <> 'gone' AND (r.name = ?2 OR ?3)
	ORDER BY r.name = ?2 DESC, r.longest DESC LIMIT 1`

// OpenLinks opens connections of its own. dflt is the rendition that a link
// shows if none is named.
func (s *Store) OpenLinks(ctx context.Context, dflt string) (*Links, error) {
	db, err := connect(filepath.Join(s.dir, CatalogueFile), "rw", "deferred")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1 + lookers)
	db.SetMaxIdleConns(1 + lookers)
	l := &Links{s: s, dflt: dflt, db: db, known: map[asked]Published{}}
	l.look, err = db.PrepareContext(ctx, published)
	if err == nil {
		l.conn, err = db.Conn(ctx)
	}
	if err == nil {
		err = l.conn.Raw(func(c any) (err error) {
			l.changed, err = c.(driver.Conn).Prepare("PRAGMA data_version")
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("catalogue: %w", err), db.Close())
	}
	return l, nil
}

const lookers = 2 // connections for look-ups

// Close ends the connections.
func (l *Links) Close() error {
	return errors.Join(l.changed.Close(), l.conn.Close(), l.db.Close())
}

// Published tells what a link shows, as the named rendition, or "" for the
// default; ErrNotFound if nothing.
func (l *Links) Published(link, rendition string) (Published, error) {
	p, version, err := l.recall(asked{link, rendition})
	if err != nil || p.File != "" {
		return p, err
	}
	dflt := rendition == ""
	if dflt {
		rendition = l.dflt
	}
	name, p, err := lookUp(l.look, link, rendition, dflt)
	if err != nil {
		return p, err
	}
	p.File = filepath.Join(l.s.dir, name)
	if dflt {
		rendition = ""
	}
	l.keep(asked{link, rendition}, p, version)
	return p, nil
}

// recall returns the answer that is kept, if it still holds, and the version
// of the catalogue for which that was found out.
func (l *Links) recall(q asked) (p Published, version int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	version, err = l.ask()
	if err != nil {
		return p, 0, fmt.Errorf("catalogue: %w", err)
	}
	if version != l.version {
		l.version = version
		clear(l.known)
	}
	return l.known[q], version, nil
}

// keep keeps an answer that was looked up after the version was asked for.
func (l *Links) keep(q asked, p Published, version int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if version != l.version {
		return
	}
	if len(l.known) >= maxKnown {
		clear(l.known)
	}
	l.known[q] = p
}

// ask goes past database/sql, which takes three times as long.
func (l *Links) ask() (version int64, err error) {
	err = l.conn.Raw(func(any) error {
		//lint:ignore SA1019 the one with a context starts a goroutine each time
		rows, err := l.changed.Query(nil)
		if err != nil {
			return err
		}
		defer rows.Close()
		var dest [1]driver.Value
		if err := rows.Next(dest[:]); err != nil {
			return err
		}
		version, _ = dest[0].(int64)
		return nil
	})
	return version, err
}
