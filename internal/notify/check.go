package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"picday/internal/config"
	"picday/store"
)

// A Finding is the result of one check of the configuration.
type Finding struct {
	Check   string
	Message string
	Err     error // nil = it is as it should be
	Fix     string
}

const checkWithin = 15 * time.Second

// Check looks whether what the configuration says can work: files, certificates, log-in,
// the unit's sandbox. It connects to each receiver and delivers nothing.
func Check(ctx context.Context, c config.Config, s *store.Store) (all []Finding) {
	ctx, cancel := context.WithTimeout(ctx, 2*checkWithin)
	defer cancel()
	boxes, err := s.Mailboxes(ctx)
	if err != nil {
		all = append(all, Finding{Check: "mail", Err: err, Fix: "restore the catalogue from a backup"})
	}
	switch {
	case c.Mail.Server == "" && len(boxes) > 0:
		all = append(all, Finding{Check: "mail", Err: fmt.Errorf("%s has an address, and picday.toml names no mail server", boxes[0].Operator), Fix: "set server under [mail] in picday.toml, and systemctl restart picdayd"})
	case c.Mail.Server != "" && len(boxes) == 0:
		all = append(all, Finding{Check: "mail", Err: errors.New("a mail server is configured, and no operator has an address"), Fix: "picday operator email NAME ADDRESS"})
	}
	if c.Mail.Server != "" {
		all = append(all, Finding{"mail server", c.Mail.Server + " takes mail from picday", checkMail(ctx, c.Mail), "put right what [mail] says in picday.toml, then: picday events test"})
	}
	for _, w := range c.Webhooks {
		all = append(all, Finding{"webhook " + w.Name, "its secret, its address and its certificate are good", checkWebhook(ctx, w), "put right what [[webhook]] says in picday.toml, then: picday events test"})
	}
	return append(append(all, checkSandbox(ctx, c)...), checkTimer(ctx, c)...)
}

// checkTimer looks whether anything notices that picdayd does not run, where it runs as a
// unit and somebody is to be told.
func checkTimer(ctx context.Context, c config.Config) []Finding {
	const timer = "picday-watch.timer"
	if c.Mail.Server == "" && len(c.Webhooks) == 0 || unitProperty(ctx, "picdayd.service", "ActiveState") != "active" || unitProperty(ctx, timer, "ActiveState") == "active" {
		return nil
	}
	return []Finding{{Check: "watch", Err: errors.New("nobody is told if picdayd does not run, because " + timer + " is not active"), Fix: "systemctl enable --now " + timer}}
}

func checkMail(ctx context.Context, m config.Mail) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	client, err := newMail(m).client()
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	return client.Close()
}

func checkWebhook(ctx context.Context, w config.Webhook) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if _, err := readKeys(w.SecretFile); err != nil {
		return err
	}
	config, err := tlsConfig(w.CAFile)
	if err != nil {
		return err
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // net knows their numbers
	}
	var conn net.Conn
	if at := net.JoinHostPort(u.Hostname(), port); u.Scheme == "https" {
		conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", at)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", at)
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

// checkSandbox looks whether systemd lets picdayd connect, where it runs as a unit.
func checkSandbox(ctx context.Context, c config.Config) []Finding {
	const check = "sandbox for events"
	deny := unitProperty(ctx, "picdayd.service", "IPAddressDeny")
	if deny == "" || len(hosts(c)) == 0 {
		return nil
	}
	conf, _ := os.ReadFile("/etc/resolv.conf") // without it no name resolves, which is found above
	all, err := destinations(ctx, c, resolve, conf)
	if err != nil {
		return []Finding{{Check: check, Err: err, Fix: "look at the name in picday.toml"}}
	}
	var names []string
	for _, d := range blocked(all, deny, unitProperty(ctx, "picdayd.service", "IPAddressAllow")) {
		names = append(names, d.what+" ("+d.host+")")
	}
	if len(names) > 0 {
		return []Finding{{Check: check, Err: errors.New("picdayd's unit does not let it connect to " + strings.Join(names, ", ")), Fix: InstallSandbox}}
	}
	return []Finding{{Check: check, Message: "picdayd may connect to its receivers"}}
}
