package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"picday/account"
	"picday/contract"
	"picday/internal/control"
	"picday/internal/shell"
	"picday/layout"
	"picday/store"
	"picday/watcher"
)

// explain gathers what is known of a path and says what follows; without a
// State nothing is known.
func (e *explainer) explain(ctx context.Context, acct store.Account, raw string) (*explanation, error) {
	x := &explanation{Account: acct.Name, Path: layout.Shown(raw), Why: []string{}, Trash: []trashView{}, History: []eventView{}}
	f := &facts{e: e, acct: acct, raw: raw, x: x}
	for _, gather := range []func(context.Context) error{f.disk, f.catalogue, f.history} {
		if err := gather(ctx); err != nil {
			return nil, err
		}
	}
	f.conclude()
	if x.State == "" {
		to, at, err := e.s.MovedTo(ctx, acct, x.Path)
		if err != nil {
			return nil, err
		}
		if to != "" {
			x.State = stateMoved
			f.why("Its uploader moved it to %s (seen %s), and its photo went with it: %s", to, when(at), shell.Line("picday", "explain", to))
		}
	}
	if x.State != "" {
		f.surroundings()
	}
	return x, nil
}

// facts is what the conclusions are drawn from.
type facts struct {
	e    *explainer
	acct store.Account
	raw  string
	x    *explanation

	fi     fs.FileInfo
	id     store.Identity
	denied error // the file is perhaps there, but we may not look
	held   bool

	known    bool
	upload   store.Upload
	photo    *store.Photo
	withheld *store.Photo // withdrawn by an operator while its file is there
	fileless bool         // the photo is an earlier picture that was put back
	job      store.Job
}

func (f *facts) why(format string, args ...any) {
	f.x.Why = append(f.x.Why, fmt.Sprintf(format, args...))
}

// disk looks at the file itself.
func (f *facts) disk(context.Context) error {
	tree, err := f.e.sys.Tree(f.acct, f.raw)
	if err == nil {
		defer tree.Close()
		f.fi, err = tree.Lstat(f.raw)
	}
	if err != nil {
		if os.IsPermission(err) {
			f.denied, f.e.denied = err, err
		}
		f.fi = nil
		return nil
	}
	f.id = f.e.identity(f.fi, filepath.Join(tree.Name(), f.raw))
	f.x.File = &fileView{
		On: layout.Shown(filepath.Join(tree.Name(), f.raw)), Bytes: f.fi.Size(),
		ChangedAt: time.Unix(0, f.id.Ctime).UTC(),
	}
	if !f.fi.Mode().IsRegular() {
		return nil
	}
	file, err := account.OpenUpload(tree, f.raw)
	if err != nil {
		return nil
	}
	defer file.Close()
	f.held, _ = watcher.Held(file)
	f.x.File.Open = f.held
	return nil
}

