package explain

import (
	"fmt"
	"os"
	"strings"

	"picday/internal/control"
	"picday/internal/filestate"
	"picday/internal/layout"
	"picday/internal/localtime"
	"picday/internal/shell"
	"picday/store"
)

// say adds a sentence. One that says what to do ends with what to type.
func (f *facts) say(format string, args ...any) {
	f.Why = append(f.Why, fmt.Sprintf(format, args...))
}

// conclude says why the file is in its state.
func (f *facts) conclude(moved moved) {
	switch f.State {
	case filestate.Unknown:
		return
	case filestate.Folder:
		f.say("This is a folder. Ask about a file in it; 'picday photos %s' lists what is published.", f.Account.Name)
		if f.record.Reason == layout.TooManyFolders {
			f.say("%s", f.record.Reason.Message())
		}
	case filestate.Ignored:
		f.ignored()
	case filestate.Open:
		f.say("It is still open for writing: somebody is uploading it, or a connection that has died is not given up yet (that takes up to two minutes).")
		f.stillPublished()
	case filestate.Waiting:
		f.waiting()
		f.stillPublished()
	case filestate.Problem:
		f.problemFound()
		if f.file.Err != nil {
			f.notLookedAt()
		}
		f.stillPublished()
	case filestate.Withdrawn:
		f.withdrawn()
	case filestate.Published:
		switch {
		case f.file.Err != nil:
			f.notLookedAt()
		case f.file.Exists:
			f.say("The upload was complete, nobody had it open any more, and the JPEG is whole: it was taken in.")
		default:
			f.say("It is an earlier picture that was put back, and has no file of its own: it stays published although no file is there, until an operator withdraws it on the pages.")
		}
	case filestate.Missing:
		f.missing()
	case filestate.Moved:
		f.say("Its uploader moved it to %s (seen %s), and its photo went with it: %s", moved.to, localtime.Format(moved.at), shell.Line("picday", "explain", moved.to))
	}
	for _, sentence := range f.whose {
		f.say("%s", sentence)
	}
	f.surroundings()
}

func (f *facts) ignored() {
	switch noise, name := filestate.NoiseAt(f.raw); noise {
	case filestate.TooDeep:
		f.say("It is more than %d folders deep: nothing there is looked at. Move it into an album.", layout.MaxDepth)
	case filestate.SystemFolder:
		f.say("It is in %q, a folder of an operating system or a storage box: nothing in there is ever taken.", layout.Shown(name))
	case filestate.Temporary:
		f.say("This is a temporary name that upload programs use until a file is complete. It is taken once it is renamed; if nothing writes it any more, the upload was broken off.")
	case filestate.SystemFile:
		f.say("This is a hidden file, or one that an operating system leaves behind: such names are never taken, and are no problem.")
	case filestate.NoNoise:
		f.say("This is a camera's RAW file, or what a photo program writes beside a picture. The JPEG called %s is in the same folder, and only that one is taken: there is nothing to do.", layout.Shown(f.companion))
	}
}

func (f *facts) notLookedAt() {
	if os.IsPermission(f.file.Err) {
		f.say("Only root can look at the file itself: run this with sudo to know more.")
		return
	}
	f.say("The file itself cannot be looked at: %v.", f.file.Err)
}

func (f *facts) problemFound() {
	f.say("%s", f.problemMessage())
	if p := f.Problem; p != nil && !p.DeleteAfter.IsZero() {
		f.say("It is deleted after %s.", localtime.Format(p.DeleteAfter))
	}
	if p := f.Problem; p != nil && p.IgnoredBy != "" {
		f.say("The operator %s said on the pages that it is no photo: it is not counted as a problem until the file changes.", p.IgnoredBy)
	}
}

func (f *facts) problemMessage() string {
	if f.Problem == nil { // solved between two questions to the catalogue
		return f.record.Reason.Message()
	}
	return f.Problem.Message()
}

func (f *facts) withdrawn() {
	if f.withdrawnBy != "" && f.file.Exists {
		f.say("The operator %s withdrew it on the pages. The file is where the uploader has it, and stays out of sight until it is restored or overwritten with another picture.", f.withdrawnBy)
		return
	}
	f.say("Its uploader deleted it, and it did not come back within %s: the link answers 404.", f.DeleteGrace)
	f.say("To have it back: %s, or upload it again.", shell.Line("sudo", "picday", "trash", "restore", f.Account.Name, f.Path))
}

