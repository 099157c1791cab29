package ingest

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"

	"picday/layout"
	"picday/store"
)

// Elsewhere implements store.Disk. The directories themselves say which inode
// has which name, so a job of 100,000 files is some 50 ms and no stat, once
// for a transaction. It is asked when a file has taken the place of another,
// which had to be decoded for a multiple of that, and before a withdrawal.
//
// The picture is compared because the next upload usually gets the inode that
// the last overwrite has freed. A file that has the name of noise now, a
// backup that some client makes, is as good as deleted.
func (d *disk) Elsewhere(name, path string, id store.Identity, sha store.SHA) (p store.Presence, at string) {
	d.budget.Begin()
	defer d.budget.End()
	a, ok := d.in.account(name)
	root := d.root(name)
	if !ok || root == nil {
		return store.Unknown, ""
	}
	faults := d.faults
	job, _, _ := strings.Cut(path, "/")
	all, fresh := d.listed[name+"/"+job], true
	if all == nil {
		all, fresh = d.in.dear.listing(name, job), false
		d.listed[name+"/"+job] = all
	}
	if !fresh || !all.whole {
		if err := all.refresh(root, job, d.budget); d.fault(err) {
			if errors.Is(err, store.ErrOverBudget) {
				d.wants = append(d.wants, want{account: name, path: job})
			}
			return store.Unknown, ""
		}
	}
	for _, p := range all.names[id.Ino] {
		if p != path && a.rules.Of(p).What != layout.Noise && d.holds(name, p, id, sha) {
			return store.There, p
		}
	}
	if d.faults > faults {
		return store.Unknown, ""
	}
	return store.Absent, ""
}

// holds tells whether the file at path is the one with that inode and picture.
func (d *disk) holds(name, path string, id store.Identity, sha store.SHA) bool {
	if d.fault(d.budget.Spend(2*layout.MaxDepth, 0)) {
		d.wants = append(d.wants, want{name, path, id})
		return false
	}
	file, err := d.root(name).OpenFile(path, os.O_RDONLY|openNoFollow, 0)
	if err != nil {
		d.fault(err)
		return false
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		d.fault(err)
		return false
	}
	now := d.in.identityOf(fi, name, path)
	if !now.SameInode(id) || now.Size != id.Size {
		return false
	}
	if known, ok := d.in.dear.sum(now); ok {
		return known == sha
	}
	// Asked for all of it first: a piece of it is of no use.
	is, err := sumUpTo(file, d.budget, now.Size)
	if d.fault(err) && errors.Is(err, store.ErrOverBudget) {
		d.wants = append(d.wants, want{name, path, now})
	}
	return err == nil && is == sha
}

// sumUpTo hashes a file, as far as the budget goes.
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
