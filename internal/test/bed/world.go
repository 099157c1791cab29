package bed

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// World is an installation of picday: its configuration, its directories and a real sshd
// that listens on loopback.
type World struct {
	T                   testing.TB
	Dir                 string // root-owned, short, removed at the end
	Uploads, Data, Keys string
	Config              string // picday.toml
	Ours                string // picday's, for sshd
	Port                int    // sshd's, on 127.0.0.1 and, where there is one, ::1
	Public              string // web.public, "127.0.0.1:port"
	Admin               string // web.admin

	// Namespaced makes picday and picdayd run in a user namespace of their own,
	// with the same numbers in it, as in an unprivileged container.
	Namespaced bool

	id      int64
	sshd    *proc
	sshdLog string
	dropIns string
	daemons []*Daemon
	clients atomic.Int64 // names clients' private files
	helpers sync.Map     // of *os.Process: root's helpers that run
	runs    atomic.Int64 // how many times picday was run
	reads   atomic.Int64 // of them, with a command that reads nothing but the catalogue
}

// Options are values of picday.toml. Zero means the default of this package: the times are
// short, so that tests seldom wait for them.
type Options struct {
	Settle      time.Duration // 300ms
	DeleteGrace time.Duration // 2s
	StrayKeep   time.Duration // the product's default, 168h
	TrashKeep   time.Duration // the product's default, 720h
	Rescan      time.Duration // the product's default, 1h: a test sees only what events tell
	Workers     int           // the product's default
	Receipts    bool          // off, so that other tests find nothing in an account but what they made
	// Ext4 puts upload_dir on a real ext4 instead of tmpfs. (ext4 gives a
	// deleted file's inode number to the next new file.)
	Ext4 bool
	// Volume makes upload_dir a mount point: a bind mount of <dir>/stash.
	Volume bool
}

var worlds atomic.Int64

// New makes a World and starts its sshd. Everything is gone when t ends.
func New(t testing.TB, options ...Options) *World {
	t.Helper()
	Root(t)
	Need(t, "/usr/sbin/sshd", "openssh-server")
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	w := &World{T: t, id: worlds.Add(1)}
	w.Dir = fmt.Sprintf("%s/%d", base, w.id)
	w.Uploads, w.Data = w.Dir+"/up", w.Dir+"/data"
	w.Keys, w.Config = w.Dir+"/keys", w.Dir+"/picday.toml"
	w.dropIns, w.sshdLog = w.Dir+"/sshd_config.d", w.Dir+"/sshd.log"
	w.Ours = w.dropIns + "/00-picday.conf"
	w.must(os.Mkdir(w.Dir, 0o755))
	t.Cleanup(w.close)
	for _, dir := range []string{w.dropIns, w.Dir + "/local", w.Dir + "/home"} {
		w.must(os.Mkdir(dir, 0o755))
	}
	if o.Ext4 {
		w.must(os.Mkdir(w.Uploads, 0o755))
		w.MountExt4(w.Uploads)
	}
	if o.Volume {
		w.must(os.Mkdir(w.Uploads, 0o755))
		w.must(os.Mkdir(w.Dir+"/stash", 0o755))
		w.Bind(w.Dir+"/stash", w.Uploads)
	}
	w.startSSHD()
	w.Public, w.Admin = w.FreeAddr(), w.FreeAddr()
	w.writeConfig(o)
	return w
}

// Run returns the directory of the daemon's socket.
func (w *World) Run() string { return w.Dir + "/run" }

// HelperDir returns the directory of the sockets of root's helper.
func (w *World) HelperDir() string { return w.Dir + "/helper" }

// Name returns a name for a Unix account that no other World uses.
func (w *World) Name(word string) string { return fmt.Sprintf("%s-w%d", word, w.id) }