// stillPublished says that a photo stays until its successor is taken in.
func (f *facts) stillPublished() {
	switch {
	case f.Photo == nil:
	case f.record.Reason != "" && f.upload.PhotoID != f.Photo.ID:
		f.say("The picture that was here before was deleted first: it is withdrawn when it has been missing for %s.", f.DeleteGrace)
	default:
		f.say("The picture that was here before stays published meanwhile: its link is below.")
	}
}

// waiting says what a file that picdayd has not dealt with is waiting for.
func (f *facts) waiting() {
	switch filestate.BlockOf(f.Account, f.job, f.raw) {
	case filestate.AccountRemoved:
		f.say("The account was removed: nothing new is taken in from it.")
		return
	case filestate.NoJob:
		name, _, _ := strings.Cut(f.Path, "/")
		f.say("The account has no job %s, so nobody looks here: %s", name, shell.Line("sudo", "picday", "job", "add", f.Account.Name, name))
		return
	case filestate.JobActive:
		f.say("The job is active: nothing new is taken in from its folder. To take uploads again: %s", shell.Line("sudo", "picday", "job", "plan", f.Account.Name, f.job.Name))
		return
	}
	switch {
	case f.DaemonErr != nil:
		f.say("It has not been taken in yet: %v. Start it with 'systemctl start picdayd'.", f.DaemonErr)
	case f.inProgress():
		f.say("picdayd is reading and decoding it right now.")
	default:
		f.warnings(control.AccountAtLimit)
		f.say("It is new or has just changed. A whole photo that nobody has open is taken at once; anything else is looked at again once it has been quiet for %s (%s where the file system has no leases). %d files wait, %d are queued.",
			f.Settle, f.SettleUnsure, f.Daemon.Waiting, f.Daemon.Queued)
		f.warnings(control.UploadsNotTaken)
	}
}

// warnings repeats what the daemon says of that kind, about the account or all.
func (f *facts) warnings(kind control.Kind) {
	for _, w := range f.Daemon.Warnings {
		if w.Kind == kind && (w.Account == "" || w.Account == f.Account.Name) {
			f.say("%s", w.Text)
		}
	}
}

func (f *facts) inProgress() bool {
	for _, p := range f.Daemon.InProgress {
		if p.Account == f.Account.Name && p.Path == f.Path {
			return true
		}
	}
	return false
}

// unsure is why picdayd cannot say that the file was deleted, "" if it can.
func (f *facts) unsure() string {
	for _, u := range f.Daemon.Unsure {
		if u.Account == f.Account.Name && (u.Path == f.Path || strings.HasPrefix(f.Path, u.Path+"/")) {
			return u.Why
		}
	}
	return ""
}

func (f *facts) missing() {
	if f.Photo == nil {
		f.problemMissing()
		return
	}
	switch {
	case f.VolumeErr != nil:
		f.say("The file cannot be seen, and that is not taken for a deletion: the photo stays published.")
	case f.job.State == store.Active || f.Account.Kept:
		f.say("The file is not there. The photo stays published: nothing is withdrawn while the job is active or the account is removed.")
	case f.unsure() != "":
		f.say("The file is missing, and picdayd cannot tell at the moment whether it was deleted (%s). It tries again every few seconds; the photo stays published until then.", f.unsure())
	default:
		f.say("The file is not there. If it is not back, under this or another name, %s after picdayd saw it missing, the photo is withdrawn.", f.DeleteGrace)
	}
}

// problemMissing says what becomes of a problem whose file is not there.
func (f *facts) problemMissing() {
	switch {
	case f.VolumeErr != nil:
		f.say("The file cannot be seen, and that is not taken for a deletion: it stays in the list of problems.")
	case f.job.State == store.Active || f.Account.Kept:
		f.say("The file is not there. It stays in the list of problems while the job is active or the account is removed.")
	default:
		f.say("The file is not there. It leaves the list of problems when picdayd has noticed that it was deleted.")
	}
	f.say("The problem was: %s", f.problemMessage())
}

// surroundings adds what else keeps picday from its work.
func (f *facts) surroundings() {
	if f.VolumeErr != nil {
		f.say("%v", f.VolumeErr)
	}
	if f.job.State == store.Active && f.State == filestate.Published {
		f.say("The job is active: its folder is out of the SFTP view, its photos stay.")
	}
	if f.Account.Kept && f.State == filestate.Published {
		f.say("The account was removed, its photos were kept.")
	}
	if f.State != filestate.Missing {
		return
	}
	f.warnings(control.NotWithdrawn)
	if f.DaemonErr != nil {
		f.say("%v, so nothing changes until it is started.", f.DaemonErr)
	}
}
