package watcher

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/turns"
	"picday/layout"
)

// touch starts the quiet time of a path, unless a walker found it just as it was.
func (k *keeper) touch(t *tree, path string, n note) {
	e := k.entries[path]
	id, regular := n.found.Identity, n.found.regular()
	if e != nil && n.op == 0 && id == e.id {
		return
	}
	if e == nil {
		e = &entry{tree: t, path: path, since: n.at, index: -1}
		k.entries[path] = e
	} else if e.state == handed {
		e.touched = true
		return
	}
	k.unready(e)
	changed := id != e.id
	e.tree = t // it may have been taken away and given back meanwhile
	e.id, e.regular, e.dir, e.held = id, regular, n.found.isDir(), false
	// The first look is now. If the note is old, so would be the quiet time,
	// with both looks at its end.
	e.changed = n.at
	if k.now.Sub(n.at) > k.opt.Settle/8 {
		e.changed = k.now
	}
	k.queue.put(e, e.changed.Add(k.opt.Settle))
	if changed && len(e.waiters) > 0 && k.isBusy(e) {
		e.release() // a scan does not wait for an upload that goes on
	}
}

// settle looks again at everything whose time has come.
func (k *keeper) settle() {
	for len(k.queue) > 0 && !k.queue[0].due.After(k.now) {
		k.decide(k.queue[0])
	}
}

func (k *keeper) decide(e *entry) {
	st, held, err := e.tree.examine(e.path)
	switch {
	case isGone(err):
		k.vanished(e.tree, e.path)
	case errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM):
		if k.now.Sub(k.starved) > time.Minute { // not for each file in each turn
			k.opt.Log.Warn().Err(err).Msg("cannot look at uploads")
		}
		k.starved = k.now
		k.queue.put(e, k.now.Add(k.opt.Settle))
	case st != nil && st.isDir() && !k.shut(e.tree, e.path):
		k.forget(e)
		k.attend(e.path, note{op: opLook, at: k.now})
	case st != nil && st.Identity != e.id:
		e.id, e.regular, e.dir, e.changed, e.held = st.Identity, st.regular(), st.isDir(), k.now, false
		k.queue.put(e, k.now.Add(k.opt.Settle))
	case held:
		// Nobody tells when he closes it. Ask again, later once it takes long.
		wait := k.opt.Settle
		if e.held {
			wait *= 2
		}
		e.held = true
		e.release()
		k.queue.put(e, k.now.Add(wait))
	case err != nil && k.now.Sub(e.changed) < k.opt.SettleUnsure:
		k.complain(e, err)
		e.release()
		k.queue.put(e, e.changed.Add(k.opt.SettleUnsure))
	default:
		if err == nil && e.regular {
			e.tree.refused.Store(false)
		}
		k.queue.take(e)
		e.state = ready
		quick := k.opt.Quick(e.tree.root, e.tree.rel(e.path), e.regular)
		e.place = k.ready.Put(lane{e.tree.root, quick}, e)
	}
}

func (k *keeper) complain(e *entry, err error) {
	if errors.Is(err, ErrNoLeases) {
		e.tree.leaseless.Store(true)
		return
	}
	if errors.Is(err, ErrLeaseRefused) && e.tree.refused.Swap(true) {
		return // it is the same for all its files
	}
	if !e.warned {
		k.opt.Log.Warn().Err(err).Str("root", e.tree.root).Str("path", layout.Shown(e.tree.rel(e.path))).Msg("cannot tell who has it open")
		e.warned = true
	}
}

// isBusy tells whether e is not going to be given out after the quiet time.
func (k *keeper) isBusy(e *entry) bool {
	_, held, err := e.tree.examine(e.path)
	return held || err != nil && !isGone(err)
}

// forget ends an entry.
func (k *keeper) forget(e *entry) {
	k.queue.take(e)
	k.unready(e)
	e.state = waiting
	e.release()
	delete(k.entries, e.path)
}

// unready takes e out of what waits to be given out.
func (k *keeper) unready(e *entry) {
	if e.state == ready {
		k.ready.Remove(e.place)
	}
}

// nextFile is what to offer on Settled, a nil channel if nothing.
func (k *keeper) nextFile() (chan<- File, File, *turns.Place[lane, *entry]) {
	p := k.ready.Next()
	if p == nil {
		return nil, File{}, nil
	}
	e := p.Value
	return k.settled, File{Root: e.tree.root, Path: e.tree.rel(e.path), Identity: e.id, Regular: e.regular, Dir: e.dir}, p
}

// hand notes that what nextFile returned was received.
func (k *keeper) hand(p *turns.Place[lane, *entry]) {
	k.ready.Give(p)
	e := p.Value
	e.state, e.touched = handed, false
	k.out[name{e.tree.root, e.tree.rel(e.path)}] = e
}

func (k *keeper) done(f File, again bool) {
	key := name{f.Root, f.Path}
	e := k.out[key]
	if e == nil {
		return
	}
	delete(k.out, key)
	k.ready.Back(e.place.Owner)
	e.state = waiting
	// Always look: if the directory above was replaced before the ledger knew of
	// this file, nobody missed it there.
	st, err := e.tree.look(e.path)
	again = again || e.touched || err != nil || st.Identity != e.id
	if again && k.treeOf(e.path) != nil {
		k.attend(e.path, note{op: opLook, at: k.now})
	} else {
		k.forget(e)
	}
}
