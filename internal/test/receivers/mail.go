package receivers

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"picday/internal/config"
)

// Mail is an SMTP server on localhost.
type Mail struct {
	Config config.Mail // with which it is reached

	mu       sync.Mutex
	refuse   error
	messages []Message
}

// A Message is one that it has taken.
type Message struct{ To, Text string }

// NewMail starts one. Its password and its certificate are put into dir.
func NewMail(t testing.TB, dir string) *Mail {
	m := &Mail{Config: config.Default().Mail}
	cert := certificate(t, "localhost")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(m)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.Domain, s.AllowInsecureAuth = "localhost", false
	s.ErrorLog = log.New(io.Discard, "", 0)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	m.Config.Server, m.Config.User, m.Config.From = "localhost:"+port, "picday", "picday@example.org"
	m.Config.CAFile, m.Config.PasswordFile = filepath.Join(dir, "mail.pem"), filepath.Join(dir, "mail.password")
	write(t, m.Config.CAFile, authority(cert.Certificate[0]), 0o644)
	write(t, m.Config.PasswordFile, []byte("sesame\n"), 0o600)
	return m
}

// Messages lists what it has taken.
func (m *Mail) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.messages)
}

// Refuse makes it refuse all mail, or (nil) no longer.
func (m *Mail) Refuse(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = why
}

// NewSession implements smtp.Backend.
func (m *Mail) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: m, conn: c}, nil
}

type session struct {
	server *Mail
	conn   *smtp.Conn
	known  bool
	to     string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if _, encrypted := s.conn.TLSConnectionState(); !encrypted || user != "picday" || password != "sesame" {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return s.server.refuse
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.messages = append(s.server.messages, Message{s.to, string(text)})
	return err
}

func (*session) Reset() {}

func (*session) Logout() error { return nil }
