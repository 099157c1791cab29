package watcher

import (
	"fmt"
	"path/filepath"
	"time"

	"picday/internal/upload"
)

// A Look says what was found out about a file at one time, and when it is looked at next.
type Look struct {
	At       time.Time
	Identity upload.Identity
	Verdicts []string  // on each piece of evidence
	Next     time.Time // zero: not before another event
	Events   int       // looks of the same kind that this one stands for: a fast writer causes many
}

const (
	maxLooks     = 20   // of one path
	maxLookPaths = 1000 // whose looks are kept
)

// looksOf has the last looks at the last paths. They are in memory only: what was taken, and what
// is a problem, is in the catalogue.
type looksOf struct {
	of    map[string][]Look // by absolute path
	order []string          // paths, the first one kept the longest
}

func (k *looksOf) add(path string, v Look) {
	if k.of == nil {
		k.of = map[string][]Look{}
	}
	all, known := k.of[path]
	if !known {
		if k.order = append(k.order, path); len(k.order) > maxLookPaths {
			delete(k.of, k.order[0])
			k.order = k.order[1:]
		}
	}
	if n := len(all); n > 0 && v.Events > 0 && all[n-1].Events > 0 {
		v.Events += all[n-1].Events
		all = all[:n-1]
	}
	if all = append(all, v); len(all) > maxLooks {
		all = append(all[:0:0], all[1:]...)
	}
	k.of[path] = all
}

// noteEvent records that a quiet time begins.
func (l *loop) noteEvent(e *entry) {
	l.looks.add(e.path, Look{
		At: l.now, Identity: e.id, Next: e.due, Events: 1,
		Verdicts: []string{fmt.Sprintf("it is new or has changed: a quiet time of %s begins", e.quiet)},
	})
}

// noteLook records the evidence of a look. before is the identity at the look before.
func (l *loop) noteLook(e *entry, before upload.Identity, quiet time.Duration, held bool, err error) {
	v := Look{At: l.now, Identity: e.id}
	v.Verdicts = append(v.Verdicts, "quiet for "+quiet.Round(time.Millisecond).String())
	if e.id == before {
		v.Verdicts = append(v.Verdicts, "the same size, inode and ctime as at the look before")
	} else {
		v.Verdicts = append(v.Verdicts, "changed since the look before")
	}
	switch {
	case !e.regular:
		v.Verdicts = append(v.Verdicts, "no regular file, so it is not opened")
	case err != nil:
		v.Verdicts = append(v.Verdicts, "it cannot be told who has it open: "+err.Error())
	case held:
		v.Verdicts = append(v.Verdicts, "a process has it open for writing")
	case e.id == before:
		v.Verdicts = append(v.Verdicts, "no process has it open for writing")
	}
	if e.state == ready {
		v.Verdicts = append(v.Verdicts, "complete as far as the kernel can say: to be read next")
	} else {
		v.Next = e.due
	}
	l.looks.add(e.path, v)
}

// Judged records what the receiver of a file found in it.
func (w *Watcher) Judged(f upload.File, verdict string) {
	w.in.call(func(l *loop) {
		if r, ok := l.roots[f.Account]; ok {
			l.looks.add(filepath.Join(r.Dir, f.Path), Look{At: l.now, Identity: f.Identity, Verdicts: []string{verdict}})
		}
	})
}

// Looks returns the last looks at a path, the oldest first, and when it is looked at next:
// zero if nothing waits there.
func (w *Watcher) Looks(account, path string) (all []Look, next time.Time) {
	if !w.started.Load() {
		return nil, next
	}
	done := make(chan struct{})
	w.in.call(func(l *loop) {
		defer close(done)
		r, ok := l.roots[account]
		if !ok {
			return
		}
		abs := filepath.Join(r.Dir, path)
		all = append(all, l.looks.of[abs]...)
		if e := l.entries[abs]; e != nil && e.state == waiting {
			next = e.due
		}
	})
	select {
	case <-done:
		return all, next
	case <-w.stopped:
		return nil, time.Time{}
	}
}
