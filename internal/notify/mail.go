package notify

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"picday/internal/config"
	"picday/internal/language"
	"picday/internal/localtime"
	"picday/store"
)

// mailer sends notices by SMTP, all in one message.
type mailer struct{ config.Mail }

const (
	mailTimeout = time.Minute // for a whole message
	mailLines   = 50          // notices that are listed in one message
)

func newMail(m config.Mail) *mailer { return &mailer{m} }

func (*mailer) maxNotices() int { return mostKept }

func (m *mailer) send(ctx context.Context, to mailbox, notices []store.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	msg, err := m.message(to, notices)
	if err != nil {
		return err
	}
	client, err := m.client()
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}

// client makes a client. The password is read each time: a new one needs no restart.
func (m *mailer) client() (*mail.Client, error) {
	host, portText, err := net.SplitHostPort(m.Server)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := tlsConfig(m.CAFile)
	if err != nil {
		return nil, err
	}
	tlsConfig.ServerName = host
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(mailTimeout), mail.WithTLSConfig(tlsConfig), mail.WithHELO(hostName())}
	switch m.TLS {
	case "tls":
		options = append(options, mail.WithSSL())
	case "starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default: // on this machine, see config
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.User != "" {
		password, err := readSecret(m.PasswordFile)
		if err != nil {
			return nil, err
		}
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.User), mail.WithPassword(strings.TrimRight(password, "\r\n")))
	}
	return mail.NewClient(host, options...)
}

func (m *mailer) message(to mailbox, notices []store.Notice) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(cmp.Or(m.From, "picday@"+hostName())); err != nil {
		return nil, fmt.Errorf("mail.from: %w", err)
	}
	if err := msg.To(to.address); err != nil {
		return nil, fmt.Errorf("the operator's address %q: %w", to.address, err)
	}
	w := language.In(to.language)
	first, last := notices[0], notices[len(notices)-1]
	subject := said(w, first)
	if len(notices) > 1 {
		subject = w.T("%s: %d events", cmp.Or(first.Account, hostName()), len(notices))
	}
	msg.Subject("[picday] " + subject)
	msg.SetDate()
	// The same at a repetition, for programs that show a message once.
	msg.SetMessageIDWithValue(first.Key + "." + last.Key + "@" + hostName())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no holiday replies
	var text strings.Builder
	for _, n := range notices[:min(len(notices), mailLines)] {
		fmt.Fprintf(&text, "%s  %s\n", localtime.Format(n.At), said(w, n))
	}
	if more := len(notices) - mailLines; more > 0 {
		text.WriteString(w.T("and %d more, the last: %s", more, said(w, last)) + "\n")
	}
	text.WriteString("\n-- \n" + w.T("picday on %s. The page Problems lists what cannot become a photo, and why.", hostName()) + "\n")
	msg.SetBodyString(mail.TypeTextPlain, text.String())
	return msg, nil
}
