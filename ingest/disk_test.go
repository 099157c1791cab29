package ingest

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
)

// The disk answers Absent only with proof.
func TestDiskProvesAbsence(t *testing.T) {
	const path = "job1/x/a.jpg"
	for name, c := range map[string]struct {
		do   func(*bed)
		want store.Presence
	}{
		"there":               {func(*bed) {}, store.There},
		"another file":        {func(b *bed) { b.write("acme/"+path, nil) }, store.There},
		"a dead link":         {func(b *bed) { b.must(os.Remove(b.at("acme/" + path))); b.must(os.Symlink("x", b.at("acme/"+path))) }, store.There},
		"deleted":             {func(b *bed) { b.must(os.Remove(b.at("acme/" + path))) }, store.Absent},
		"album deleted":       {func(b *bed) { b.must(os.RemoveAll(b.at("acme/job1/x"))) }, store.Absent},
		"album is a file now": {func(b *bed) { b.must(os.RemoveAll(b.at("acme/job1/x"))); b.write("acme/job1/x", nil) }, store.Absent},
		"album is a link now": {func(b *bed) {
			b.must(os.Rename(b.at("acme/job1/x"), b.at("acme/job1/y")))
			b.must(os.Symlink("y", b.at("acme/job1/x")))
		}, store.Absent},
		"job hidden":               {func(b *bed) { b.must(os.RemoveAll(b.at("acme/job1"))) }, store.Unknown},
		"job is a file now":        {func(b *bed) { b.must(os.RemoveAll(b.at("acme/job1"))); b.write("acme/job1", nil) }, store.Unknown},
		"account's folder is gone": {func(b *bed) { b.must(os.RemoveAll(b.at("acme"))) }, store.Unknown},
		"marker is gone":           {func(b *bed) { b.must(os.Remove(b.at(store.MarkerFile))); b.must(os.Remove(b.at("acme/" + path))) }, store.Unknown},
		"another volume":           {func(b *bed) { b.write(store.MarkerFile, []byte("other\n")); b.must(os.Remove(b.at("acme/" + path))) }, store.Unknown},
		"not mounted": {func(b *bed) {
			b.must(os.RemoveAll(b.cfg.UploadDir))
			b.must(os.Mkdir(b.cfg.UploadDir, 0o755))
		}, store.Unknown},
		"account unknown": {func(b *bed) { b.SetAccounts(nil) }, store.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.write("acme/"+path, testphoto.Tiny(1))
			c.do(b)
			diskErr, err := b.askDisk(nil, func(d store.Disk) error {
				got, id := d.Look(t.Context(), "acme", path)
				if got != c.want || (id != upload.Identity{}) != (c.want == store.There) {
					t.Errorf("%v %v, want %v", got, id, c.want)
				}
				return nil
			})
			passes := map[string]bool{"marker is gone": true, "another volume": true, "not mounted": true}[name]
			if err != nil || (diskErr != nil) != passes || passes && !errors.Is(diskErr, store.ErrUnsure) {
				t.Errorf("unknown: %v, %v", diskErr, err)
			}
		})
	}
}

// A missing folder that uploaders cannot remove does not prove that they deleted the files
// in it.
func TestMissingAnchorProvesNothing(t *testing.T) {
	b := newBed(t)
	for dir, want := range map[string]store.Presence{
		"lincoln/lincoln/user-pictures": store.Absent, // nothing is missing
		"lincoln/lincoln":               store.Unknown,
	} {
		if want == store.Unknown {
			b.must(os.RemoveAll(b.at("lincoln/lincoln/user-pictures")))
		}
		b.must(b.withDisk(nil, func(d store.Disk) error {
			if got, _ := d.Look(t.Context(), "lincoln", "lincoln/user-pictures/1.jpg"); got != want {
				t.Errorf("only %s is there: %v, want %v", dir, got, want)
			}
			return nil
		}))
		if want == store.Unknown {
			b.must(os.Mkdir(b.at("lincoln/lincoln/user-pictures"), 0o755))
		}
	}
}

// The disk answers Unknown below a folder that cannot be read. The test asks as another
// user, because root can read every folder.
func TestUnreadableParentProvesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	b := newBed(t)
	b.must(os.Chmod(b.at("acme/job1/x"), 0o711)) // it can be entered and not listed
	look := func() (p store.Presence) {
		b.must(b.withDisk(nil, func(d store.Disk) error {
			d.(*disk).volumeChecked = true // so that the marker is not read
			done := make(chan struct{})
			go func() { // asNobody changes the user of its thread for good
				defer close(done)
				asNobody(func() { p, _ = d.Look(t.Context(), "acme", "job1/x/a.jpg") })
			}()
			<-done
			return nil
		}))
		return p
	}
	for dir := b.cfg.UploadDir; dir != "/tmp" && dir != "/"; dir = dir[:strings.LastIndexByte(dir, '/')] {
		b.must(os.Chmod(dir, 0o755))
	}
	if got := look(); got != store.Unknown {
		t.Errorf("unreadable: %v", got)
	}
	b.must(os.Chmod(b.at("acme/job1/x"), 0o755))
	if got := look(); got != store.Absent {
		t.Errorf("readable: %v", got)
	}
}

