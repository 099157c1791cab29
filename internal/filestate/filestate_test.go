package filestate

import (
	"errors"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// Every state, from what is at the path and what the catalogue has for it.
func TestEveryState(t *testing.T) {
	const path = "job1/A/x.jpg"
	was, now := upload.Identity{Volume: 1, Ino: 2, Size: 3, Ctime: 4}, upload.Identity{Volume: 1, Ino: 2, Size: 3, Ctime: 5}
	file := func(id upload.Identity, w Writing) File {
		return File{Exists: true, Regular: true, Identity: id, Writing: w}
	}
	closed, absent, unseen := file(was, No), File{}, File{Err: errors.New("permission denied")}
	folder := File{Exists: true, Dir: true, Identity: was}
	known := func(change func(*Record)) Record {
		r := Record{Known: true, Identity: was}
		if change != nil {
			change(&r)
		}
		return r
	}
	photo := func(r *Record) { r.Published = true }
	problem := func(r *Record) { r.Reason = layout.NoAlbum }
	both := func(r *Record) { r.Reason, r.Published = layout.Damaged, true }
	trash := func(r *Record) { r.InTrash = true }
	withdrawnByOperator := func(r *Record) { r.InTrash, r.WithdrawnByOperator = true, true }
	for _, c := range []struct {
		name   string
		path   string
		file   File
		record Record
		want   State
	}{
		{"nothing anywhere", path, absent, Record{}, Unknown},
		{"a folder", "job1/A", folder, Record{}, Folder},
		{"a folder beyond the limit", "job1/A", folder, known(func(r *Record) { r.Reason = layout.TooManyFolders }), Folder},
		{"a folder where a photo was", path, folder, known(photo), Folder},

		{"new", path, file(was, No), Record{}, Waiting},
		{"new, nobody was asked who writes it", path, file(was, NotAsked), Record{}, Waiting},
		{"new, on a file system without leases", path, file(was, NoLeases), Record{}, Waiting},
		{"new, and it cannot be opened", path, file(was, NotKnown), Record{}, Waiting},
		{"being written", path, file(was, Yes), Record{}, Open},
		{"a photo, being overwritten", path, file(now, Yes), known(photo), Open},
		{"a photo, overwritten", path, file(now, No), known(photo), Waiting},
		{"a problem, overwritten", path, file(now, No), known(problem), Waiting},
		{"a link", path, File{Exists: true, Identity: was}, Record{}, Waiting},

		{"a photo", path, closed, known(photo), Published},
		{"a photo that somebody has opened for writing and not changed", path, file(was, Yes), known(photo), Published},
		{"a problem", path, closed, known(problem), Problem},
		{"a problem over a photo", path, closed, known(both), Problem},
		{"a RAW file beside its JPEG", path, closed, known(func(r *Record) { r.Companion = true }), Ignored},
		{"a RAW file without its JPEG", path, closed, known(func(r *Record) { r.Companion, r.Reason = true, layout.NotJPEG }), Problem},
		{"a RAW file that is new", path, closed, Record{Companion: true}, Waiting},
		{"withdrawn by an operator", path, closed, known(withdrawnByOperator), Withdrawn},
		{"dealt with, and nothing else is known", path, closed, known(nil), Taken},

		{"a photo, deleted", path, absent, known(photo), Missing},
		{"a photo, deleted and noticed", path, absent, Record{Published: true}, Missing},
		{"a photo that was put back and has no file", path, absent, Record{Published: true, WithoutFile: true}, Published},
		{"a problem, deleted", path, absent, known(problem), Missing},
		{"a file that was dealt with, deleted", path, absent, known(nil), Missing},
		{"withdrawn", path, absent, Record{InTrash: true}, Withdrawn},
		{"withdrawn by an operator, then deleted", path, absent, known(withdrawnByOperator), Withdrawn},
		{"withdrawn, and uploaded again", path, closed, Record{InTrash: true}, Waiting},
		{"withdrawn, and being uploaded again", path, file(now, Yes), known(trash), Open},

		{"may not be looked at, a photo", path, unseen, known(photo), Published},
		{"may not be looked at, a photo that was missed", path, unseen, Record{Published: true}, Published},
		{"may not be looked at, a problem", path, unseen, known(problem), Problem},
		{"may not be looked at, withdrawn by an operator", path, unseen, known(withdrawnByOperator), Withdrawn},
		{"may not be looked at, in the trash", path, unseen, Record{InTrash: true}, Unknown},
		{"may not be looked at, nothing known", path, unseen, Record{}, Unknown},

		{"a temporary name", "job1/A/x.jpg.filepart", file(was, No), Record{}, Ignored},
		{"a temporary name that is being written", "job1/A/x.jpg.filepart", file(was, Yes), Record{}, Ignored},
		{"a temporary name that is not there", "job1/A/x.jpg.filepart", absent, Record{}, Unknown},
		{"too deep", strings.Repeat("a/", 8) + "x.jpg", closed, Record{}, Ignored},
	} {
		if got := Of(c.path, c.file, c.record); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNoise(t *testing.T) {
	for path, want := range map[string]Noise{
		"job1/A/x.jpg":                    NoNoise,
		"job1/A/group/x.jpg":              NoNoise,
		"job1/A/x.jpg.filepart":           Temporary,
		"job1/A/x.JPG.PART":               Temporary,
		"job1/A/x.jpg.a1b2c3d4.partial":   Temporary,
		"job1/A/.in.x.jpg":                Temporary,
		"job1/A/x.tmp":                    Temporary,
		"job1/A/.DS_Store":                SystemFile,
		"job1/A/._x.jpg":                  SystemFile,
		"job1/A/Thumbs.db":                SystemFile,
		"job1/@eaDir/x.jpg":               SystemFolder,
		"job1/__MACOSX/A/.DS_Store":       SystemFolder,
		"job1/a.tmp/x.jpg":                SystemFolder,
		"1/2/3/4/5/6/7/8":                 NoNoise,
		"1/2/3/4/5/6/7/8/x.jpg":           TooDeep,
		"lincoln/user-pictures/2012.jpg":  NoNoise,
		"lincoln/user-pictures/.2012.jpg": SystemFile,
	} {
		if got := NoiseOf(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

func TestBlocks(t *testing.T) {
	jobs, school := store.Account{Layout: layout.Jobs}, store.Account{Layout: layout.Portraits}
	removed := jobs
	removed.Kept = true
	planned, active := store.Job{ID: 1, State: store.Planned}, store.Job{ID: 1, State: store.Active}
	for _, c := range []struct {
		acct store.Account
		job  store.Job
		path string
		want Block
	}{
		{jobs, planned, "job1/A/x.jpg", NotBlocked},
		{jobs, store.Job{ID: 1, State: store.Activating}, "job1/A/x.jpg", NotBlocked},
		{jobs, active, "job1/A/x.jpg", JobActive},
		{jobs, store.Job{}, "nojob/A/x.jpg", NoJob},
		{jobs, store.Job{}, "x.jpg", NotBlocked},
		{removed, active, "job1/A/x.jpg", AccountRemoved},
		{school, store.Job{}, "lincoln/user-pictures/12.jpg", NotBlocked},
	} {
		if got := BlockOf(c.acct, c.job, c.path); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
