package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// Find implements store.Disk. It reads inode numbers from the directories instead of
// calling stat, so a reading of a job of 100,000 files costs some 50 ms. A transaction
// needs two, or one if the job was listed before, which reads what has changed since. The
// store calls it when a file has taken the place of another, and before a withdrawal.
//
// It compares the picture, because the next upload usually gets the inode that the
// last overwrite has freed. A file that has an ignored name now, such as a client's
// backup, counts as deleted.
func (d *disk) Find(ctx context.Context, name, path string, id upload.Identity, sha store.SHA) (is store.Presence, at string) {
	d.budget.Begin()
	defer d.budget.End()
	a, ok := d.in.account(name)
	root := d.root(name)
	if !ok || root == nil {
		return store.Unknown, ""
	}
	before := d.systemErrors
	job, _, _ := strings.Cut(path, "/")
	l, listed := d.listings[name+"/"+job], true
	if l == nil {
		l, listed = d.in.diskCache.takeListing(name, job), false
		d.listings[name+"/"+job] = l
	}
	if !listed || !l.complete {
		if d.noteListingError(l.refresh(root, job, d.budget), name, job) {
			return store.Unknown, ""
		}
	}
	is, at = d.findIn(l, a, path, id, sha)
	if is == store.Absent && l.movedOn(id.Ino) {
		// It was there at the reading before: it is deleted, or this one has missed it.
		if d.noteListingError(l.readAgain(root, job, d.budget), name, job) {
			return store.Unknown, ""
		}
		is, at = d.findIn(l, a, path, id, sha)
		if l.movedOn(id.Ino) {
			l.complete = false
			d.noteSystemError(errMovedOn)
		}
	}
	if is != store.There && d.systemErrors > before {
		return store.Unknown, ""
	}
	return is, at
}

// noteListingError is noteSystemError for a listing of a job, which is made outside of the
// transaction if it is over the budget.
func (d *disk) noteListingError(err error, account, job string) bool {
	if errors.Is(err, store.ErrOverBudget) {
		d.questions = append(d.questions, question{account: account, path: job})
	}
	return d.noteSystemError(err)
}

// findIn looks at each other path that the listing has for the inode.
func (d *disk) findIn(l *listing, a account, path string, id upload.Identity, sha store.SHA) (is store.Presence, at string) {
	is = store.Absent
	for _, p := range l.paths[id.Ino] {
		if p == path || a.rules.Of(p).What == layout.Noise {
			continue
		}
		switch d.isFile(a.Name, p, id, sha) {
		case store.There:
			return store.There, p
		case store.Changed:
			is, at = store.Changed, p
		}
	}
	return is, at
}

// errMovedOn: a file was listed at a path, and is not there any more: it was moved on, as in
// an exchange of two names, and where it is now is not known. The next try lists it anew.
var errMovedOn = fmt.Errorf("%w: a file was moved while it was looked for", store.ErrUnsure)

// isFile tells whether the file at path is the one with that inode: There if it has that
// picture, Changed if it has another one. It is Absent if the inode is that of a later file.
// A system error makes it Unknown.
func (d *disk) isFile(name, path string, id upload.Identity, sha store.SHA) store.Presence {
	if d.noteSystemError(d.budget.Spend(2*layout.MaxDepth, 0)) {
		d.questions = append(d.questions, question{name, path, id})
		return store.Unknown
	}
	file, err := upload.Open(d.root(name), path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = errMovedOn
		}
		d.noteSystemError(err)
		return store.Unknown
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		d.noteSystemError(err)
		return store.Unknown
	}
	now := d.in.identityOf(fi, name, path)
	if !now.SameInode(id) {
		d.noteSystemError(errMovedOn)
		return store.Unknown
	}
	same := now.Size == id.Size
	if same {
		sum, known := d.in.diskCache.sum(now)
		if !known {
			sum, err = sumUpTo(file, d.budget, now.Size)
			if d.noteSystemError(err) && errors.Is(err, store.ErrOverBudget) {
				d.questions = append(d.questions, question{name, path, now})
			}
			if err != nil {
				return store.Unknown
			}
		}
		same = sum == sha
	}
	switch {
	case same:
		return store.There
	case createdBy(file, id.Ctime):
		return store.Changed
	}
	return store.Absent
}

// createdBy tells whether a file was created at that time, in nanoseconds since 1970, or
// earlier. If its file system does not tell, it was not.
func createdBy(file *os.File, when int64) bool {
	var x unix.Statx_t
	err := unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &x)
	return err == nil && x.Mask&unix.STATX_BTIME != 0 && x.Btime.Sec*1e9+int64(x.Btime.Nsec) <= when
}

// sumUpTo hashes a file of size bytes. It takes the whole size from the budget before
// it reads, because a part of the hash is useless; it fails with an ErrOverBudget.
func sumUpTo(file *os.File, budget *store.Budget, size int64) (store.SHA, error) {
	const piece = 1 << 20
	h := sha256.New()
	err := budget.Spend(int(size/piece), size)
	for err == nil {
		if _, err = io.CopyN(h, file, piece); err == nil {
			err = budget.Spend(0, 0)
		}
	}
	if !errors.Is(err, io.EOF) {
		return store.SHA{}, err
	}
	return sumOf(h), nil
}

