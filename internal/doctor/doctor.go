// Package doctor checks everything that picday depends on, and says for each
// thing that is not as it should be how it is put right. It changes nothing but
// a file of its own on the upload volume, which it removes again.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"picday/internal/account"
	"picday/internal/bytesize"
	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/localtime"
	"picday/internal/notify"
	"picday/internal/shell"
	"picday/internal/terminal"
	"picday/store"
)

// A Machine is what of the system doctor needs; *account.System is one.
type Machine interface {
	// Check looks at the Unix accounts and at sshd. Without known the accounts
	// could not be read.
	Check(ctx context.Context, accounts []store.Account, known bool) []account.Finding
	JobDir(account, job string) string
	Owner(account string) (uid, gid int, err error)
}

// A Doctor checks one machine.
type Doctor struct {
	Config  config.Config
	Machine Machine
	// Open opens the catalogue. Whoever made the function closes it.
	Open func(context.Context) (*store.Store, error)
	// Ask asks the picdayd whose socket is in runDir for its status; control.Ask is one.
	Ask func(ctx context.Context, runDir string) (control.Status, error)
	// AskLease asks as picdayd's user whether a file on the upload volume is
	// open for writing. It returns ErrNoDaemonUser if there is no such user.
	AskLease func(file *os.File) (Lease, error)
}

// Examine runs all checks. Findings are in the order in which they are to be
// read: the catalogue first, the Unix accounts last.
func (d *Doctor) Examine(ctx context.Context) []account.Finding {
	x := &examination{Doctor: d, cfg: d.Config}
	var accounts []store.Account
	known := false
	if s, err := d.Open(ctx); err != nil {
		x.fail("catalogue", err.Error(), x.catalogueFix())
	} else {
		if accounts, err = s.All().Accounts(ctx); err != nil {
			x.fail("catalogue", err.Error(), "restore it from a backup")
		}
		known = err == nil
		x.catalogue(ctx, s)
		x.jobs(ctx, s)
		x.foreign(ctx, accounts)
		x.told(ctx, s)
	}
	x.daemon(ctx)
	x.leases()
	x.space("space for uploads", x.cfg.UploadDir)
	x.space("space for photos", x.cfg.DataDir)
	return append(x.findings, d.Machine.Check(ctx, accounts, known)...)
}

// Text writes findings for people, with tabs between columns.
func Text(w io.Writer, findings []account.Finding) {
	for _, f := range findings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Status, f.Check, terminal.Plain(f.Message))
		if f.Status != "ok" && f.Fix != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", terminal.Plain(f.Fix))
		}
	}
}

// Failed counts the checks that failed.
func Failed(findings []account.Finding) (n int) {
	for _, f := range findings {
		if f.Status == "fail" {
			n++
		}
	}
	return n
}

// examination collects what one run finds.
type examination struct {
	*Doctor
	cfg      config.Config
	findings []account.Finding
}

func (d *examination) add(status, check, message, fix string) {
	d.findings = append(d.findings, account.Finding{Check: check, Status: status, Message: message, Fix: fix})
}

func (d *examination) ok(check, message string)        { d.add("ok", check, message, "") }
func (d *examination) warn(check, message, fix string) { d.add("warn", check, message, fix) }
func (d *examination) fail(check, message, fix string) { d.add("fail", check, message, fix) }

// catalogueFix says what to do about a data directory without its catalogue. Where
// uploads are, there was one.
func (d *examination) catalogueFix() string {
	if _, err := os.Lstat(filepath.Join(d.cfg.UploadDir, store.MarkerFile)); err != nil {
		return "sudo picday init"
	}
	return "there was a catalogue before, as the uploads in " + d.cfg.UploadDir + " show: mount the disk of " + d.cfg.DataDir +
		"; if it is lost: picday restore DIR puts a backup back"
}

func (d *examination) catalogue(ctx context.Context, s *store.Store) {
	if err := s.QuickCheck(ctx); err != nil {
		d.fail("catalogue", err.Error(), "stop picdayd and restore "+store.CatalogueFile+" from a backup")
	} else {
		d.ok("catalogue", "SQLite finds it sound")
	}
	if err := s.CheckVolume(ctx, d.cfg.UploadDir); err != nil {
		fix := "mount it; if the uploads really moved: picday init --new-volume"
		if blank, berr := s.Blank(ctx); berr == nil && blank {
			fix = d.catalogueFix() // the uploads belong to another catalogue
		}
		d.fail("upload volume", err.Error(), fix)
	} else {
		d.ok("upload volume", d.cfg.UploadDir+" is the volume of this catalogue")
	}
}

