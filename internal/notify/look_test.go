package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/layout"
	"picday/internal/test/receivers"
	"picday/store"
)

func (w *world) expect(what string, want ...string) {
	w.Helper()
	w.look()
	got := w.events()
	if len(got) != len(want) {
		w.Fatalf("%s: %q, want %q", what, got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			w.Errorf("%s: %q, want %q", what, got[i], want[i])
		}
	}
}

func none(string, *config.Config) {}

// A job, and an account of portraits, is told once nothing has come in for the quiet time,
// and not while files of the account still wait.
func TestAQuietJobIsTold(t *testing.T) {
	w := newWorld(t, none)
	for _, path := range []string{"acme/job1/A/1.jpg", "acme/job1/A/2.jpg", "lincoln/lincoln/user-pictures/12.jpg"} {
		w.Write(path, path)
		w.Publish(path)
	}
	w.Write("acme/job1/A/3.jpg", "no photo")
	w.Problem("acme/job1/A/3.jpg", layout.NotJPEG, 0)
	w.expect("at once")
	w.now = w.now.Add(11 * time.Minute)
	w.backlog["acme"] = Backlog{Files: 3, Uploading: 2}
	w.expect("acme still uploads", "upload.quiet: lincoln is quiet: 1 photo, 0 problems")
	w.backlog["acme"] = Backlog{}
	w.expect("all is there", "upload.quiet: lincoln", "upload.quiet: job1 of acme is quiet: 2 photos, 1 problem")
	w.now = w.now.Add(time.Hour)
	w.expect("only once", "upload.quiet: lincoln", "upload.quiet: job1 of acme")
	w.Write("acme/job2/A/4.jpg", "four")
	w.Publish("acme/job2/A/4.jpg")
	w.backlog["acme"] = Backlog{Files: 1, Uploading: 1}
	w.now = w.now.Add(59 * time.Minute) // of the real clock, at which it came, two hours
	w.expect("what nobody finishes hides nothing", "upload.quiet", "upload.quiet", "upload.quiet: job2 of acme is quiet: 1 photo, 0 problems; 1 file of the account still arrive")
}

// Problems are told when they are old, those of an account together and at most once a day.
func TestOldProblemsAreToldTogether(t *testing.T) {
	w := newWorld(t, none)
	problem := func(name string) {
		w.Write("acme/job1/A/"+name, "x")
		w.Problem("acme/job1/A/"+name, layout.NotJPEG, 0)
	}
	problem("1.jpg")
	problem("2.jpg")
	quiet := "upload.quiet: job1 of acme is quiet: 0 photos, 2 problems"
	w.now = w.now.Add(time.Hour)
	w.expect("young", quiet)
	w.now = w.now.Add(24 * time.Hour)
	old := "problems.old: 2 problems of acme have been there for more than 24h"
	w.expect("old", quiet, old)
	w.now = w.now.Add(40 * 24 * time.Hour)
	w.expect("not again", quiet, old)
}

