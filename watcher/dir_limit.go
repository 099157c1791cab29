package watcher

import (
	"sort"
	"time"

	"picday/internal/layout"
)

// belowLimit tells whether path may be added. A tree always may, because uploaders
// cannot create one. The limit is Options.MaxDirs.
func (d *dirs) belowLimit(t *tree, path string) bool {
	return d.max == 0 || d.byPath[path] != nil || path == t.abs || d.count[t.account] < d.max
}

// refuse records that a directory is beyond the limit. Only one of each root is
// recorded, and sent on Settled as a file that is not regular.
func (d *dirs) refuse(t *tree, path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused[t.account] != "" || t.removed.Load() {
		return
	}
	d.refused[t.account] = path
	d.log.Warn().Str("root", t.account).Str("dir", layout.Shown(t.rel(path))).Int("most", d.max).Msg("too many folders, not looked into")
	d.in.add(path, opLook, nil)
}

// isRefused tells whether path is the recorded directory beyond the limit of its root.
// It is false once the root is below its limit; retryRefused then starts a scan.
func (d *dirs) isRefused(t *tree, path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused[t.account] == path && !d.belowLimit(t, path)
}

// sentUnlisted tells whether a directory is sent on Settled instead of being listed.
func (l *loop) sentUnlisted(t *tree, path string) bool {
	return t.deepest(path) || l.dirs.isRefused(t, path)
}

// limitCheckPolls is the time between two calls of retryRefused that check the roots, as a
// multiple of Options.Poll. It is long because a root below its limit is scanned as a whole.
const limitCheckPolls = 12

// retryRefused scans the roots that had too many directories and are below their limit.
func (l *loop) retryRefused() {
	refused := l.dirs.refusedDirs()
	switch {
	case len(refused) == 0:
		l.limitCheckAt = time.Time{}
	case l.limitCheckAt.IsZero():
		l.limitCheckAt = l.now.Add(limitCheckPolls * l.opt.Poll)
	case !l.limitCheckAt.After(l.now):
		l.limitCheckAt = l.now.Add(limitCheckPolls * l.opt.Poll)
		for account, path := range refused {
			if l.clearRefused(account, path) {
				l.rescan(account, nil)
			}
		}
	}
}

// clearRefused removes the record of a refused directory if the root is below its limit,
// or if the directory is gone. The next scan refuses again what is still beyond the
// limit.
func (l *loop) clearRefused(account, path string) bool {
	if t := l.treeOf(path); t != nil && l.dirs.isRefused(t, path) {
		if _, err := t.look(path); !isGone(err) {
			return false
		}
	}
	l.dirs.mu.Lock()
	defer l.dirs.mu.Unlock()
	delete(l.dirs.refused, account)
	return true
}

// refusedDirs returns the accounts with too many directories, each with one refused path.
func (d *dirs) refusedDirs() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.refused) == 0 {
		return nil
	}
	refused := make(map[string]string, len(d.refused))
	for account, path := range d.refused {
		refused[account] = path
	}
	return refused
}

func (d *dirs) reportLimits(s *Status) {
	for account := range d.refusedDirs() {
		s.OverDirLimit = append(s.OverDirLimit, account)
	}
	sort.Strings(s.OverDirLimit)
}
