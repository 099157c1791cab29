package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"picday/store"
)

// A want is an answer that is too dear to be found out inside a transaction:
// the hash of a file, or (no identity) what is in a job.
type want struct {
	account, path string
	id            store.Identity
}

// tooDear is the ErrOverBudget that says what is wanted.
type tooDear struct{ wants []want }

func (e *tooDear) Error() string {
	return fmt.Sprintf("%v (%q)", store.ErrOverBudget, e.wants[0].path)
}

func (e *tooDear) Unwrap() error { return store.ErrOverBudget }

// dear keeps what was found out outside, for those who ask again. One thing is
// found out at a time, whoever wants it, so that a customer who makes dear
// questions waits for himself.
type dear struct {
	one sync.Mutex // held by who finds out

	mu    sync.Mutex
	sums  map[store.Identity]store.SHA // of files that are at rest
	lists map[string]*listing          // by account/job
	found map[want]bool                // what was found out
	until time.Time                    // then all is forgotten
}

// keepDear is how long answers are kept after the last that was found out.
const keepDear = time.Minute

func (k *dear) sum(id store.Identity) (sha store.SHA, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	sha, ok = k.sums[id]
	return sha, ok
}

// listing takes a kept listing out, or begins one. Whoever has it has it alone.
func (k *dear) listing(account, job string) *listing {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lists[account+"/"+job]
	delete(k.lists, account+"/"+job)
	if l == nil {
		l = &listing{of: account + "/" + job, dirs: map[string]*listedDir{}, names: map[uint64][]string{}}
	}
	return l
}

func (k *dear) putBack(l *listing) { k.keep(func() { k.lists[l.of] = l }) }

// tidy forgets what nobody has asked for lately.
func (k *dear) tidy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Now().After(k.until) {
		k.sums, k.lists, k.found = nil, nil, nil
	}
}

func (k *dear) keep(note func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sums == nil {
		k.sums, k.lists, k.found = map[store.Identity]store.SHA{}, map[string]*listing{}, map[want]bool{}
	}
	k.until = time.Now().Add(keepDear)
	note()
}

// askOutside answers what was too dear, for as long as it takes.
func (in *Ingester) askOutside(wants []want) error {
	in.dear.one.Lock()
	defer in.dear.one.Unlock()
	for _, w := range wants {
		root, err := os.OpenRoot(filepath.Join(in.Config.UploadDir, w.account))
		if err != nil {
			return err
		}
		if w.id == (store.Identity{}) {
			l := in.dear.listing(w.account, w.path)
			if err = l.refresh(root, w.path, nil); err == nil && l.young() {
				time.Sleep(2 * coarse)
				err = l.refresh(root, w.path, nil)
			}
			in.dear.putBack(l)
		} else {
			err = in.hashAtRest(root, w)
		}
		root.Close()
		if err != nil {
			return err
		}
		in.dear.keep(func() { in.dear.found[w] = true })
	}
	return nil
}

// inVain tells whether all that is wanted was found out lately, and is too dear all
// the same: as a job is that has too many folders.
func (k *dear) inVain(wants []want) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, w := range wants {
		if !k.found[w] {
			return false
		}
	}
	return true
}

// hashAtRest hashes a file that does not change meanwhile. What has just been
// changed may be changed again without another ctime, so it waits for a moment.
func (in *Ingester) hashAtRest(root *os.Root, w want) error {
	file, err := root.OpenFile(w.path, os.O_RDONLY|openNoFollow, 0)
	if err != nil {
		return faultOnly(err)
	}
	defer file.Close()
	before, err := file.Stat()
	if err != nil || !before.Mode().IsRegular() {
		return err
	}
	id := in.identityOf(before, w.account, w.path)
	if _, ok := in.dear.sum(id); ok {
		return nil
	}
	time.Sleep(min(2*coarse, 2*coarse-time.Since(time.Unix(0, id.Ctime))))
	sha, err := sumUpTo(file, nil, id.Size)
	if err != nil {
		return err
	}
	if after, err := file.Stat(); err != nil || in.identityOf(after, w.account, w.path) != id {
		return err
	}
	in.dear.keep(func() { in.dear.sums[id] = sha })
	return nil
}
