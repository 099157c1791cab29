package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"picday/store"
)

func TestAnAddressThatIsTaken(t *testing.T) {
	b := newBed(t)
	addr := strings.TrimPrefix(b.serve(), "http://")
	for bad, want := range map[string]string{
		addr: "another program listens there", "192.0.2.1:80": "this machine does not have that address", "8480": "cannot listen there",
	} {
		if _, err := New("web.public", bad, nil, b.pub, zerolog.Nop()); err == nil || !strings.HasPrefix(err.Error(), `web.public = "`+bad+`": `+want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A 404 takes the same time whatever the reason. (The bubble's clock stands
// still while anything is done, so this is exact.)
func TestTheSameTime(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	b.put("13", "Bob")
	link, dead := b.link("12"), b.link("13")
	b.withdraw("13")
	synctest.Test(t, func(t *testing.T) {
		for _, path := range []string{"/" + dead + ".jpg", "/" + strings.Repeat("0", 56) + ".jpg", "/" + link + "/huge.jpg", "/x", "/"} {
			began := time.Now()
			if w := b.ask("GET", path); w.Code != http.StatusNotFound || time.Since(began) != notFoundAfter {
				t.Errorf("%s: %d after %v", path, w.Code, time.Since(began))
			}
		}
	})
}

// A slow client gets all of its answer; one that has stopped reading is left.
func TestSlowAndStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		c := &conn{Conn: ours}
		all := bytes.Repeat([]byte("x"), 20*piece)
		go func() {
			for range 20 {
				time.Sleep(stall / 2)
				_, _ = io.CopyN(io.Discard, theirs, piece)
			}
		}()
		began := time.Now()
		if n, err := c.Write(all); n != len(all) || err != nil {
			t.Errorf("slow: %d bytes, %v after %v", n, err, time.Since(began))
		}
		if took := time.Since(began); took < 5*stall {
			t.Errorf("took %v only: not what was to be tested", took)
		}
		began = time.Now()
		if _, err := c.Write(all); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > stall {
			t.Errorf("stopped: %v after %v", err, time.Since(began))
		}
		theirs.Close()
	})
}

// What is being sent when picdayd is told to stop is sent.
func TestStopFinishesAnswers(t *testing.T) {
	b := newBed(t)
	content := strings.Repeat("large enough to fill the kernel's buffers ", 1<<12)
	b.put("12", content)
	server, err := New("web.public", "127.0.0.1:0", nil, b.pub, zerolog.Nop())
	b.must(err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	c, err := net.Dial("tcp", server.Addr())
	b.must(err)
	defer c.Close()
	idle, err := net.Dial("tcp", server.Addr()) // and who asks nothing holds up nobody
	b.must(err)
	defer idle.Close()
	_, err = io.WriteString(c, "GET /"+b.link("12")+".jpg HTTP/1.1\r\nHost: x\r\n\r\n")
	b.must(err)
	first := make([]byte, 1000)
	_, err = io.ReadFull(c, first)
	b.must(err)
	stop()
	rest, err := io.ReadAll(c)
	b.must(err)
	_, body, _ := bytes.Cut(append(first, rest...), []byte("\r\n\r\n"))
	if !bytes.Equal(body, rendered("large", content)) {
		t.Errorf("%d bytes", len(body))
	}
	b.must(<-ended)
	if _, err := net.Dial("tcp", server.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v", err)
	}
}

// A picture that is missing on disk is our fault, and said to be so; it is not
// a 404, which would say that it was withdrawn.
func TestAMissingFile(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	pub, err := b.pub.Pictures.Published(b.link("12"), "thumb")
	b.must(err)
	b.must(b.s.Files().Remove(pub.Name))
	url := b.serve()
	if status := get(t, url+"/"+b.link("12")+"/thumb.jpg"); status != http.StatusInternalServerError || !strings.Contains(b.log.String(), "cannot be served") {
		t.Errorf("%d\n%s", status, b.log.String())
	}
}

// Half a picture is not shown: neither one that was cut off on disk, nor after
// it was made anew the one that was.
func TestADamagedFile(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	url := b.serve()
	for _, rendition := range []string{"large", "thumb"} {
		pub, err := b.pub.Pictures.Published(b.link("12"), rendition)
		b.must(err)
		whole, err := os.ReadFile(b.s.Files().Path(pub.Name))
		b.must(err)
		b.must(os.Chmod(b.s.Files().Path(pub.Name), 0o640))
		rotten := slices.Clone(whole)
		rotten[len(rotten)/2] ^= 1
		for _, damaged := range [][]byte{whole[:len(whole)/2], {}, append(slices.Clone(whole), 'x'), rotten} {
			b.must(os.WriteFile(b.s.Files().Path(pub.Name), damaged, 0o640))
			for _, header := range []string{"", "Range: bytes=0-3\r\n"} {
				answer := talk(t, strings.TrimPrefix(url, "http://"), "GET /"+b.link("12")+"/"+rendition+".jpg HTTP/1.1\r\nHost: x\r\n"+header+"\r\n")
				if !strings.HasPrefix(answer, "HTTP/1.1 500 ") || !strings.Contains(b.log.String(), "picday verify") {
					t.Errorf("%s, %d bytes of %d: %.60q\n%s", rendition, len(damaged), len(whole), answer, b.log.String())
				}
			}
		}
		b.must(os.WriteFile(b.s.Files().Path(pub.Name), whole, 0o640))
		if status := get(t, url+"/"+b.link("12")+"/"+rendition+".jpg"); status != http.StatusOK {
			t.Errorf("%s, whole again: %d", rendition, status)
		}
	}
}

type panics struct{ Pictures }

func (p panics) Published(link, rendition string) (store.Published, error) {
	if rendition == "panic" {
		panic("at the disco")
	}
	return p.Pictures.Published(link, rendition)
}

// A panic breaks one connection, and says where.
func TestAPanic(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	b.pub.Pictures = panics{b.pub.Pictures}
	url := b.serve()
	for _, method := range []string{"GET", "HEAD"} {
		r, err := http.NewRequest(method, url+"/"+b.link("12")+"/panic.jpg", nil)
		b.must(err)
		if res, err := http.DefaultClient.Do(r); err == nil {
			res.Body.Close()
			t.Errorf("%s: %s", method, res.Status)
		}
	}
	if status := get(t, url+"/"+b.link("12")+".jpg"); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
	if n := strings.Count(b.log.String(), "at the disco"); n < 2 || !strings.Contains(b.log.String(), `"level":"error"`) {
		t.Errorf("%d times in the log:\n%s", n, b.log.String())
	}
}

func TestHealth(t *testing.T) {
	b := newBed(t)
	var unwell error
	b.pub.Healthy = func() error { return unwell }
	if w := b.ask("GET", "/healthz"); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	unwell = errors.New("disk-full")
	if w := b.ask("GET", "/healthz"); w.Code != http.StatusServiceUnavailable || w.Body.String() != "not proven alive: disk-full\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := b.ask("POST", "/healthz"); w.Code != http.StatusNotFound {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