func (d *examination) daemon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	st, err := d.Ask(ctx, d.cfg.RunDir)
	if err != nil {
		d.fail("picdayd", err.Error(), "systemctl start picdayd; then look at journalctl -u picdayd")
		return
	}
	switch {
	case st.LastProvenAlive == nil && time.Since(*st.Since) < time.Minute:
		d.warn("picdayd", "it has just been started, and not been seen to work yet", "ask again in some seconds")
	case st.LastProvenAlive == nil || time.Since(*st.LastProvenAlive) > time.Minute:
		d.fail("picdayd", "it runs, but was not proven to work in the last minute", "look at journalctl -u picdayd; systemctl restart picdayd")
	default:
		d.ok("picdayd", fmt.Sprintf("running since %s", localtime.Format(*st.Since)))
	}
	d.watches(st)
	if st.LacksProfiles {
		d.warn("colour profiles", "picdayd's decoders find no LittleCMS: CMYK and table profiles are converted without their profile, so colours of such photos are wrong",
			"apt install liblcms2-2 (with dnf: lcms2), then systemctl restart picdayd")
	} else {
		d.ok("colour profiles", "decoders have LittleCMS for CMYK and table profiles")
	}
}

// told looks whether people and programs can be told.
func (d *examination) told(ctx context.Context, s *store.Store) {
	for _, f := range notify.Check(ctx, d.cfg, s) {
		if f.Err != nil {
			d.fail(f.Check, f.Err.Error(), f.Fix)
		} else {
			d.ok(f.Check, f.Message)
		}
	}
}

// watches looks for folders that are there and not watched. Those that are not
// there are polled too; the checks of accounts and jobs name them.
func (d *examination) watches(st control.Status) {
	const check = "inotify watches"
	polled := slices.DeleteFunc(slices.Clone(st.PolledDirs), func(dir string) bool {
		_, err := os.Lstat(dir)
		return errors.Is(err, fs.ErrNotExist)
	})
	n := len(polled)
	if n == 0 {
		d.ok(check, fmt.Sprintf("%d folders watched", st.WatchedDirs))
		return
	}
	message := fmt.Sprintf("%d folders are polled instead of watched, so uploads are noticed later: %s", n, strings.Join(polled[:min(n, 5)], ", "))
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	limit, nerr := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil || nerr != nil || st.WatchedDirs+n < limit:
		d.warn(check, message, "journalctl -u picdayd says why they cannot be watched")
	default:
		d.warn(check, message, fmt.Sprintf("the kernel allows %d watches: echo fs.inotify.max_user_watches=%d | sudo tee /etc/sysctl.d/60-picday.conf && sudo sysctl --system",
			limit, 2*(st.WatchedDirs+n)))
	}
}

// jobs looks for planned jobs without a folder.
func (d *examination) jobs(ctx context.Context, s *store.Store) {
	jobs, err := s.All().Jobs(ctx, store.JobQuery{})
	if err != nil {
		d.fail("jobs", err.Error(), "restore the catalogue from a backup")
		return
	}
	for _, j := range jobs {
		dir := d.Machine.JobDir(j.Account, j.Name)
		if _, err := os.Lstat(filepath.Dir(dir)); err != nil || j.State != store.Planned {
			continue // without the account's folder: that is said already
		}
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			d.fail("job "+j.Account+"/"+j.Name, dir+" is not there: nothing is taken in, and its photos stay as they are",
				fmt.Sprintf("bring the folder back from where it went; only if its photos may end: %s makes an empty one", shell.Line("picday", "job", "add", j.Account, j.Name)))
		}
	}
}

// space warns before an upload or a rendition meets a full disk.
func (d *examination) space(check, dir string) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		d.fail(check, fmt.Sprintf("%s: %v", dir, err), "mount its disk; only on a new machine: picday init")
		return
	}
	free, all := int64(st.Bavail)*st.Bsize, int64(st.Blocks)*st.Bsize
	message := fmt.Sprintf("%s free of %s", bytesize.Format(free), bytesize.Format(all))
	if free >= all/20 {
		d.ok(check, message)
		return
	}
	fix := "make room on the file system of " + dir
	if dir == d.cfg.UploadDir {
		fix += "; uploads that a full disk has cut off are to be deleted and uploaded again, not resumed"
	}
	d.warn(check, message, fix)
}