// catalogue looks up what picday has made of it.
func (f *facts) catalogue(ctx context.Context) (err error) {
	s := f.e.s
	if f.upload, f.known, err = s.UploadAt(ctx, f.acct.ID, f.raw); err != nil {
		return err
	}
	for _, withdrawn := range []bool{false, true} {
		err := s.Photos(ctx, store.PhotoFilter{Account: f.acct.Name, Path: f.raw, Withdrawn: withdrawn}, func(p store.Photo) error {
			switch {
			case p.RawPath != f.raw: // shown like it, but another
			case withdrawn:
				f.x.Trash = append(f.x.Trash, trashView{p.Account, p.Path, p.SHA.String(), p.WithdrawnAt, p.WithdrawnBy, p.WithdrawnAt.Add(f.e.cfg.Upload.TrashKeep.Std())})
				if f.known && p.ID == f.upload.PhotoID {
					f.withheld = &p
				}
			// Of two photos at one path for the moment, the one whose file it is.
			case f.photo == nil || p.ID == f.upload.PhotoID:
				f.photo = &p
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if f.photo != nil {
		if f.fileless, err = s.WithoutFile(ctx, f.photo.ID); err != nil {
			return err
		}
		p := *f.photo
		if !f.e.showLink {
			p.Link = masked(p.Link)
		}
		v := contract.NewPhoto(p, f.e.cfg.Web.PublicURL)
		f.x.Photo = &v
	}
	if f.acct.Layout == store.Jobs {
		name, _, _ := strings.Cut(f.raw, "/")
		f.job, _ = s.Job(ctx, f.acct, name) // none: said where it matters
	}
	if !f.known || f.upload.Reason == "" {
		return nil
	}
	problems, err := s.Problems(ctx, f.acct.Name)
	for _, p := range problems {
		if p.RawPath == f.raw {
			v := contract.NewProblem(p)
			f.x.Problem = &v
		}
	}
	return err
}

// history lists the last things that happened to the photo.
func (f *facts) history(ctx context.Context) error {
	id := f.upload.PhotoID
	if f.photo != nil {
		id = f.photo.ID
	}
	if id == 0 {
		return nil
	}
	const last = 10
	all, err := f.e.s.View(f.acct.ID).Activity(ctx, store.ActivityQuery{PhotoID: id, Limit: last})
	for _, a := range all {
		f.x.History = append(f.x.History, eventView{a.At, a.Event, a.Path, a.Detail, a.Operator})
	}
	return err
}

// conclude finds the state, and says why.
func (f *facts) conclude() {
	x := f.x
	switch taken := f.known && f.fi != nil && f.upload.Identity == f.id; {
	case f.fi != nil && f.fi.IsDir():
		x.State, x.File = stateFolder, nil
		f.why("This is a folder. Ask about a file in it; 'picday photos %s' lists what is published.", f.acct.Name)
		if f.known && f.upload.Reason == store.TooManyFolders {
			f.why("%s", f.upload.Reason.Message())
		}
	case f.fi != nil && noiseIn(f.raw) != "":
		x.State = stateIgnored
		f.why("%s", noiseIn(f.raw))
	case f.fi != nil && !taken && f.held:
		x.State = stateOpen
		f.why("It is still open for writing: somebody is uploading it, or a connection that has died is not given up yet (that takes up to two minutes).")
		f.stillShown()
	case f.fi != nil && !taken:
		x.State = stateWaiting
		f.waiting()
		f.stillShown()
	case taken && f.upload.Reason != "":
		x.State = stateProblem
		if p := x.Problem; p == nil { // solved between two looks
			f.why("%s", f.upload.Reason.Message())
		} else {
			f.why("%s", p.Message)
			if p.DeleteAfter != nil {
				f.why("It is deleted after %s.", when(*p.DeleteAfter))
			}
		}
		f.stillShown()
	case taken && f.companion() != "":
		x.State = stateIgnored
		f.why("This is a camera's RAW file, or what a photo program writes beside a picture. The JPEG called %s is in the same folder, and only that one is taken: there is nothing to do.", layout.Shown(f.companion()))
	case taken && f.withheld != nil:
		x.State = stateWithdrawn
		f.why("The operator %s withdrew it on the pages. The file is where the uploader has it, and stays out of sight until it is restored or overwritten with another picture.", f.withheld.WithdrawnBy)
	case taken && f.photo != nil:
		x.State = statePublished
		f.why("The upload was complete, nobody had it open any more, and the JPEG is whole: it was taken in.")
	case f.photo != nil:
		f.gone()
	case len(x.Trash) > 0 && f.denied == nil:
		x.State = stateWithdrawn
		f.why("Its uploader deleted it, and it did not come back within %s: the link answers 404.", f.e.cfg.Upload.DeleteGrace.Std())
		f.why("To have it back: %s, or upload it again.", shell.Line("sudo", "picday", "trash", "restore", f.acct.Name, x.Path))
	}
}

// companion is what the JPEG beside a RAW or side file is called without its
// ending, "" for other files.
func (f *facts) companion() string {
	return layout.Rules{Kind: layout.Kind(f.acct.Layout), Account: f.acct.Name}.Of(f.raw).Companion
}

// stillShown: a photo stays until its successor is through.
func (f *facts) stillShown() {
	switch {
	case f.photo == nil:
	case f.known && f.upload.Reason != "" && f.upload.PhotoID != f.photo.ID:
		f.why("The picture that was here before was deleted first: it is withdrawn when it has been missing for %s.", f.e.cfg.Upload.DeleteGrace.Std())
	default:
		f.why("The picture that was here before stays published meanwhile: its link is below.")
	}
}

// waiting says what a file that picday has not dealt with is waiting for.
func (f *facts) waiting() {
	folder, inFolder, _ := strings.Cut(f.x.Path, "/")
	switch {
	case f.acct.Kept:
		f.why("The account was removed: nothing new is taken in from it.")
	case f.acct.Layout == store.Jobs && f.job.ID == 0 && inFolder != "":
		f.why("The account has no job %s, so nobody looks here: %s", folder, shell.Line("sudo", "picday", "job", "add", f.acct.Name, folder))
	case f.job.State == store.Active:
		f.why("The job is active: nothing new is taken in from its folder. To take uploads again: %s", shell.Line("sudo", "picday", "job", "plan", f.acct.Name, f.job.Name))
	case f.e.daemonErr != nil:
		f.why("It has not been taken in yet: %v. Start it with 'systemctl start picdayd'.", f.e.daemonErr)
	case f.inHand():
		f.why("picdayd is reading and decoding it right now.")
	default:
		for _, w := range f.e.daemon.Warnings {
			if strings.HasPrefix(w, control.AtLimit(f.acct.Name)) {
				f.why("%s", w)
			}
		}
		f.why("It is new or has just changed: picdayd looks whether it is complete once it has been quiet for %s (%s where the file system has no leases). %d files wait, %d are queued.",
			f.e.cfg.Upload.Settle.Std(), f.e.cfg.Upload.SettleUnsure.Std(), f.e.daemon.Waiting, f.e.daemon.Queued)
		for _, w := range f.e.daemon.Warnings {
			if strings.HasPrefix(w, control.NotTaken) {
				f.why("%s", w)
			}
		}
	}
}

func (f *facts) inHand() bool {
	for _, p := range f.e.daemon.InProgress {
		if p.Account == f.acct.Name && p.Path == f.x.Path {
			return true
		}
	}
	return false
}

// unsure is why picdayd cannot say that the file was deleted, "" if it can.
func (f *facts) unsure() string {
	for _, u := range f.e.daemon.Unsure {
		if u.Account == f.acct.Name && (u.Path == f.x.Path || strings.HasPrefix(f.x.Path, u.Path+"/")) {
			return u.Why
		}
	}
	return ""
}

// gone: published, and no file.
func (f *facts) gone() {
	f.x.State = stateMissing
	grace := f.e.cfg.Upload.DeleteGrace.Std()
	switch {
	case f.denied != nil:
		f.x.State = statePublished
		f.why("Only root can look at the file itself: run this with sudo to know more.")
	case f.fileless:
		f.x.State = statePublished
		f.why("It is an earlier picture that was put back, and has no file of its own: it stays published although no file is there, until an operator withdraws it on the pages.")
	case f.e.volumeErr != nil:
		f.why("The file cannot be seen, and that is not taken for a deletion: the photo stays published.")
	case f.job.State == store.Active || f.acct.Kept:
		f.why("The file is not there. The photo stays published: nothing is withdrawn while the job is active or the account is removed.")
	case f.unsure() != "":
		f.why("The file is missing, and picdayd cannot tell at the moment whether it was deleted (%s). It tries again every few seconds; the photo stays published until then.", f.unsure())
	default:
		f.why("The file is not there. If it is not back, under this or another name, %s after picdayd saw it missing, the photo is withdrawn.", grace)
	}
}

// surroundings adds what else keeps picday from its work.
func (f *facts) surroundings() {
	if f.e.volumeErr != nil {
		f.why("%v", f.e.volumeErr)
	}
	if f.job.State == store.Active && f.x.State == statePublished {
		f.why("The job is active: its folder is out of the SFTP view, its photos stay.")
	}
	if f.acct.Kept && f.x.State == statePublished {
		f.why("The account was removed, its photos were kept.")
	}
	for _, w := range f.e.daemon.Warnings {
		if f.x.State == stateMissing && strings.HasPrefix(w, control.NotWithdrawn) {
			f.why("%s", w)
		}
	}
	if f.x.State == stateMissing && f.e.daemonErr != nil {
		f.why("%v, so nothing changes until it is started.", f.e.daemonErr)
	}
}

// noiseIn says why a path is never looked at, or "".
func noiseIn(path string) string {
	elements := strings.Split(path, "/")
	if len(elements) > layout.MaxDepth {
		return fmt.Sprintf("It is more than %d folders deep: nothing there is looked at. Move it into an album.", layout.MaxDepth)
	}
	for i, name := range elements {
		if !layout.IsNoise(name) {
			continue
		}
		switch lower := strings.ToLower(name); {
		case i < len(elements)-1:
			return fmt.Sprintf("It is in %q, a folder of an operating system or a storage box: nothing in there is ever taken.", layout.Shown(name))
		case strings.HasPrefix(lower, ".in."), strings.HasSuffix(lower, ".tmp"), strings.Contains(lower, "part"):
			return "This is a temporary name that upload programs use until a file is complete. It is taken once it is renamed; if nothing writes it any more, the upload was broken off."
		default:
			return "This is a hidden file, or one that an operating system leaves behind: such names are never taken, and are no problem."
		}
	}
	return ""
}

// shownAs finds the paths below dir that are shown as path.
func shownAs(tree *os.Root, dir, path string) (raws []string) {
	name, rest, more := strings.Cut(path, "/")
	at := dir
	if at == "" {
		at = "."
	}
	f, err := tree.Open(at)
	if err != nil {
		return nil
	}
	names, _ := f.Readdirnames(-1)
	f.Close()
	for _, n := range names {
		if n != name && layout.Shown(n) != layout.Shown(name) && layout.Shown(n) != name {
			continue
		}
		full := strings.TrimPrefix(dir+"/"+n, "/")
		if !more {
			raws = append(raws, full)
		} else {
			raws = append(raws, shownAs(tree, full, rest)...)
		}
	}
	return raws
}
