package notify

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/test/receivers"
	"picday/store"
)

// doctor finds what would keep an event from arriving, and delivers nothing.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	var m *receivers.Mail
	var r *receivers.Webhook
	w := newWorld(t, func(dir string, c *config.Config) {
		m, r = receivers.NewMail(t, dir), receivers.NewWebhook(t, dir, "shop")
		c.Mail, c.Webhooks = m.Config, []config.Webhook{r.Config}
	})
	wrong := func(change func(*config.Config)) (all string) {
		c := w.n.Config
		c.Webhooks = append([]config.Webhook(nil), c.Webhooks...)
		change(&c)
		for _, f := range Check(t.Context(), c, w.Store) {
			if f.Err != nil {
				all += f.Check + ": " + f.Err.Error() + "\n"
				if f.Fix == "" {
					t.Errorf("%+v says not what to do", f)
				}
			}
		}
		return all
	}
	same := func(*config.Config) {}
	if got := wrong(same); !strings.HasPrefix(got, "mail: a mail server is configured, and no operator") || strings.Count(got, "\n") != 1 {
		t.Error(got)
	}
	w.operator("eva", store.Operator{})
	if got := wrong(same); got != "" {
		t.Error(got)
	}
	for want, change := range map[string]func(*config.Config){
		"mail: eva has an address":    func(c *config.Config) { c.Mail.Server = "" },
		"mail server: dial tcp":       func(c *config.Config) { c.Mail.Server = "localhost:1" },
		"failed to verify":            func(c *config.Config) { c.Mail.CAFile = r.Config.CAFile },
		"webhook shop: open /none":    func(c *config.Config) { c.Webhooks[0].SecretFile = "/none" },
		"webhook shop: /dev/null has": func(c *config.Config) { c.Webhooks[0].CAFile = "/dev/null" },
		"webhook shop: tls: failed":   func(c *config.Config) { c.Webhooks[0].CAFile = m.Config.CAFile },
		"webhook shop: dial tcp":      func(c *config.Config) { c.Webhooks[0].URL = "https://127.0.0.1:1/" },
		"no such host":                func(c *config.Config) { c.Webhooks[0].URL = "https://shop.invalid/" },
	} {
		if got := wrong(change); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if err := os.Chmod(r.Config.SecretFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := wrong(same); !strings.Contains(got, "chmod 0600") {
		t.Error(got)
	}
	if r.Tries() != 0 || len(m.Messages()) != 0 {
		t.Error("something was delivered")
	}
}

// The sandbox is opened for what the configuration names and the name servers, and for
// nothing on this machine.
func TestSandbox(t *testing.T) {
	c := config.Default()
	c.Mail.Server = "mail.example:587"
	c.Webhooks = []config.Webhook{{Name: "here", URL: "http://127.0.0.1:8000/"}, {Name: "shop", URL: "https://192.0.2.7/x"}}
	ask := func(_ context.Context, host string) ([]netip.Addr, error) {
		if host != "mail.example" {
			return nil, errors.New("no such host")
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, nil
	}
	conf := []byte("# x\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch example\n")
	all, err := destinations(t.Context(), c, ask, conf)
	if err != nil {
		t.Fatal(err)
	}
	want := `# From 'picday events sandbox': where picdayd may connect to, besides this machine.
[Service]
# mail.server: mail.example
IPAddressAllow=192.0.2.1 2001:db8::1
# webhook shop: 192.0.2.7
IPAddressAllow=192.0.2.7
# name server: 192.0.2.53
IPAddressAllow=192.0.2.53
`
	if got := sandbox(all); got != want {
		t.Errorf("%s", got)
	}
	const everything, local = "::/0 0.0.0.0/0", "127.0.0.0/8 ::1/128"
	for allow, n := range map[string]int{local: 3, local + " 192.0.2.1/32 192.0.2.7/32": 1, everything: 0, local + " 192.0.2.0/24": 0} {
		if out := blocked(all, everything, allow); len(out) != n {
			t.Errorf("%s: %+v", allow, out)
		}
	}
	if out := blocked(all, "", ""); len(out) != 0 {
		t.Errorf("%+v", out)
	}
	if _, err := destinations(t.Context(), c, func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }, nil); err == nil {
		t.Error("a name without an address is no error")
	}
	c.Mail.Server, c.Webhooks = "", c.Webhooks[:1]
	if text, err := Sandbox(t.Context(), c); text != "" || err != nil {
		t.Error(text, err)
	}
}

// A test event says who has it, and why not.
func TestATestEventSaysWhoHasIt(t *testing.T) {
	var r, ill *receivers.Webhook
	w := newWorld(t, func(dir string, c *config.Config) {
		r, ill = receivers.NewWebhook(t, dir, "shop"), receivers.NewWebhook(t, dir, "ill")
		c.Webhooks = []config.Webhook{r.Config, ill.Config}
	})
	ill.Become("500")
	none := w.n.Config
	none.Webhooks = nil
	e, err := SendTest(t.Context(), none, w.Store, store.Account{})
	if err != nil || Judge(e) == nil || !strings.HasPrefix(Judge(e).Error(), "nobody is to be told") {
		t.Errorf("%+v %v", e, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	w.n.Now = time.Now
	done := make(chan error, 1)
	go func() { done <- w.n.Run(ctx) }()
	e, err = SendTest(t.Context(), w.n.Config, w.Store, w.Acme)
	stop()
	if err != nil || len(e.Deliveries) != 2 || e.Deliveries[1].State != "delivered" || !strings.HasPrefix(Judge(e).Error(), "1 of 2 receivers") {
		t.Errorf("%+v %v", e, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	all, err := List(t.Context(), w.Store, "acme", true)
	if err != nil || len(all) != 1 || all[0].ID != e.ID || !strings.Contains(all[0].Deliveries[0].Error, "500") {
		t.Errorf("%+v %v", all, err)
	}
	if n, err := Retry(t.Context(), w.Store, []string{e.ID}); err != nil || n != 1 {
		t.Error(n, err)
	}
	if _, err := Retry(t.Context(), w.Store, []string{"evt_unknown"}); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
