// Package receivers has real receivers of events, for tests: an HTTPS server that verifies
// signatures, and an SMTP server with STARTTLS and log-in. Both can be told to misbehave.
package receivers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/config"
)

// Secret is what events are signed with.
const Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// A Webhook receives events by HTTPS on 127.0.0.1.
type Webhook struct {
	testing.TB
	Config config.Webhook // with which it is reached
	server *httptest.Server
	addr   string

	mu       sync.Mutex
	mode     string
	tries    int
	accepted []string // the account and the message of each
	ids      map[string]int
}

// NewWebhook starts one. Its secret and its certificate are put into dir.
func NewWebhook(t testing.TB, dir, name string) *Webhook {
	r := &Webhook{TB: t, ids: map[string]int{}}
	r.Config = config.Webhook{Name: name, SecretFile: filepath.Join(dir, name+".secret"), CAFile: filepath.Join(dir, name+".pem")}
	r.open("127.0.0.1:0")
	t.Cleanup(func() { r.server.Close() })
	r.Config.URL = "https://" + r.addr + "/events"
	write(t, r.Config.SecretFile, []byte(Secret+"\n"), 0o600)
	write(t, r.Config.CAFile, authority(r.server.Certificate().Raw), 0o644)
	return r
}

func (r *Webhook) open(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		r.Fatal(err)
	}
	r.server = httptest.NewUnstartedServer(r)
	r.server.Listener.Close()
	r.server.Listener = l
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
	if r.mode == "bad certificate" {
		r.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(r, "somebody.else.example")}}
	}
	r.server.StartTLS()
	r.addr = l.Addr().String()
}

// Become changes how it behaves: down, 500, redirect, slow, bad certificate, or well ("").
func (r *Webhook) Become(mode string) {
	r.mu.Lock()
	was := r.mode
	r.mode = mode
	r.mu.Unlock()
	again := []string{"down", "bad certificate"}
	if slices.Contains(again, was) || slices.Contains(again, mode) {
		r.server.Close()
		if mode != "down" {
			r.open(r.addr)
		}
	}
}

// ServeHTTP implements http.Handler.
func (r *Webhook) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	r.tries++
	mode := r.mode
	r.mu.Unlock()
	switch mode {
	case "500":
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "\x1b[31mno\n", strings.Repeat("x", 100_000))
	case "redirect":
		http.Redirect(w, req, "https://"+r.addr+"/elsewhere", http.StatusTemporaryRedirect)
	case "slow":
		<-req.Context().Done()
	default:
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil || !verify(req.Header, body, time.Now()) {
			r.Errorf("%s %v: the signature is wrong: %s", req.URL, req.Header, body)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var event struct {
			Type string
			Data struct{ Account, Message string }
		}
		if err := json.Unmarshal(body, &event); err != nil || event.Type == "" {
			r.Errorf("%v: %s", err, body)
		}
		r.ids[req.Header.Get("webhook-id")]++
		r.accepted = append(r.accepted, strings.TrimSpace(event.Data.Account+" "+event.Data.Message))
	}
}

// verify is what docs/notifications.md tells receivers to do.
func verify(h http.Header, body []byte, now time.Time) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(Secret, "whsec_"))
	sent, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("webhook-id"), h.Get("webhook-timestamp"), body)
	for signature := range strings.FieldsSeq(h.Get("webhook-signature")) {
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signature, "v1,"))
		if err == nil && hmac.Equal(sum, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

// Accepted lists the account and the message of each event that it has accepted.
func (r *Webhook) Accepted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.accepted)
}

// Tries counts the requests.
func (r *Webhook) Tries() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tries
}

// IDs counts the different ids among the events that it has accepted.
func (r *Webhook) IDs() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ids)
}

// Once fails the test if an event was accepted more than once.
func (r *Webhook) Once() {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, n := range r.ids {
		if n != 1 {
			r.Errorf("%s came %d times", id, n)
		}
	}
}

func write(t testing.TB, path string, text []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
}

func authority(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// certificate is one for a name, that nobody has signed.
func certificate(t testing.TB, name string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(240 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
