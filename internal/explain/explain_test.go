package explain

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/control"
	"picday/internal/filestate"
	"picday/internal/layout"
	"picday/internal/test/uploads"
	"picday/internal/trees"
	"picday/store"
)

const path = "job1/A/x.jpg"

func newExplainer(s *uploads.Site) *Explainer {
	return &Explainer{
		Store: s.Store, Trees: s.Trees, Volumes: s.Volumes, Daemon: control.NewStatus(),
		Settle: time.Second, SettleUnsure: time.Minute, DeleteGrace: 30 * time.Second,
	}
}

// text is the state and all sentences.
func text(x Explanation) string {
	return strings.Join(append([]string{string(x.State)}, x.Why...), "\n")
}

// Each state with what is said of it. want begins with the state; each part of the
// rest must be in the sentences, in this order.
func TestStates(t *testing.T) {
	write := func(s *uploads.Site, _ *Explainer) { s.Write("acme/"+path, "x") }
	publish := func(s *uploads.Site, e *Explainer) { write(s, e); s.Publish("acme/" + path) }
	gone := func(s *uploads.Site, e *Explainer) {
		publish(s, e)
		s.Remove("acme/" + path)
		s.Missing("acme/" + path)
	}
	hide := func(s *uploads.Site) {
		s.Must(os.MkdirAll(s.Trees.ActiveBase("acme"), 0o700))
		s.Must(trees.Move(s.Trees.Job("acme", "job1"), s.Trees.ActiveJob("acme", "job1")))
		s.SetJobState("job1", store.Active)
	}
	warn := func(e *Explainer) {
		e.Daemon.Warnings = []control.Warning{
			{Kind: control.AccountAtLimit, Account: "acme", Text: "acme is full"},
			{Kind: control.AccountAtLimit, Account: "lincoln", Text: "lincoln is full"},
			{Kind: control.UploadsNotTaken, Text: "the disk is full"},
			{Kind: control.NotWithdrawn, Text: "nothing is withdrawn"},
			{Text: "something else"},
		}
	}
	for _, c := range []struct {
		name   string
		path   string
		change func(*uploads.Site, *Explainer)
		want   string // parts, separated by |; "" = nothing is known
	}{
		{"nothing", path, func(*uploads.Site, *Explainer) {}, ""},
		{"a folder", "job1/A", write, "folder|This is a folder"},
		{"a new file", path, write, "waiting|quiet for 1s (1m0s where"},
		{"a new file, and the daemon has warnings", path, func(s *uploads.Site, e *Explainer) { write(s, e); warn(e) }, "waiting|acme is full|quiet for|the disk is full"},
		{"a new file, and no daemon", path, func(s *uploads.Site, e *Explainer) { write(s, e); e.DaemonErr = control.ErrNotRunning }, "waiting|It has not been taken in yet: "},
		{"a file that is being read", path, func(s *uploads.Site, e *Explainer) {
			write(s, e)
			e.Daemon.InProgress = []control.Progress{{Account: "acme", Path: path}}
		}, "waiting|reading and decoding it right now"},
		{"an overwritten photo", path, func(s *uploads.Site, e *Explainer) { publish(s, e); s.Write("acme/"+path, "another") }, "waiting|quiet for|stays published meanwhile"},
		{"a file that somebody writes", path, func(s *uploads.Site, e *Explainer) {
			write(s, e)
			f, err := os.OpenFile(s.At("acme/"+path), os.O_WRONLY, 0)
			s.Must(err)
			s.Cleanup(func() { f.Close() })
		}, "open|still open for writing"},
		{"a file in no job", "nojob/A/x.jpg", func(s *uploads.Site, _ *Explainer) { s.Write("acme/nojob/A/x.jpg", "x") }, "waiting|no job nojob"},
		{"a new file in an active job", path, func(s *uploads.Site, e *Explainer) { write(s, e); hide(s) }, "waiting|The job is active: nothing new"},
		{"a photo", path, publish, "published|The upload was complete"},
		{"a photo of an active job", path, func(s *uploads.Site, e *Explainer) { publish(s, e); hide(s) }, "published|The upload was complete|out of the SFTP view"},
		{"a problem", "job1/x.jpg", func(s *uploads.Site, _ *Explainer) {
			s.Write("acme/job1/x.jpg", "x")
			s.Problem("acme/job1/x.jpg", layout.NoAlbum, 0)
		}, "problem|not in an album"},
		{"a problem that is deleted later", path, func(s *uploads.Site, e *Explainer) {
			write(s, e)
			s.Problem("acme/"+path, layout.Damaged, 24*time.Hour)
		}, "problem||It is deleted after"},
		{"a problem, deleted and not noticed", path, func(s *uploads.Site, e *Explainer) {
			write(s, e)
			s.Problem("acme/"+path, layout.Damaged, 0)
			s.Remove("acme/" + path)
		}, "missing|The file is not there. It leaves the list of problems when|damaged"},
		{"a problem, deleted while there is no daemon", path, func(s *uploads.Site, e *Explainer) {
			write(s, e)
			s.Problem("acme/"+path, layout.Damaged, 0)
			s.Remove("acme/" + path)
			e.DaemonErr = control.ErrNotRunning
		}, "missing|It leaves the list|so nothing changes until it is started"},
		{"a problem, and another volume", path, func(s *uploads.Site, e *Explainer) {
			write(s, e)
			s.Problem("acme/"+path, layout.Damaged, 0)
			s.Remove("acme/" + path)
			e.VolumeErr = store.ErrVolume
		}, "missing|not taken for a deletion|upload volume"},
		{"a problem, and its file is gone from an active job", path, func(s *uploads.Site, e *Explainer) {
			write(s, e)
			s.Problem("acme/"+path, layout.Damaged, 0)
			s.Remove("acme/" + path)
			hide(s)
		}, "missing|It stays in the list of problems while the job is active"},
		{"a RAW file beside its JPEG", "job1/A/x.nef", func(s *uploads.Site, e *Explainer) {
			publish(s, e)
			s.Write("acme/job1/A/x.nef", "raw")
			s.Companion("acme/job1/A/x.nef", "x")
		}, "ignored|a camera's RAW file"},
		{"a temporary name", "job1/A/x.jpg.filepart", func(s *uploads.Site, _ *Explainer) { s.Write("acme/job1/A/x.jpg.filepart", "x") }, "ignored|temporary name"},
		{"a missing photo", path, gone, "missing|The file is not there. If it is not back"},
		{"a missing photo, and no daemon", path, func(s *uploads.Site, e *Explainer) { gone(s, e); e.DaemonErr = control.ErrNotRunning }, "missing|If it is not back|so nothing changes until it is started"},
		{"a missing photo, and it cannot be withdrawn", path, func(s *uploads.Site, e *Explainer) { gone(s, e); warn(e) }, "missing|If it is not back|nothing is withdrawn"},
		{"a missing photo, and the daemon is not sure", path, func(s *uploads.Site, e *Explainer) {
			gone(s, e)
			e.Daemon.Unsure = []control.Unsure{{Account: "acme", Path: "job1", Why: "I/O error"}}
		}, "missing|cannot tell at the moment whether it was deleted (I/O error)"},
		{"a missing photo, and another volume", path, func(s *uploads.Site, e *Explainer) { gone(s, e); e.VolumeErr = store.ErrVolume }, "missing|not taken for a deletion|upload volume"},
		{"a withdrawn photo", path, func(s *uploads.Site, e *Explainer) { gone(s, e); s.Withdraw() }, "withdrawn|did not come back within 30s|" + path},
		{"withdrawn by an operator", path, func(s *uploads.Site, e *Explainer) {
			publish(s, e)
			id := s.Photo("acme/" + path).ID
			s.Update(func(tx *store.Tx) error { return tx.WithdrawBy(id, "mary") })
		}, "withdrawn|The operator mary withdrew it"},
		{"a removed account", path, func(s *uploads.Site, e *Explainer) {
			publish(s, e)
			s.Update(func(tx *store.Tx) error { return tx.RemoveAccount(s.Acme, false) })
			s.Acme.Kept = true
		}, "published|The upload was complete|The account was removed, its photos were kept"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := uploads.New(t)
			e := newExplainer(s)
			c.change(s, e)
			all, denied, err := e.Explain(t.Context(), s.Acme, c.path)
			if err != nil || denied != nil {
				t.Fatal(denied, err)
			}
			if c.want == "" {
				if len(all) != 0 {
					t.Errorf("%+v", all)
				}
				return
			}
			if len(all) != 1 {
				t.Fatalf("%+v", all)
			}
			rest := text(all[0])
			for i, part := range strings.Split(c.want, "|") {
				_, after, found := strings.Cut(rest, part)
				if !found || i == 0 && !strings.HasPrefix(rest, part+"\n") {
					t.Errorf("%q is not in %q", part, rest)
				}
				rest = after
			}
		})
	}
}

