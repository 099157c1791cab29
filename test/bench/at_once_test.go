package bench

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
	"picday/store"
)

// BenchmarkCloseToLink is the time from the close that ends an upload to the answer under
// the photo's link, and to its tile on an open page, with the default configuration and one
// upload at a time. The peers do less and check nothing: a script on inotifywait's close
// events, behind the same sshd, and the same script run by ProFTPD (mod_sftp, mod_exec) after
// STOR. Theirs ends with the script.
func BenchmarkCloseToLink(b *testing.B) {
	for _, program := range []string{"inotifywait", "proftpd", "vipsthumbnail", "sqlite3"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Fatalf("the peers need %s: make bench installs it", program)
		}
	}
	for _, pic := range []struct {
		name string
		jpeg []byte
	}{
		{"640x480", testphoto.Tiny(1)},
		{"24MP", testphoto.Make(testphoto.Spec{Width: 6000, Height: 4000, Seed: 1, Quality: 92})},
	} {
		b.Run(pic.name, func(b *testing.B) {
			w := bed.New(b, bed.Options{Settle: time.Second})
			w.MustPicday("init")
			u := w.AddAccount("studio", "jobs")
			w.MustPicday("job", "add", u.Name, "job")
			w.StartDaemon()
			s := catalogue(b, w)
			ours := u.ByKey().MustWire()
			script, proftpd := startInotifywait(b, w), startProFTPD(b, w)
			if err := ours.Mkdir("job/album"); err != nil {
				b.Fatal(err)
			}
			page := openPage(b, w, s, "/jobs/"+u.Name+"/job/album")
			var links, tiles []time.Duration
			n := 0
			for b.Loop() {
				data := testphoto.Vary(pic.jpeg, n)
				name := fmt.Sprintf("%d.jpg", n)
				n++
				closed := put(b, ours, "job/album/"+name, data)
				links = append(links, linkAnswers(b, w, s, u.Name, "job/album/"+name).Sub(closed))
				tiles = append(tiles, page.shows(b, name).Sub(closed))
				for _, peer := range []*onClose{script, proftpd} {
					closed = put(b, peer.wire, name, data)
					peer.took = append(peer.took, peer.done(b, name).Sub(closed))
				}
				time.Sleep(time.Second) // until the open page may be loaded again
			}
			for what, took := range map[string][]time.Duration{"link": links, "tile": tiles, "inotifywait": script.took, "proftpd": proftpd.took} {
				b.ReportMetric(float64(median(took).Milliseconds()), what+"-ms")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// put uploads a file and returns when its close was sent.
func put(b *testing.B, wire *bed.Wire, path string, data []byte) time.Time {
	b.Helper()
	f, err := wire.Open(path, bed.Write|bed.Create|bed.Truncate)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		b.Fatal(err)
	}
	closed := time.Now()
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return closed
}

// soon asks each millisecond until ok, and returns when it was.
func soon(b *testing.B, what string, ok func() bool) time.Time {
	b.Helper()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		if ok() {
			return time.Now()
		}
		if time.Since(begin) > time.Minute {
			b.Fatal("waited in vain: ", what)
		}
	}
}

func linkAnswers(b *testing.B, w *bed.World, s *store.Store, account, path string) time.Time {
	b.Helper()
	return soon(b, "the link answers", func() bool {
		all, err := s.All().Photos(b.Context(), store.PhotoQuery{Account: account, Path: path})
		if err != nil {
			b.Fatal(err)
		}
		return len(all) == 1 && fetched(b, "http://"+w.Public+"/"+all[0].Link+".jpg", "") != ""
	})
}

// fetched returns what a GET answers, "" for any status but 200.
func fetched(b *testing.B, url, cookie string) string {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "picday", Value: cookie})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

// An open page does what picday.js does: it follows the stream of change marks, and loads the
// page again when there is a new one.
type openedPage struct {
	url, base, cookie string
	marks             chan string
}

func openPage(b *testing.B, w *bed.World, s *store.Store, path string) *openedPage {
	b.Helper()
	p := &openedPage{base: "http://" + w.Admin, marks: make(chan string, 1000)}
	p.url = p.base + path
	hash, err := store.HashPassword("correct horse")
	if err == nil {
		err = s.Update(b.Context(), func(tx *store.Tx) error {
			if err := tx.AddOperator(store.Operator{Name: "eva"}, hash); err != nil {
				return err
			}
			p.cookie, err = tx.StartSession("eva", hash)
			return err
		})
	}
	if err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, p.base+"/events?follow=catalogue", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "picday", Value: p.cookie})
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(res, err)
	}
	b.Cleanup(func() { res.Body.Close() })
	go func() {
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if mark, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				p.marks <- mark
			}
		}
		close(p.marks)
	}()
	return p
}

var tile = regexp.MustCompile(`/photos/\d+/thumb\.jpg[^"]*`)

// shows returns when the page has a tile for each picture up to name, and the last one was
// fetched.
func (p *openedPage) shows(b *testing.B, name string) time.Time {
	b.Helper()
	for range p.marks {
		html := fetched(b, p.url, p.cookie)
		if !strings.Contains(html, name) {
			continue
		}
		if all := tile.FindAllString(html, -1); len(all) > 0 && fetched(b, p.base+strings.ReplaceAll(all[len(all)-1], "&amp;", "&"), p.cookie) != "" {
			return time.Now()
		}
		b.Fatal("no tile on the page")
	}
	b.Fatal("the stream of changes ended")
	return time.Time{}
}