// A listing maps the inodes of one job to paths. It can be refreshed: refresh reads
// the folders that an earlier call did not reach, and those that have changed.
//
// The folders are read one after the other. A file that is moved meanwhile, from a folder
// that is still to be read into one that has been, is in neither. So a file is absent only
// if two readings one after the other do not have it.
type listing struct {
	key      string // account/job
	dirs     map[string]*listedDir
	paths    map[uint64][]string
	former   []*listedDir     // folders as they were at the reading before, if they have changed since
	complete bool             // the last refresh was complete
	visited  func(dir string) // called after each folder that is read, if not nil; for tests
}

type listedDir struct {
	ino     uint64
	mtime   time.Time
	final   bool // every change after the listing gives it another mtime
	seen    bool // by the running refresh
	paths   map[uint64][]string
	subdirs []string
}

// fileTimeResolution is more than the resolution of the kernel's file times: two changes of
// a file within it may have the same time.
const fileTimeResolution = 100 * time.Millisecond

// refresh updates the listing. It skips folders that are gone or may not be read, and
// fails with an ErrOverBudget or a system error. A nil budget has no limit. A listing that
// was not complete is read twice.
func (l *listing) refresh(root *os.Root, job string, budget *store.Budget) error {
	if !l.complete {
		if err := l.readAgain(root, job, budget); err != nil {
			return err
		}
	}
	return l.readAgain(root, job, budget)
}

// readAgain reads the folders that have changed since the last reading.
func (l *listing) readAgain(root *os.Root, job string, budget *store.Budget) error {
	l.complete, l.former = false, nil
	for _, d := range l.dirs {
		d.seen = false
	}
	todo := []string{job}
	for len(todo) > 0 {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		d, err := l.visit(root, dir, budget)
		if err != nil {
			return err
		}
		if l.visited != nil {
			l.visited(dir)
		}
		if d != nil {
			d.seen = true
			todo = append(todo, d.subdirs...)
		}
	}
	for dir, d := range l.dirs {
		if !d.seen {
			l.drop(dir)
		}
	}
	l.complete = true
	return nil
}

func (l *listing) visit(root *os.Root, dir string, budget *store.Budget) (*listedDir, error) {
	if err := budget.Spend(strings.Count(dir, "/")+4, 0); err != nil {
		return nil, err
	}
	f, err := upload.OpenDir(root, dir)
	if err != nil {
		return nil, systemErrorOnly(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	ino := upload.IdentityOf(fi, 0).Ino
	if d := l.dirs[dir]; d != nil && d.final && d.ino == ino && d.mtime.Equal(fi.ModTime()) {
		return d, nil
	}
	l.drop(dir)
	d := &listedDir{
		ino: ino, mtime: fi.ModTime(), paths: map[uint64][]string{},
		final: time.Since(fi.ModTime()) > fileTimeResolution, // asked before it is read
	}
	for e, err := range upload.Entries(f, func() error { return budget.Spend(1, 0) }) {
		if err != nil {
			return nil, systemErrorOnly(err)
		}
		path := dir + "/" + e.Name
		if e.MayBeDir && !layout.Deepest(path) {
			d.subdirs = append(d.subdirs, path)
		}
		d.paths[e.Ino] = append(d.paths[e.Ino], path)
	}
	l.dirs[dir] = d
	for ino, paths := range d.paths {
		l.paths[ino] = append(l.paths[ino], paths...)
	}
	return d, nil
}

// needsReread tells whether a folder was changed just before it was read, so that a later
// change may have left the same mtime.
func (l *listing) needsReread() bool {
	for _, d := range l.dirs {
		if !d.final {
			return true
		}
	}
	return false
}

// systemErrorOnly returns err, or nil if err says that a path is missing or not readable.
func systemErrorOnly(err error) error {
	if isSystemError(err) {
		return err
	}
	return nil
}

// movedOn tells whether the file has been in a folder at the reading before, and is in none now.
func (l *listing) movedOn(ino uint64) bool {
	return len(l.paths[ino]) == 0 && slices.ContainsFunc(l.former, func(d *listedDir) bool { return len(d.paths[ino]) > 0 })
}

// drop removes a directory and its names from the listing.
func (l *listing) drop(dir string) {
	d := l.dirs[dir]
	if d == nil {
		return
	}
	delete(l.dirs, dir)
	l.former = append(l.former, d)
	for ino := range d.paths {
		var kept []string
		for _, p := range l.paths[ino] {
			if p[:strings.LastIndexByte(p, '/')] != dir {
				kept = append(kept, p)
			}
		}
		if len(kept) == 0 {
			delete(l.paths, ino)
		} else {
			l.paths[ino] = kept
		}
	}
}
