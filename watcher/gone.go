package watcher

// goneList keeps the order, and every path once.
type goneList struct {
	list []lost
	has  map[string]bool
	sent int // ever
}

type lost struct {
	tree *tree
	path string
}

func (g *goneList) push(t *tree, path string) {
	if !g.has[path] {
		g.has[path] = true
		g.list = append(g.list, lost{t, path})
	}
}

func (g *goneList) pop() {
	delete(g.has, g.list[0].path)
	g.list = g.list[1:]
	g.sent++
}

// nextGone is what to offer on Gone, a nil channel if nothing.
func (k *keeper) nextGone() (chan<- Gone, Gone) {
	for len(k.lost.list) > 0 {
		l := k.lost.list[0]
		if !l.tree.dead.Load() {
			return k.gone, Gone{Root: l.tree.root, Path: l.tree.rel(l.path)}
		}
		k.lost.pop()
	}
	return nil, Gone{}
}