// Verify fails if the volume's marker disappears after an answer.
func TestVolumeThatDisappearsFailsTheTransaction(t *testing.T) {
	b := newBed(t)
	b.must(b.withDisk(nil, func(d store.Disk) error {
		if err := d.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		b.must(os.Remove(b.at(store.MarkerFile)))
		if err := d.Verify(t.Context()); !errors.Is(err, store.ErrVolume) {
			t.Error(err)
		}
		return nil
	}))
}

// A file that is not proven to be missing waits for the next round, and the files after it
// are withdrawn.
func TestUnprovenFileDelaysNoOther(t *testing.T) {
	b := newBed(t)
	b.Config.Upload.DeleteGrace = 0
	acme, _ := b.account("acme")
	b.must(b.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.AddJob(acme.Account, "job2") }))
	b.running(func(chan<- upload.File, <-chan bool) {
		var round sweep
		end := func(path string) {
			t.Helper()
			b.must(os.Remove(b.at("acme/" + path)))
			b.gone("acme/" + path)
		}
		withdrawn := func(path string) bool {
			t.Helper()
			b.must(b.withdraw(t.Context(), &round))
			return b.photo("acme/"+path) == nil
		}
		const one, two = "job1/x/1.jpg", "job2/x/2.jpg"
		b.write("acme/"+one, testphoto.Tiny(1))
		b.write("acme/"+two, testphoto.Tiny(2))
		b.settle("acme/" + one)
		b.settle("acme/" + two)
		end(one)
		b.must(os.Rename(b.at("acme/job1"), b.at("away"))) // uploaders cannot do that
		if withdrawn(one) {
			t.Fatal("withdrawn without proof")
		}
		if end(two); !withdrawn(two) {
			t.Error("the other file is not withdrawn")
		}
		b.must(os.Rename(b.at("away"), b.at("acme/job1")))
		if withdrawn(one) {
			t.Error("processed twice in one round")
		}
		if round = (sweep{}); !withdrawn(one) {
			t.Error("not withdrawn in the next round")
		}
	})
}

// Strays are deleted after upload.stray_keep, unless they are open for writing or have
// changed since.
func TestStrays(t *testing.T) {
	const path = "lincoln/lincoln/user-pictures/anna.jpg"
	after := time.Now().Add(200 * time.Hour)
	for name, c := range map[string]struct {
		do      func(*bed)
		now     time.Time
		deleted bool
	}{
		"stray_keep is over": {func(*bed) {}, after, true},
		"too early":          {func(*bed) {}, time.Now().Add(167 * time.Hour), false},
		"being written":      {func(b *bed) { b.held = true }, after, false},
		"written since":      {func(b *bed) { b.write(path, []byte("more")) }, after, false},
		"touched since":      {func(b *bed) { b.must(os.Chmod(b.at(path), 0o640)) }, after, false},
		"replaced by a link": {func(b *bed) { b.must(os.Remove(b.at(path))); b.must(os.Symlink("/etc/hosts", b.at(path))) }, after, false},
		"replaced by a FIFO": {func(b *bed) { b.must(os.Remove(b.at(path))); b.must(syscall.Mkfifo(b.at(path), 0o600)) }, after, false},
		"a name now": {func(b *bed) {
			a, _ := b.account("lincoln")
			a.IDPattern = "[a-z]+"
			b.SetAccounts([]store.Account{a.Account})
		}, after, false},
		"account unknown": {func(b *bed) { b.SetAccounts(nil) }, after, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.write(path, whole)
			b.settle(path)
			c.do(b)
			b.running(func(chan<- upload.File, <-chan bool) {
				if err := b.deleteStrays(context.Background(), c.now, &sweep{}); err != nil && name != "replaced by a link" {
					t.Error(err)
				}
			})
			_, err := os.Lstat(b.at(path))
			if errors.Is(err, os.ErrNotExist) != c.deleted {
				t.Errorf("%v", err)
			}
			if deleted := b.reason(path) == ""; deleted != c.deleted {
				t.Errorf("still listed: %v", !deleted)
			}
		})
	}
}
