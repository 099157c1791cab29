// Package importer copies photos that are on this machine already into an account's
// tree, as if the uploader had uploaded them. picdayd takes them in from there.
//
// It promises: no file of the tree is replaced, none is half there, and no link is
// followed, neither in the source nor in the tree, whoever renames there meanwhile. Run
// again after an interruption, it copies what is missing. The source is not changed.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"picday/internal/areas"
	"picday/internal/bytesize"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/internal/shell"
	"picday/internal/trees"
	"picday/store"
)

// An Import says what to copy, and where to.
type Import struct {
	Store    *store.Store
	Trees    trees.Dir
	DataDir  string
	Account  store.Account
	Areas    areas.Names // of all accounts
	UID, GID int         // of the account
	Job      string      // of the layout jobs: the planned job; "" = each folder of Source is one
	Source   string
	DryRun   bool // copy nothing
	Progress func(done, of int)
}

// named is how many files of a kind the report names.
const named = 20

// A file is one of the source.
type file struct {
	path   string // below the source
	target string // from the root of the account's SFTP view
	size   int64
}

// Run copies what can become a photo, and returns sentences that say what was done, also
// beside an error. The error is a failure.Refusal if a file of the tree with other
// content was in the way; everything else was copied all the same.
func (x *Import) Run(ctx context.Context) ([]string, error) {
	if err := x.check(ctx); err != nil {
		return nil, err
	}
	source, err := os.OpenRoot(x.Source)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	files, left, err := x.list(ctx, source)
	if err != nil {
		return nil, err
	}
	if err := x.checkJobs(ctx, files); err != nil {
		return nil, err
	}
	if err := x.checkRoom(files); err != nil {
		return nil, err
	}
	return x.copyAll(ctx, source, files, left)
}