// What belongs to a path comes with it.
func TestWhatIsKnown(t *testing.T) {
	s := uploads.New(t)
	s.Write("acme/"+path, "first")
	s.Publish("acme/" + path)
	s.Remove("acme/" + path)
	s.Missing("acme/" + path)
	s.Withdraw()
	s.Write("acme/"+path, "second")
	s.Publish("acme/" + path)
	all, _, err := newExplainer(s).Explain(t.Context(), s.Acme, path)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	x := all[0]
	if x.Account.Name != "acme" || x.Path != path || x.State != filestate.Published || x.Photo == nil || len(x.Trash) != 1 || len(x.History) == 0 || x.Problem != nil {
		t.Errorf("%+v", x)
	}
	if f := x.File; f == nil || f.On != s.At("acme/"+path) || f.Bytes != 6 || f.Open || time.Since(f.ChangedAt) > time.Minute {
		t.Errorf("%+v", x.File)
	}
}

// A path is found in the form in which people type it, and several files can be
// shown under one path.
func TestPathsInOtherForms(t *testing.T) {
	s := uploads.New(t)
	s.Write("acme/job1/A/Ju\u0308rgen.jpg", "as a Mac writes it")
	s.Write("acme/job1/A/\xff.jpg", "no UTF-8")
	for typed, want := range map[string]int{"job1/A/J\u00fcrgen.jpg": 1, "job1/A/Ju\u0308rgen.jpg": 1, layout.Shown("job1/A/\xff.jpg"): 1, "job1/A/Jurgen.jpg": 0} {
		all, _, err := newExplainer(s).Explain(t.Context(), s.Acme, typed)
		if err != nil || len(all) != want {
			t.Errorf("%q: %+v, %v", typed, all, err)
		}
	}
	s.Write("acme/job1/A/J\u00fcrgen.jpg", "as others write it")
	if all, _, err := newExplainer(s).Explain(t.Context(), s.Acme, "job1/A/J\u00fcrgen.jpg"); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

// Somebody who may not look at the files hears what the catalogue has of photos.
func TestWhoMayNotLook(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may look at everything")
	}
	s := uploads.New(t)
	s.Write("acme/"+path, "x")
	s.Publish("acme/" + path)
	s.Must(os.Chmod(s.At("acme/job1"), 0))
	defer os.Chmod(s.At("acme/job1"), 0o755)
	all, denied, err := newExplainer(s).Explain(t.Context(), s.Acme, path)
	if err != nil || !errors.Is(denied, os.ErrPermission) || len(all) != 1 || all[0].State != filestate.Published || !strings.Contains(all[0].Why[0], "sudo") {
		t.Errorf("%+v, %v, %v", all, denied, err)
	}
	s.Must(os.Chmod(s.At("acme/job1"), 0o755))
	s.Write("acme/job1/z.jpg", "z")
	s.Problem("acme/job1/z.jpg", layout.NoAlbum, 0)
	s.Must(os.Chmod(s.At("acme/job1"), 0))
	all, _, err = newExplainer(s).Explain(t.Context(), s.Acme, "job1/z.jpg")
	if err != nil || len(all) != 1 || all[0].State != filestate.Problem || !strings.Contains(text(all[0]), "not in an album") || !strings.Contains(text(all[0]), "sudo") {
		t.Errorf("%+v, %v", all, err)
	}
	all, denied, err = newExplainer(s).Explain(t.Context(), s.Acme, "job1/A/y.jpg")
	if err != nil || !errors.Is(denied, os.ErrPermission) || len(all) != 0 {
		t.Errorf("%+v, %v, %v", all, denied, err)
	}
}