// An onClose is a peer that runs peers/on_close.sh for each upload.
type onClose struct {
	wire *bed.Wire
	out  string
	took []time.Duration
}

func newOnClose(b *testing.B, w *bed.World, name string) (o *onClose, login bed.Login, script string) {
	b.Helper()
	login = w.AddUnixUser(name)
	o = &onClose{out: filepath.Join(w.Dir, name+"-out")}
	script, err := filepath.Abs("peers/on_close.sh")
	if err == nil {
		err = os.Mkdir(o.out, 0o777)
	}
	if err == nil {
		err = os.Chmod(o.out, 0o777)
	}
	if err != nil {
		b.Fatal(err)
	}
	return o, login, script
}

func (o *onClose) done(b *testing.B, name string) time.Time {
	b.Helper()
	return soon(b, "the script is done", func() bool {
		_, err := os.Stat(filepath.Join(o.out, "done-"+name))
		return err == nil
	})
}

func startInotifywait(b *testing.B, w *bed.World) *onClose {
	b.Helper()
	o, login, script := newOnClose(b, w, "script")
	o.wire = login.MustWire()
	watch := exec.Command("sh", "-c", `inotifywait -m -q -e close_write --format %w%f "$1" | while read -r f; do "$2" "$3" "$f"; done`, "sh", w.Dir+"/home-script", script, o.out)
	startPeer(b, watch)
	soon(b, "inotifywait watches", func() bool {
		watches, err := exec.Command("sh", "-c", fmt.Sprintf("cat /proc/%d/task/*/children | xargs -n1 sh -c 'cat /proc/$0/fdinfo/* 2>/dev/null' | grep -c inotify", watch.Process.Pid)).Output()
		return err == nil && strings.TrimSpace(string(watches)) != "0"
	})
	return o
}

func startProFTPD(b *testing.B, w *bed.World) *onClose {
	b.Helper()
	o, login, script := newOnClose(b, w, "proftpd")
	_, port, _ := strings.Cut(w.FreeAddr(), ":")
	sshd, err := os.ReadFile(w.Dir + "/sshd_config")
	if err != nil {
		b.Fatal(err)
	}
	key := regexp.MustCompile(`(?m)^HostKey (.*)$`).FindSubmatch(sshd)[1]
	config := w.Local("proftpd.conf", fmt.Appendf(nil, `ModulePath /usr/lib/proftpd
LoadModule mod_sftp.c
LoadModule mod_exec.c
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
UseIPv6 off
Port %[1]s
User nobody
Group nogroup
RequireValidShell off
UseFtpUsers off
AuthOrder mod_auth_unix.c
PidFile %[2]s/proftpd.pid
ScoreboardFile %[2]s/proftpd.scoreboard
DelayTable none
SystemLog %[2]s/proftpd.log
SFTPEngine on
SFTPHostKey %[3]s
SFTPAuthMethods password
SFTPLog %[2]s/proftpd-sftp.log
ExecEngine on
ExecLog %[2]s/proftpd-exec.log
ExecOnCommand STOR %[4]s %[5]s %%f
`, port, w.Dir, key, script, o.out))
	cmd := exec.Command("proftpd", "--nodaemon", "--quiet", "--config", config)
	startPeer(b, cmd)
	var n int
	_, err = fmt.Sscan(port, &n)
	if err != nil {
		b.Fatal(err)
	}
	login = login.Via(&bed.Line{Port: n})
	soon(b, "proftpd answers", func() bool {
		o.wire, err = login.Wire()
		return err == nil
	})
	return o
}

func startPeer(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); _ = cmd.Wait() })
}

// BenchmarkSlowWriters is what picdayd costs while ten clients upload slowly, a packet each
// 30 or each 300 ms.
func BenchmarkSlowWriters(b *testing.B) {
	for _, pause := range []time.Duration{30 * time.Millisecond, 300 * time.Millisecond} {
		b.Run(pause.String(), func(b *testing.B) {
			w := bed.New(b, bed.Options{Settle: time.Second})
			w.MustPicday("init")
			u := w.AddAccount("studio", "jobs")
			w.MustPicday("job", "add", u.Name, "job")
			d := w.StartDaemon()
			if err := os.MkdirAll(filepath.Join(u.Dir(), "job/album"), 0o777); err != nil {
				b.Fatal(err)
			}
			const clients, window = 10, 10 * time.Second
			var cpu []float64
			for b.Loop() {
				var files []*os.File
				for i := range clients {
					f, err := os.Create(filepath.Join(u.Dir(), fmt.Sprintf("job/album/%d.jpg", i)))
					if err != nil {
						b.Fatal(err)
					}
					files = append(files, f)
				}
				before := cpuSeconds(b, d.Pid())
				for begin, n := time.Now(), 0; time.Since(begin) < window; n++ {
					if _, err := files[n%clients].WriteString("some bytes"); err != nil {
						b.Fatal(err)
					}
					time.Sleep(pause / clients)
				}
				cpu = append(cpu, cpuSeconds(b, d.Pid())-before)
				for _, f := range files {
					f.Close()
				}
			}
			b.ReportMetric(100*median(cpu)/window.Seconds(), "cpu-percent")
			b.ReportMetric(0, "ns/op")
		})
	}
}
