package main

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

	"github.com/spf13/cobra"

	"picday/account"
	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/shell"
	"picday/store"
)

const openSafely = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

func (a *app) doctorCommand() *cobra.Command {
	return a.list("doctor", "Check everything picday depends on, and say what to do", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		sys, err := a.system()
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		var accounts []store.Account
		known := false
		d := &diagnosis{cfg: cfg}
		if s, err := a.open(ctx); err != nil {
			d.fail("catalogue", err.Error(), d.missing())
		} else {
			if accounts, err = s.Accounts(ctx); err != nil {
				d.fail("catalogue", err.Error(), "restore it from a backup")
			}
			known = err == nil
			d.catalogue(ctx, s)
			d.jobs(ctx, s, sys)
		}
		d.daemon(ctx)
		d.leases()
		d.space()
		d.findings = append(d.findings, sys.Check(ctx, accounts, known)...)
		failed := 0
		for _, f := range d.findings {
			if f.Status == "fail" {
				failed++
			}
		}
		err = a.print(d.findings, func(w io.Writer) {
			for _, f := range d.findings {
				fmt.Fprintf(w, "%s\t%s\t%s\n", f.Status, f.Check, plain(f.Message))
				if f.Status != "ok" && f.Fix != "" {
					fmt.Fprintf(w, "\t\t→ %s\n", plain(f.Fix))
				}
			}
		})
		if err == nil && failed > 0 {
			err = fmt.Errorf("%d of %d checks failed", failed, len(d.findings))
		}
		return err
	})
}

// A diagnosis collects what the checks find.
type diagnosis struct {
	cfg      config.Config
	findings []account.Finding
}

func (d *diagnosis) add(status, check, message, fix string) {
	d.findings = append(d.findings, account.Finding{Check: check, Status: status, Message: message, Fix: fix})
}
func (d *diagnosis) ok(check, message string)        { d.add("ok", check, message, "") }
func (d *diagnosis) fail(check, message, fix string) { d.add("fail", check, message, fix) }

// missing says what to do about a data directory without its catalogue. Where
// uploads are, there was one.
func (d *diagnosis) missing() string {
	if _, err := os.Lstat(filepath.Join(d.cfg.UploadDir, store.MarkerFile)); err != nil {
		return "sudo picday init"
	}
	return "there was a catalogue before, as the uploads in " + d.cfg.UploadDir + " show: mount the disk of " + d.cfg.DataDir +
		"; if it is lost: picday restore DIR puts a backup back"
}

func (d *diagnosis) catalogue(ctx context.Context, s *store.Store) {
	if err := s.QuickCheck(ctx); err != nil {
		d.fail("catalogue", err.Error(), "stop picdayd and restore "+store.CatalogueFile+" from a backup")
	} else {
		d.ok("catalogue", "SQLite finds it sound")
	}
	if err := s.CheckVolume(ctx, d.cfg.UploadDir); err != nil {
		fix := "mount it; if the uploads really moved: picday init --new-volume"
		if blank, berr := s.Blank(ctx); berr == nil && blank {
			fix = d.missing() // it knows nothing, the uploads are another's
		}
		d.fail("upload volume", err.Error(), fix)
	} else {
		d.ok("upload volume", d.cfg.UploadDir+" is the volume of this catalogue")
	}
}

func (d *diagnosis) daemon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	st, err := control.Ask(ctx, d.cfg.RunDir)
	if err != nil {
		d.fail("picdayd", err.Error(), "systemctl start picdayd; then look at journalctl -u picdayd")
		return
	}
	switch {
	case st.LastProvenAlive == nil && time.Since(*st.Since) < time.Minute:
		d.add("warn", "picdayd", "it has just been started, and not been seen to work yet", "ask again in some seconds")
	case st.LastProvenAlive == nil || time.Since(*st.LastProvenAlive) > time.Minute:
		d.fail("picdayd", "it runs, but was not proven to work in the last minute", "look at journalctl -u picdayd; systemctl restart picdayd")
	default:
		d.ok("picdayd", fmt.Sprintf("running since %s", when(*st.Since)))
	}
	d.watches(st)
	if st.LacksProfiles {
		d.add("warn", "colour profiles", "picdayd's decoders find no LittleCMS: CMYK and table profiles are converted without their profile, so colours of such photos are wrong",
			"apt install liblcms2-2 (with dnf: lcms2), then systemctl restart picdayd")
	} else {
		d.ok("colour profiles", "decoders have LittleCMS for CMYK and table profiles")
	}
}

// watches looks for folders that are there and not watched. Those that are not
// there are polled too; the checks of accounts and jobs name them.
func (d *diagnosis) watches(st control.Status) {
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
		d.add("warn", check, message, "journalctl -u picdayd says why they cannot be watched")
	default:
		d.add("warn", check, message, fmt.Sprintf("the kernel allows %d watches: echo fs.inotify.max_user_watches=%d | sudo tee /etc/sysctl.d/60-picday.conf && sudo sysctl --system",
			limit, 2*(st.WatchedDirs+n)))
	}
}

// jobs looks for planned jobs without a folder.
func (d *diagnosis) jobs(ctx context.Context, s *store.Store, sys *account.System) {
	jobs, err := s.Jobs(ctx, "")
	if err != nil {
		d.fail("jobs", err.Error(), "restore the catalogue from a backup")
		return
	}
	for _, j := range jobs {
		dir := sys.JobDir(j.Account, j.Name)
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
func (d *diagnosis) space() {
	for what, dir := range map[string]string{"space for uploads": d.cfg.UploadDir, "space for photos": d.cfg.DataDir} {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err != nil {
			d.fail(what, fmt.Sprintf("%s: %v", dir, err), "mount its disk; only on a new machine: picday init")
			continue
		}
		free, all := int64(st.Bavail)*st.Bsize, int64(st.Blocks)*st.Bsize
		message := fmt.Sprintf("%s free of %s", size(free), size(all))
		if free < all/20 {
			fix := "make room on the file system of " + dir
			if dir == d.cfg.UploadDir {
				fix += "; uploads that a full disk has cut off are to be deleted and uploaded again, not resumed"
			}
			d.add("warn", what, message, fix)
		} else {
			d.ok(what, message)
		}
	}
}