func (w *World) writeConfig(o Options) {
	orElse := func(d, normal time.Duration) time.Duration {
		if d == 0 {
			return normal
		}
		return d
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "upload_dir = %q\ndata_dir = %q\nrun_dir = %q\nhelper_dir = %q\nreserve_megabytes = 1\nlog_level = \"debug\"\n", w.Uploads, w.Data, w.Run(), w.HelperDir())
	fmt.Fprintf(&b, "[upload]\nsettle = %q\ndelete_grace = %q\nstray_keep = %q\ntrash_keep = %q\nrescan = %q\n",
		orElse(o.Settle, 300*time.Millisecond), orElse(o.DeleteGrace, 2*time.Second),
		orElse(o.StrayKeep, 168*time.Hour), orElse(o.TrashKeep, 720*time.Hour), orElse(o.Rescan, time.Hour))
	fmt.Fprintf(&b, "[receipts]\nenabled = %v\n", o.Receipts)
	fmt.Fprintf(&b, "[images]\nworkers = %d\n", o.Workers)
	fmt.Fprintf(&b, "[[images.rendition]]\nname = \"large\"\nlongest = 1600\nquality = 85\n")
	fmt.Fprintf(&b, "[[images.rendition]]\nname = \"thumb\"\nlongest = 400\nquality = 80\n")
	fmt.Fprintf(&b, "[sshd]\nconfig = %q\ndrop_in = %q\nkeys_dir = %q\nreload = [%q]\nhost = \"127.0.0.1\"\nport = %d\n",
		w.Dir+"/sshd_config", w.Ours, w.Keys, w.Dir+"/reload-sshd", w.Port)
	fmt.Fprintf(&b, "[web]\npublic = %q\nadmin = %q\npublic_url = %q\n", w.Public, w.Admin, "http://"+w.Public)
	w.must(os.WriteFile(w.Config, b.Bytes(), 0o644))
}

// EditConfig replaces a part of picday.toml. A daemon reads it only when it starts.
func (w *World) EditConfig(from, to string) {
	w.T.Helper()
	text, err := os.ReadFile(w.Config)
	w.must(err)
	if !strings.Contains(string(text), from) {
		w.T.Fatalf("picday.toml has no %q:\n%s", from, text)
	}
	w.must(os.WriteFile(w.Config, []byte(strings.Replace(string(text), from, to, 1)), 0o644))
}

// Local writes a file on the uploader's side and returns its path.
func (w *World) Local(name string, data []byte) string {
	w.T.Helper()
	path := filepath.Join(w.Dir, "local", name)
	w.must(os.MkdirAll(filepath.Dir(path), 0o755))
	w.must(os.WriteFile(path, data, 0o644))
	return path
}

// close ends the processes, shows the logs of a failed test and removes all.
func (w *World) close() {
	for _, d := range w.daemons {
		d.Kill()
	}
	if w.sshd != nil {
		w.sshd.kill()
	}
	for _, d := range w.daemons {
		log, _ := os.ReadFile(d.log)
		for _, bad := range []string{"panic: ", "fatal error: ", "DATA RACE"} {
			if _, trace, found := strings.Cut(string(log), bad); found {
				w.T.Errorf("picdayd: %s%.3000s", bad, trace)
			}
		}
	}
	if w.T.Failed() {
		for _, d := range w.daemons {
			w.T.Logf("end of the daemon's log:\n%s", tail(d.log, 60))
		}
		w.T.Logf("end of sshd's log:\n%s", tail(w.sshdLog, 40))
	}
	w.unmountAll()
	// A browser's child processes may still write for a moment after it has ended.
	w.Eventually("the world can be removed", func() (bool, any) {
		err := os.RemoveAll(w.Dir)
		return err == nil, err
	})
}

// unmountAll unmounts whatever is mounted below the world, newest first.
func (w *World) unmountAll() {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	lines := strings.Split(string(mounts), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		fields := strings.Fields(lines[i])
		if len(fields) > 1 && strings.HasPrefix(fields[1], w.Dir+"/") {
			_ = syscall.Unmount(fields[1], syscall.MNT_DETACH)
		}
	}
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// tail returns the end of a log file.
func tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
