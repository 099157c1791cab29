// Package web answers over HTTP: the public listener serves published
// pictures under their links, the administration listener everything for
// people and programs that have logged in.
//
// It promises two things. Clients can use only a bounded amount of memory and file
// descriptors, whatever they ask and however slowly. And a request that comes in after the
// commit that withdrew a picture does not get it.
//
// It speaks HTTP/1.1 and leaves TLS to a web server in front of it.
package web

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// Bounds for one client. A slow client is not cut off as long as it makes progress: see
// conn.go.
const (
	headTimeout = 10 * time.Second // to send a request's head
	readTimeout = 30 * time.Second // to send all of a request
	idleTimeout = 60 * time.Second // between two requests
	maxHead     = 8 << 10
	stopWithin  = 5 * time.Second // for answers under way when picdayd is told to stop
)

// A Server is one open listener: clients can connect from New on, Run answers them.
type Server struct {
	key      string
	listener *listener
	http     *http.Server
}

// New listens on the address of a configuration key, such as web.public.
// proxies are the networks of web servers in front of it.
func New(key, addr string, proxies []netip.Prefix, h http.Handler, log zerolog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s = %q: %s", key, addr, explain(err))
	}
	log = log.With().Str("listener", key).Logger()
	return newServer(key, newListener(l, maxConns, proxies, log), h, log), nil
}

func newServer(key string, l *listener, h http.Handler, log zerolog.Logger) *Server {
	server := &Server{key, l, &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            headTimeout,
		ReadTimeout:                  readTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHead,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     stdlog.New(errorLog{log}, "", 0),
		ConnState:                    func(c net.Conn, state http.ConnState) { c.(*conn).setState(state) },
	}}
	if endless, ok := h.(interface{ Stop() }); ok {
		server.http.RegisterOnShutdown(endless.Stop)
	}
	return server
}

// explain says why an address cannot be listened on, and what to do.
func explain(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there: stop it, or choose another port"
	case errors.Is(err, syscall.EACCES):
		return "only root may listen there: choose a port from 1024 on, and let nginx or Caddy have the low one"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "listen" {
		err = op.Err
	}
	return "cannot listen there: " + err.Error()
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Warning says what keeps the listener from answering everybody, "" if nothing.
func (s *Server) Warning() string {
	if !s.listener.wasFull() {
		return ""
	}
	return fmt.Sprintf("%s had no place for another connection lately: it has %d, of one address at most %d. The log names who came; web.proxies names web servers, which have no such share",
		s.key, s.listener.most, s.listener.share)
}

// Close gives the address back. Only for a Server that will not Run.
func (s *Server) Close() error { return s.listener.Close() }

// Run answers until ctx ends, then finishes the answers under way.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := s.http.Serve(s.listener)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
	group.Go(func() error {
		<-ctx.Done()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		if s.http.Shutdown(limited) != nil {
			s.http.Close()
		}
		return nil
	})
	return group.Wait()
}

// errorLog is where net/http logs. A panic in a handler is an error; that clients go away or
// send nonsense is normal, and logged at the level debug.
type errorLog struct{ zerolog.Logger }

func (l errorLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if strings.Contains(text, "panic serving") || strings.Contains(text, "Accept error") {
		l.Error().Msg(text)
	} else {
		l.Debug().Msg(text)
	}
	return len(line), nil
}
