package watcher

import "path/filepath"

func (l *loop) setRoots(roots []Root) {
	next := map[string]*tree{}
	l.roots = map[string]Root{}
	for _, r := range roots {
		if !filepath.IsAbs(r.Dir) {
			l.opt.Log.Error().Str("root", r.Account).Str("dir", r.Dir).Msg("not an absolute directory")
			continue
		}
		r.Dir = filepath.Clean(r.Dir)
		l.roots[r.Account] = r
		for _, t := range treesOf(r, l.opt) {
			if old := l.trees[t.abs]; old != nil && old.account == t.account && old.dir == t.dir && old.generation == t.generation {
				t = old
			}
			next[t.abs] = t
		}
	}
	for path, t := range l.trees {
		if next[path] != t {
			l.dirs.removeTree(t)
		}
	}
	for _, e := range l.entries {
		switch {
		case !e.tree.removed.Load():
		case e.state == inFlight:
			e.recheck = true // so that Done checks it, in case the tree is back by then
			e.release()
		default:
			l.forget(e)
		}
	}
	var added []*tree
	for path, t := range next {
		if l.trees[path] != t {
			added = append(added, t)
		}
	}
	l.trees = next
	l.scanTrees(added...)
}

// remounted scans each tree whose inode or mount has changed.
func (l *loop) remounted() {
	l.opt.Remounted()
	for path, t := range l.trees {
		st, err := t.look(path)
		if id, mount := l.dirs.mountOf(path); err != nil || inodeOf(st) != id || st.Mount != mount {
			l.dirs.Drop(path)
			l.scanTrees(t)
		}
	}
}
