package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"picday/store/pictures"
)

// A Published is the rendition that a link shows.
type Published struct {
	Name  pictures.Name // of the rendition
	Bytes int64         // its size, if it is whole
	Hash  SHA           // of its bytes
	At    time.Time     // when the link began to show this picture
}

// Links looks up links. A look-up costs some ten microseconds, half of what a web server
// needs for a whole request, so Links caches the answers. Before it uses one it asks
// SQLite for the version of the data, which costs less than a microsecond. So no answer
// is older than the last commit of any process.
type Links struct {
	dflt string
	db   *sql.DB // a pool of its own, so that a long list does not delay a look-up
	look *sql.Stmt

	mu      sync.Mutex // all below
	changed dataVersion
	version int64
	known   map[asked]Published
}

type asked struct{ link, rendition string }

// maxKnown bounds the number of cached answers, which take some 5 MB.
const maxKnown = 10_000

// isCard is the condition on a photo p and its original o under which it is the picture of
// a card, which no link shows.
const isCard = `p.job_id IS NOT NULL AND p.card <> 'no' AND (p.card <> '' OR coalesce(o.codes, '') <> '')`

// isHeld is the condition on them under which it may be one, and was known to be perhaps.
const isHeld = `p.job_id IS NOT NULL AND p.card <> 'no' AND o.held <> 0`

// Without a rendition's name the default one is shown. If a picture does not have it
// yet, because the configuration has changed, the largest one is shown.
const published = `SELECT p.sha256, r.name, r.longest, r.quality, r.bytes, r.hash, p.ingested_at
	FROM photo p JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = p.sha256 JOIN rendition r ON r.sha256 = p.sha256
	WHERE p.link = ?1 AND p.withdrawn_at IS NULL AND a.state <> 'gone' AND (r.name = ?2 OR ?3) AND NOT (` + isCard + `) AND NOT (` + isHeld + `)
	ORDER BY r.name = ?2 DESC, r.longest DESC LIMIT 1`

// OpenLinks opens connections of its own. dflt is the rendition that a link
// shows if none is named.
func (s *Store) OpenLinks(ctx context.Context, dflt string) (*Links, error) {
	db, err := connect(filepath.Join(s.dir, CatalogueFile), "rw", "deferred")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1 + lookupConns)
	db.SetMaxIdleConns(1 + lookupConns)
	l := &Links{dflt: dflt, db: db, known: map[asked]Published{}}
	l.look, err = db.PrepareContext(ctx, published)
	if err == nil {
		l.changed, err = newDataVersion(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("catalogue: %w", err), db.Close())
	}
	return l, nil
}

const lookupConns = 2 // connections for look-ups

// Close closes the connections.
func (l *Links) Close() error {
	return errors.Join(l.changed.close(), l.db.Close())
}

// Published returns the named rendition of the photo of a link; "" is the default one.
// It fails with ErrNotFound if there is none.
func (l *Links) Published(link, rendition string) (Published, error) {
	p, version, err := l.recall(asked{link, rendition})
	if err != nil || p.Name != "" {
		return p, err
	}
	dflt := rendition == ""
	if dflt {
		rendition = l.dflt
	}
	p, err = lookUp(l.look, link, rendition, dflt)
	if err != nil {
		return p, err
	}
	if dflt {
		rendition = ""
	}
	l.keep(asked{link, rendition}, p, version)
	return p, nil
}

// recall returns the cached answer, if it is still valid, and the version of the data
// that it was checked against.
func (l *Links) recall(q asked) (p Published, version int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	version, err = l.changed.ask()
	if err != nil {
		return p, 0, fmt.Errorf("catalogue: %w", err)
	}
	if version != l.version {
		l.version = version
		clear(l.known)
	}
	return l.known[q], version, nil
}

// keep caches an answer that was looked up after the version was read.
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
