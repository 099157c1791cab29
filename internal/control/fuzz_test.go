package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzSocket: whatever is written to the socket, picdayd answers the next question.
func FuzzSocket(f *testing.F) {
	dir := f.TempDir()
	d := fake{rescans: make(chan string, 1), status: &Status{Version: "1"}}
	go func() {
		for range d.rescans {
		}
	}()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, dir, d) }()
	f.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			f.Error(err)
		}
		close(d.rescans)
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := Ask(ctx, dir); err == nil {
			break
		} else if !errors.Is(err, ErrNotRunning) && !errors.Is(err, os.ErrPermission) || time.Now().After(end) {
			f.Fatal(err)
		}
	}
	f.Add([]byte("GET /status HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("GET /looks?account=%ff&path=%00 HTTP/1.0\r\n\r\n"))
	f.Add([]byte("POST /rescan?wait=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999\r\n\r\naccount=b"))
	f.Add([]byte("GET /debug/pprof/heap HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, request []byte) {
		conn, err := net.Dial("unix", filepath.Join(dir, socketName))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = conn.Write(request)
		_ = conn.(*net.UnixConn).CloseWrite()
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			res.Body.Close()
		}
		if s, err := Ask(ctx, dir); err != nil || s.Version != "1" {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// FuzzAnswer: what somebody who has taken picdayd over answers is an error or a status that
// can be printed.
func FuzzAnswer(f *testing.F) {
	whole, err := json.Marshal(newAnswer(NewStatus()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"warnings":[{"text":1}]}`))
	f.Add([]byte(`{"in_progress":null,"since":"0000-00-00T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a answer
		if json.Unmarshal(body, &a) != nil {
			return
		}
		text, err := json.Marshal(newAnswer(a.status()))
		if err != nil {
			t.Fatal(err)
		}
		var again answer
		if err := json.Unmarshal(text, &again); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if more, err := json.Marshal(newAnswer(again.status())); err != nil || !bytes.Equal(more, text) {
			t.Errorf("%s\n%s, %v", text, more, err)
		}
	})
}
