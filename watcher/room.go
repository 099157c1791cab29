package watcher

import (
	"sort"
	"time"

	"picday/layout"
)

// hasRoom tells whether path may be added. A tree always may: no uploader makes one.
func (d *dirs) hasRoom(t *tree, path string) bool {
	return d.max == 0 || d.at[path] != nil || path == t.abs || d.count[t.root] < d.max
}

// refuse notes that a directory is one too many. Of each root one is given out.
func (d *dirs) refuse(t *tree, path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over[t.root] != "" || t.dead.Load() {
		return
	}
	d.over[t.root] = path
	d.log.Warn().Str("root", t.root).Str("dir", layout.Shown(t.rel(path))).Int("most", d.max).Msg("too many folders, not looked into")
	d.in.note(path, opLook, nil)
}

// refuses tells whether path is the one of its root that is given out because
// there are too many. Once there is room for it, it is not; makeRoom sees to the rest.
func (d *dirs) refuses(t *tree, path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over[t.root] == path && !d.hasRoom(t, path)
}

// shut tells whether a directory is given out instead of being looked into.
func (k *keeper) shut(t *tree, path string) bool {
	return t.deepest(path) || k.dirs.refuses(t, path)
}

// roomEvery is how many times Options.Poll lie between two looks whether there is
// room for more directories: where there is, all of the root is scanned.
const roomEvery = 12

func (k *keeper) makeRoom() {
	full := k.dirs.full()
	switch {
	case len(full) == 0:
		k.roomAt = time.Time{}
	case k.roomAt.IsZero():
		k.roomAt = k.now.Add(roomEvery * k.opt.Poll)
	case !k.roomAt.After(k.now):
		k.roomAt = k.now.Add(roomEvery * k.opt.Poll)
		for root, path := range full {
			if k.forgive(root, path) {
				k.rescan(root, nil)
			}
		}
	}
}

// forgive forgets what was refused if there is room by now, or it is gone: a scan
// finds out what still has to be.
func (k *keeper) forgive(root, path string) bool {
	if t := k.treeOf(path); t != nil && k.dirs.refuses(t, path) {
		if _, err := t.look(path); !isGone(err) {
			return false
		}
	}
	k.dirs.mu.Lock()
	defer k.dirs.mu.Unlock()
	delete(k.dirs.over, root)
	return true
}

// full returns the roots with too many directories, and what was refused.
func (d *dirs) full() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.over) == 0 {
		return nil
	}
	full := make(map[string]string, len(d.over))
	for root, path := range d.over {
		full[root] = path
	}
	return full
}

func (d *dirs) reportFull(s *Status) {
	for root := range d.full() {
		s.Full = append(s.Full, root)
	}
	sort.Strings(s.Full)
}
