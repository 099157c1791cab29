package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"picday/internal/config"
	"picday/internal/version"
	"picday/store"
)

// webhook posts notices, one at a time, by the Standard Webhooks scheme.
type webhook struct {
	config.Webhook
	timeout time.Duration // for the whole answer
}

const (
	webhookTimeout = 15 * time.Second
	maxAnswer      = 16 << 10 // bytes that are read of it
)

func newWebhook(w config.Webhook) *webhook { return &webhook{w, webhookTimeout} }

func (*webhook) maxNotices() int { return 1 }

// posted is the body of a request.
type posted struct {
	Type      string     `json:"type"`
	Timestamp time.Time  `json:"timestamp"`
	Data      postedData `json:"data"`
}

// postedData is the data of a notice, and what all have.
type postedData struct {
	Account string
	Message string
	More    json.RawMessage // an object
}

func (d postedData) MarshalJSON() ([]byte, error) {
	all := map[string]any{}
	if err := json.Unmarshal(d.More, &all); err != nil {
		return nil, err
	}
	if all["message"] = d.Message; d.Account != "" {
		all["account"] = d.Account
	}
	return json.Marshal(all)
}

// send does not follow redirects: whoever answers for the configured address must not
// send signed events elsewhere.
func (w *webhook) send(ctx context.Context, _ mailbox, notices []store.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	// Secret and authorities are read each time: a new one needs no restart.
	keys, err := readKeys(w.SecretFile)
	if err != nil {
		return err
	}
	tlsConfig, err := tlsConfig(w.CAFile)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		TLSClientConfig: tlsConfig, DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswer, ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, n := range notices {
		if err := w.post(ctx, client, keys, n); err != nil {
			return err
		}
	}
	return nil
}

func (w *webhook) post(ctx context.Context, client *http.Client, keys [][]byte, n store.Notice) error {
	body, err := json.Marshal(posted{n.Kind, n.At.UTC(), postedData{n.Account, n.Message, n.Data}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := time.Now() // of this attempt, which receivers compare with their clocks
	var signatures []string
	for _, key := range keys {
		hook, err := webhooks.NewWebhookRaw(key)
		if err != nil {
			return err
		}
		signature, err := hook.Sign(n.Key, now, body)
		if err != nil {
			return err
		}
		signatures = append(signatures, signature)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "picday/"+version.String())
	req.Header.Set("Webhook-Id", n.Key)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	res, err := client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode/100 == 2:
		return nil // it has it, however its answer ends
	case res.StatusCode/100 == 3:
		return fmt.Errorf("it answered %s, and redirects are not followed: configure the right url", res.Status)
	case err != nil:
		return fmt.Errorf("it answered %s: %w", res.Status, err)
	}
	return fmt.Errorf("it answered %s: %q", res.Status, brief(strings.ToValidUTF8(string(answer), "\uFFFD")))
}

// withoutURL leaves out the address, which may have a secret in it.
func withoutURL(err error) error {
	var u interface{ Unwrap() error }
	if errors.As(err, &u) && u.Unwrap() != nil {
		return u.Unwrap()
	}
	return err
}

// readKeys reads the secrets of a file: one in each line.
func readKeys(path string) (keys [][]byte, err error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		encoded, ours := strings.CutPrefix(line, "whsec_")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ours || err != nil || len(key) < 24 || len(key) > 64 {
			return nil, fmt.Errorf("%s has a line that is no secret: make one with: echo whsec_$(openssl rand -base64 32)", path)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) > 5 {
		return nil, fmt.Errorf("%s has %d secrets: give one, or the old and the new one", path, len(keys))
	}
	return keys, nil
}

// tlsConfig checks certificates by the authorities of a file, or by those of the system.
func tlsConfig(caFile string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return c, nil
	}
	pool, err := readAuthorities(caFile)
	c.RootCAs = pool
	return c, err
}
