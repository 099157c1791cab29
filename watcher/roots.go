package watcher

import "path/filepath"

func (k *keeper) setRoots(roots []Root) {
	next := map[string]*tree{}
	k.roots = map[string]Root{}
	for _, r := range roots {
		if !filepath.IsAbs(r.Dir) {
			k.opt.Log.Error().Str("root", r.Name).Str("dir", r.Dir).Msg("not an absolute directory")
			continue
		}
		r.Dir = filepath.Clean(r.Dir)
		k.roots[r.Name] = r
		for _, t := range treesOf(r, k.opt) {
			if old := k.trees[t.abs]; old != nil && old.root == t.root && old.dir == t.dir && old.gen == t.gen {
				t = old
			}
			next[t.abs] = t
		}
	}
	for path, t := range k.trees {
		if next[path] != t {
			k.dirs.retire(t)
		}
	}
	for _, e := range k.entries {
		switch {
		case !e.tree.dead.Load():
		case e.state == handed:
			e.touched = true // if the tree comes back before Done
			e.release()
		default:
			k.forget(e)
		}
	}
	var added []*tree
	for path, t := range next {
		if k.trees[path] != t {
			added = append(added, t)
		}
	}
	k.trees = next
	k.scanTrees(added...)
}

// remounted looks whether the trees are still what they were, and where.
func (k *keeper) remounted() {
	k.opt.Remounted()
	for path, t := range k.trees {
		st, err := t.look(path)
		if id, mount := k.dirs.mountOf(path); err != nil || st.inode() != id || st.mount != mount {
			k.dirs.Drop(path)
			k.scanTrees(t)
		}
	}
}