func (x *Import) check(ctx context.Context) error {
	switch {
	case x.Account.Layout != layout.Jobs && x.Job != "":
		return failure.Usagef("account %s has the layout %s: it has no jobs", x.Account.Name, x.Account.Layout)
	case x.Job != "":
		if err := x.Store.All().CheckJob(ctx, x.Account.Name, x.Job); err != nil {
			return err
		}
	}
	if err := x.Account.Flawed(); err != nil {
		return err
	}
	source, err := filepath.EvalSymlinks(x.Source)
	if err == nil {
		source, err = filepath.Abs(source)
	}
	if err != nil {
		return err
	}
	for _, own := range []string{string(x.Trees), x.DataDir} {
		if own, err = filepath.EvalSymlinks(own); err != nil {
			return err
		}
		if within(source, own) || within(own, source) {
			return failure.Refusalf("%s and %s are one inside the other: what picday has already is not imported", source, own)
		}
	}
	return nil
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// list finds what can become a photo. left is what stays behind, by the reason.
func (x *Import) list(ctx context.Context, source *os.Root) (files []file, left leftBehind, err error) {
	rules, err := x.Account.Rules(x.Areas)
	if err != nil {
		return nil, nil, err
	}
	left = leftBehind{}
	err = fs.WalkDir(source.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || path == "." {
			return err
		}
		target := x.target(path)
		switch {
		case layout.IsNoise(d.Name()):
			left.add("left behind by computers and programs", path)
		case d.IsDir() && !layout.Deepest(target):
			return nil
		case d.IsDir():
			left.add("folders that are too deep", path)
		case !d.Type().IsRegular():
			left.add("links, devices and the like", path)
		case rules.Of(target).What != layout.Picture:
			left.add("not photos at a place for photos", path)
		default:
			fi, err := d.Info()
			if err != nil {
				return err
			}
			files = append(files, file{path, target, fi.Size()})
			return nil
		}
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return files, left, err
}

func (x *Import) target(path string) string {
	switch {
	case x.Account.Layout == layout.Portraits:
		return x.Account.Name + "/" + layout.UserPictures + "/" + path
	case x.Job != "":
		return x.Job + "/" + path
	}
	return path
}

// checkJobs refuses files for jobs that are not planned ones.
func (x *Import) checkJobs(ctx context.Context, files []file) error {
	if x.Account.Layout != layout.Jobs {
		return nil
	}
	states, err := x.Store.JobStates(ctx, x.Account.ID)
	if err != nil {
		return err
	}
	missing, active := []string{"picday", "job", "add", x.Account.Name}, ""
	for _, f := range files {
		job, _, _ := strings.Cut(f.target, "/")
		switch state, there := states[job]; {
		case !there && !slices.Contains(missing[4:], job):
			missing = append(missing, job)
		case there && state != store.Planned:
			active = job
		}
	}
	if len(missing) > 4 {
		return failure.Refusalf("%d folders of %s are no jobs of %s. Make them first: %s\nOr name the job that all of it is for: %s", len(missing)-4, x.Source, x.Account.Name,
			shell.Line(missing...), shell.Line("picday", "import", x.Account.Name, "JOB", x.Source))
	}
	if active != "" {
		return failure.Refusalf("job %s is active and takes nothing. Plan it first: %s", active, shell.Line("picday", "job", "plan", x.Account.Name, active))
	}
	return nil
}

// checkRoom refuses what the upload volume has no room for.
func (x *Import) checkRoom(files []file) error {
	var st unix.Statfs_t
	if err := unix.Statfs(string(x.Trees), &st); err != nil {
		return fmt.Errorf("%s: %w", x.Trees, err)
	}
	need, room := int64(0), int64(st.Bavail)*st.Bsize
	for _, f := range files {
		if fi, err := os.Lstat(filepath.Join(x.Trees.Base(x.Account.Name), f.target)); err != nil || fi.Size() != f.size {
			need += f.size
		}
	}
	if need > room {
		return failure.Refusalf("%s has room for %s, and %s are to be copied. Import a part of it, or make room; picday keeps a copy of its own in %s too",
			x.Trees, bytesize.Format(room), bytesize.Format(need), x.DataDir)
	}
	return nil
}

func (x *Import) copyAll(ctx context.Context, source *os.Root, files []file, left leftBehind) (report []string, err error) {
	copied, there := 0, 0
	var size int64
	inTheWay, failed := leftBehind{}, leftBehind{}
	for i, f := range files {
		if err = ctx.Err(); err != nil {
			break
		}
		var done bool
		switch done, err = x.copy(source, f); {
		case errors.Is(err, errInTheWay):
			inTheWay.add("files with other content were in the way", f.target)
		case errors.Is(err, errNoPlace):
			err = failure.Refusalf("%s: its folder is not there any more; was the job activated meanwhile? Run this again when it is planned", f.target)
		case err != nil && !errors.Is(err, unix.ENOSPC):
			failed.add("could not be copied", fmt.Sprintf("%s (%v)", f.path, err))
		case err == nil && done:
			copied, size = copied+1, size+f.size
		case err == nil:
			there++
		}
		if failure.IsRefusal(err) || errors.Is(err, unix.ENOSPC) {
			break
		}
		err = nil
		if x.Progress != nil {
			x.Progress(i+1, len(files))
		}
	}
	verb := "copied"
	if x.DryRun {
		verb = "would be copied"
	}
	report = slices.Concat(left.report(), inTheWay.report(), failed.report(),
		[]string{fmt.Sprintf("%d of %d photos %s (%s), %d were there already", copied, len(files), verb, bytesize.Format(size), there)})
	switch {
	case err != nil:
		return append(report, "run the same command again to go on"), err
	case len(failed) > 0:
		err = fmt.Errorf("%d photos could not be copied", failed.count())
	case len(inTheWay) > 0:
		err = failure.Refusalf("%d photos were not copied, because there are files with other content in their places: rename or delete either of them", inTheWay.count())
	}
	return report, err
}

// leftBehind is what is not imported, by the reason.
type leftBehind map[string][]string

func (l leftBehind) add(why, path string) { l[why] = append(l[why], path) }

func (l leftBehind) count() (n int) {
	for _, paths := range l {
		n += len(paths)
	}
	return n
}

func (l leftBehind) report() (lines []string) {
	for why, paths := range l {
		line := fmt.Sprintf("%d %s: %s", len(paths), why, strings.Join(paths[:min(len(paths), named)], ", "))
		if len(paths) > named {
			line += ", …"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