// Ten thousand problems are one message, by mail and by webhook.
func TestAFloodOfProblemsIsOneMessage(t *testing.T) {
	var m *receivers.Mail
	var r *receivers.Webhook
	w := newWorld(t, func(dir string, c *config.Config) {
		m, r = receivers.NewMail(t, dir), receivers.NewWebhook(t, dir, "shop")
		c.Mail, c.Webhooks = m.Config, []config.Webhook{r.Config}
	})
	w.operator("eva", store.Operator{})
	flood := 3000
	if os.Getenv("PICDAY_TORTURE") != "" {
		flood = 10_000
	}
	for i := range flood {
		path := fmt.Sprintf("acme/job1/A/%d.jpg", i)
		if i%500 == 0 {
			w.look()
		}
		w.Write(path, "x")
		w.Problem(path, layout.NotJPEG, 0)
	}
	w.now = w.now.Add(15 * time.Minute)
	w.look()
	w.run(w.now.Add(time.Hour))
	if got := m.Messages(); len(got) != 1 || !strings.Contains(got[0].Text, fmt.Sprintf("%d problems", flood)) {
		t.Errorf("%d messages: %q", len(got), got)
	}
	if got := r.Accepted(); len(got) != 1 {
		t.Errorf("%q", got)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.look()
	w.run(w.now.Add(time.Hour))
	if got := m.Messages(); len(got) != 2 || !strings.Contains(got[1].Text, "1000 problems or more of acme") {
		t.Errorf("%d messages: %q", len(got), got)
	}
}

// operator adds one with an address, who gets mail about some accounts.
func (w *world) operator(name string, o store.Operator, about ...int64) {
	w.Helper()
	o.Name = name
	w.Update(func(tx *store.Tx) error {
		return errors.Join(tx.AddOperator(o, "no hash"), tx.SetMailbox(name, name+"@example.org", about))
	})
}

// Files that wait although nothing is taken in are told after an hour, again after a day,
// and when it is over. What is still being uploaded does not count.
func TestFilesThatWaitAreTold(t *testing.T) {
	w := newWorld(t, none)
	w.backlog["acme"] = Backlog{Files: 5, Uploading: 5}
	for range 30 {
		w.now = w.now.Add(10 * time.Minute)
		w.expect("uploading")
	}
	w.backlog["acme"] = Backlog{Files: 5, Uploading: 3}
	for range 12 {
		w.now = w.now.Add(10 * time.Minute)
		w.n.TakenIn("acme")
		w.expect("others of it are taken in")
	}
	w.now = w.now.Add(61 * time.Minute)
	long := "waiting.long: 2 files of acme have waited since "
	w.expect("an hour", long)
	w.start(w.n.Config)
	w.now = w.now.Add(2 * time.Hour)
	w.expect("not again after a restart", long)
	w.now = w.now.Add(23 * time.Hour)
	w.expect("a day later", long, long)
	w.n.TakenIn("acme")
	w.backlog["acme"] = Backlog{}
	w.expect("over", long, long, "waiting.over: files of acme are taken in again")
}

// A disk below the floor is told once, again after a day, and when it has room again.
func TestALowDiskIsTold(t *testing.T) {
	w := newWorld(t, none)
	w.expect("room")
	w.free = 4_999_000_000
	low := "disk.low: the disk of uploads (/srv) has 5.0 GB free, less than 5.0 GB"
	w.expect("low", low)
	w.now = w.now.Add(time.Hour)
	w.start(w.n.Config)
	w.free = 5_100_000_000 // not far above
	w.expect("still", low)
	w.free = 1
	w.now = w.now.Add(24 * time.Hour)
	w.expect("a day later", low, "disk.low")
	w.free = 6_000_000_000
	w.expect("room again", low, "disk.low", "disk.enough: the disk of uploads (/srv) has 6.0 GB free, again more than 5.0 GB")
}

// That picdayd is not proven to work is told without the catalogue if it cannot be
// written, each receiver once, and what could not be noted is noted later.
func TestAFailingCatalogueIsToldWithoutIt(t *testing.T) {
	for _, writable := range []bool{true, false} {
		t.Run(fmt.Sprint("writable ", writable), func(t *testing.T) {
			var m *receivers.Mail
			var r, ill *receivers.Webhook
			w := newWorld(t, func(dir string, c *config.Config) {
				m, r, ill = receivers.NewMail(t, dir), receivers.NewWebhook(t, dir, "shop"), receivers.NewWebhook(t, dir, "ill")
				c.Mail, c.Webhooks = m.Config, []config.Webhook{r.Config, ill.Config}
			})
			w.operator("eva", store.Operator{})
			w.operator("otto", store.Operator{AccountID: w.Acme.ID})
			w.operator("nora", store.Operator{}, w.Acme.ID)
			w.look()
			ill.Become("500")
			if !writable {
				w.broken = errors.New("disk I/O error")
			}
			w.failing = errors.New("the catalogue: disk I/O error")
			var s *silence
			watch := func(d time.Duration) {
				t.Helper()
				w.now = w.now.Add(d)
				var err error
				if s, err = w.n.Watch(t.Context(), s, w.now); err != nil {
					t.Error(err)
				}
				if w.broken == nil {
					w.run(w.now)
				}
			}
			watch(time.Minute)
			if len(r.Accepted()) != 0 {
				t.Error("told too early")
			}
			for range 10 {
				watch(time.Minute)
			}
			if got := r.Accepted(); len(got) != 1 || !strings.Contains(got[0], "has not been proven to work since ") || !strings.HasSuffix(got[0], "disk I/O error") {
				t.Errorf("%q", got)
			}
			if got := m.Messages(); len(got) != 1 || got[0].To != "eva@example.org" {
				t.Errorf("%+v", got)
			}
			if ill.Tries() < 3 || ill.Tries() > 8 {
				t.Errorf("%d tries", ill.Tries())
			}
			ill.Become("")
			w.broken, w.failing = nil, nil
			w.proven = w.now
			watch(time.Second)
			w.run(w.now.Add(2 * time.Hour))
			for _, x := range []*receivers.Webhook{r, ill} {
				if got := x.Accepted(); len(got) != 2 || !strings.HasSuffix(got[1], "is proven to work again") {
					t.Errorf("%q", got)
				}
				x.Once()
			}
			if got := m.Messages(); len(got) != 2 {
				t.Errorf("%+v", got)
			}
			if all := w.events(); len(all) != 2 {
				t.Errorf("%q", all)
			}
		})
	}
}

// A long time without picdayd is told when it is back.
func TestALongTimeWithoutPicdaydIsTold(t *testing.T) {
	w := newWorld(t, none)
	for want, gap := range []time.Duration{time.Minute, 90 * time.Minute} {
		w.n.LastProven = w.now.Add(-gap)
		w.Must(w.n.begin(t.Context()))
		if n := len(w.events()); n != want {
			t.Errorf("%v: %d events", gap, n)
		}
	}
}

// Mail is per operator and account: one message in five minutes, with all that happened.
func TestMailIsOneMessageForEachOperatorAndAccount(t *testing.T) {
	var m *receivers.Mail
	w := newWorld(t, func(dir string, c *config.Config) {
		m = receivers.NewMail(t, dir)
		c.Mail = m.Config
	})
	w.operator("eva", store.Operator{})
	w.operator("otto", store.Operator{AccountID: w.Acme.ID})
	w.operator("nora", store.Operator{}, w.Lincoln.ID)
	for i := range 60 {
		w.tell(w.Acme, fmt.Sprint("Bücher ", i))
	}
	w.tell(w.Lincoln, "school")
	w.tell(store.Account{}, "machine")
	w.run(w.now)
	var to []string
	for _, msg := range m.Messages() {
		to = append(to, msg.To)
		if msg.To == "otto@example.org" && (!strings.Contains(msg.Text, "Subject: [picday] acme: 60 events") || !strings.Contains(msg.Text, "and 10 more, the last: B") ||
			!strings.Contains(msg.Text, "Auto-Submitted: auto-generated") || !strings.Contains(msg.Text, "B=C3=BCcher 1")) {
			t.Errorf("%s", msg.Text)
		}
	}
	if want := []string{"eva@example.org", "eva@example.org", "eva@example.org", "nora@example.org", "otto@example.org"}; !slices.Equal(sorted(to), want) {
		t.Errorf("%q", to)
	}
	// More of it waits, and a server that refuses is tried again.
	n := len(to)
	w.tell(w.Lincoln, "one")
	w.run(w.now.Add(4 * time.Minute))
	if got := m.Messages(); len(got) != n {
		t.Errorf("%d messages too early", len(got)-n)
	}
	m.Refuse(errors.New("try later"))
	w.tell(w.Lincoln, "two")
	w.run(w.now.Add(time.Hour))
	m.Refuse(nil)
	w.run(w.now.Add(2 * time.Hour))
	if got := m.Messages(); len(got) != n+2 || !strings.Contains(got[n].Text, "lincoln: 2 events") {
		t.Errorf("%+v", got[n:])
	}
	// Who is no longer to know is not told what waits already.
	w.tell(w.Lincoln, "three")
	w.Update(func(tx *store.Tx) error { return tx.SetMailbox("nora", "", nil) })
	w.run(w.now.Add(time.Hour))
	if got := m.Messages(); len(got) != n+3 || got[n+2].To != "eva@example.org" {
		t.Errorf("%+v", got[n+2:])
	}
	// A certificate that is not the server's.
	other := receivers.NewMail(t, t.TempDir())
	w.n.Config.Mail.CAFile = other.Config.CAFile
	w.start(w.n.Config)
	w.tell(w.Lincoln, "four")
	w.run(w.now.Add(time.Hour))
	lanes, err := w.Store.FailingLanes(t.Context())
	if err != nil || len(lanes) != 1 || !strings.Contains(lanes[0].Error, "certificate") || len(m.Messages()) != n+3 {
		t.Errorf("%+v %v", lanes, err)
	}
}

// A secret that others may read, or that is none, is not used.
func TestSecretsAreLookedAt(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	for text, want := range map[string]string{
		secret + "\n":                        "",
		"\n" + secret + "\n" + secret + "\n": "",
		"":                                   "0 secrets",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n": "no secret",
		"whsec_short\n":                      "no secret",
		"whsec_c2hvcnQ=\n":                   "no secret",
		strings.Repeat("x", 5000):            "longer than",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readKeys(path); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := errors.Join(os.WriteFile(path, []byte(secret), 0o600), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	if _, err := readKeys(path); err == nil || !strings.Contains(err.Error(), "chmod 0600") {
		t.Error(err)
	}
	if _, err := readKeys(dir); err == nil {
		t.Error("a directory is read")
	}
}
