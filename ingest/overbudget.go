package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"picday/internal/upload"
	"picday/store"
)

// A question asks for what is too expensive to find out in a transaction: the hash of a
// file, or, with a zero id, the listing of a job.
type question struct {
	account, path string
	id            upload.Identity
}

// overBudget is a store.ErrOverBudget with the questions that were too expensive.
type overBudget struct{ questions []question }

func (e *overBudget) Error() string {
	return fmt.Sprintf("%v (%q)", store.ErrOverBudget, e.questions[0].path)
}

func (e *overBudget) Unwrap() error { return store.ErrOverBudget }

// diskCache holds what answerOutside has found out, for the next transaction.
type diskCache struct {
	answering sync.Mutex // held by answerOutside, so that one answer is computed at a time

	mu       sync.Mutex
	sums     map[upload.Identity]store.SHA // hashes of files that did not change meanwhile
	listings map[string]*listing           // by account/job
	answered map[question]bool             // questions that were answered
	expires  time.Time                     // when the cache expires
}

// diskCacheTime is how long the cache is kept after the last new answer.
const diskCacheTime = time.Minute

func (c *diskCache) sum(id upload.Identity) (sha store.SHA, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sha, ok = c.sums[id]
	return sha, ok
}

// takeListing removes a listing from the cache, or makes an empty one. The caller is its
// only user until putListing.
func (c *diskCache) takeListing(account, job string) *listing {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.listings[account+"/"+job]
	delete(c.listings, account+"/"+job)
	if l == nil {
		l = &listing{key: account + "/" + job, dirs: map[string]*listedDir{}, paths: map[uint64][]string{}}
	}
	return l
}

func (c *diskCache) putListing(l *listing) { c.update(func() { c.listings[l.key] = l }) }

// expire empties the cache once it has expired.
func (c *diskCache) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().After(c.expires) {
		c.sums, c.listings, c.answered = nil, nil, nil
	}
}

func (c *diskCache) update(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sums == nil {
		c.sums, c.listings, c.answered = map[upload.Identity]store.SHA{}, map[string]*listing{}, map[question]bool{}
	}
	c.expires = time.Now().Add(diskCacheTime)
	fn()
}

// answerOutside answers questions outside of a transaction, without a budget, and caches
// the answers. It returns the first system error.
func (in *Ingester) answerOutside(questions []question) error {
	in.diskCache.answering.Lock()
	defer in.diskCache.answering.Unlock()
	for _, q := range questions {
		root, err := os.OpenRoot(filepath.Join(in.Config.UploadDir, q.account))
		if err != nil {
			return err
		}
		if q.id == (upload.Identity{}) {
			l := in.diskCache.takeListing(q.account, q.path)
			if err = l.refresh(root, q.path, nil); err == nil && l.needsReread() {
				time.Sleep(2 * fileTimeResolution)
				err = l.refresh(root, q.path, nil)
			}
			in.diskCache.putListing(l)
		} else {
			err = in.hashUnchanged(root, q)
		}
		root.Close()
		if err != nil {
			return err
		}
		in.diskCache.update(func() { in.diskCache.answered[q] = true })
	}
	return nil
}

// allAnswered tells whether the cache has answers to all the questions. If they are too
// expensive all the same, as for a job with too many folders, asking again is useless.
func (c *diskCache) allAnswered(questions []question) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range questions {
		if !c.answered[q] {
			return false
		}
	}
	return true
}

// hashUnchanged hashes a file and caches the hash unless the file changed meanwhile. It
// waits before it reads, because a file that was changed a moment ago may change again
// without a new ctime.
func (in *Ingester) hashUnchanged(root *os.Root, q question) error {
	file, err := upload.Open(root, q.path)
	if err != nil {
		return systemErrorOnly(err)
	}
	defer file.Close()
	before, err := file.Stat()
	if err != nil || !before.Mode().IsRegular() {
		return err
	}
	id := in.identityOf(before, q.account, q.path)
	if _, ok := in.diskCache.sum(id); ok {
		return nil
	}
	time.Sleep(min(2*fileTimeResolution, 2*fileTimeResolution-time.Since(time.Unix(0, id.Ctime))))
	sha, err := sumUpTo(file, nil, id.Size)
	if err != nil {
		return err
	}
	if after, err := file.Stat(); err != nil || in.identityOf(after, q.account, q.path) != id {
		return err
	}
	in.diskCache.update(func() { in.diskCache.sums[id] = sha })
	return nil
}
