package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/test/receivers"
)

// An observed machine: what picdayd and its configuration do is set by the test.
type outside struct {
	*testing.T
	o      Observer
	m      *receivers.Mail
	r      *receivers.Webhook
	now    time.Time
	wrong  error // of the configuration
	down   error
	teller control.Teller
}

func newOutside(t *testing.T) *outside {
	dir := t.TempDir()
	x := &outside{T: t, m: receivers.NewMail(t, dir), r: receivers.NewWebhook(t, dir, "shop"), now: time.Now().Add(-time.Hour)}
	x.teller = control.Teller{Since: x.now, Mailed: map[string]control.Mailbox{"eva": {Address: "eva@example.org", Language: "en"}}}
	x.o = Observer{
		Load: func() (config.Config, error) {
			c := config.Default()
			c.Mail, c.Webhooks = x.m.Config, []config.Webhook{x.r.Config}
			return c, x.wrong
		},
		Ask: func(_ context.Context, runDir string) (control.Teller, error) {
			if runDir != config.Default().RunDir {
				t.Errorf("asked in %q", runDir)
			}
			return x.teller, x.down
		},
		Dir: t.TempDir(), After: 2 * time.Minute, Boot: "one", Now: func() time.Time { return x.now }, Log: zerolog.Nop(),
	}
	return x
}

// check is one a minute later, and demands how many messages there are by mail and webhook.
func (x *outside) check(what string, mails, posts int) {
	x.Helper()
	x.now = x.now.Add(time.Minute)
	err := x.o.Check(x.Context())
	if m, r := x.m.Messages(), x.r.Accepted(); len(m) != mails || len(r) != posts {
		x.Errorf("%s: %d mails and %d posts, want %d and %d: %q %q, %v", what, len(m), len(r), mails, posts, m, r, err)
	}
}

// An outage is told once and its end once, by mail and by webhook, also if the configuration
// cannot be read meanwhile; a restart is none, and one start after the other is one.
func TestAnOutageIsToldFromOutside(t *testing.T) {
	x := newOutside(t)
	x.check("it runs", 0, 0)
	x.down = errors.New("picdayd is not running")
	x.check("a minute", 0, 0)
	x.down, x.teller.Since = nil, x.now
	x.check("restarted", 0, 0)
	x.check("and still there", 0, 0)

	x.down, x.wrong = errors.New("picdayd is not running"), errors.New("picday.toml: line 3: unknown key")
	for range 2 {
		x.check("soon", 0, 0)
	}
	began := x.now.Add(-time.Minute)
	for range 5 {
		x.check("dead", 1, 1)
	}
	for what, text := range map[string]string{"mail": x.m.Messages()[0].Text, "webhook": x.r.Accepted()[0]} {
		for _, want := range []string{"has not been proven to work since", "picdayd is not running", "line 3"} {
			if !strings.Contains(strings.ReplaceAll(text, "=\r\n", ""), want) {
				t.Errorf("%s says no %q: %s", what, want, text)
			}
		}
	}
	if s, err := readObserved(x.o.Dir); err != nil || !s.OutageSince.Equal(began) || !ToldByObserver(x.o.Dir) {
		t.Errorf("since %v, want %v: %v", s.OutageSince, began, err)
	}
	x.down, x.wrong, x.teller = nil, nil, control.Teller{Since: x.now} // knows nobody yet
	x.check("one start", 1, 1)
	x.check("back", 2, 2)
	for range 3 {
		x.check("still", 2, 2)
	}
	if ToldByObserver(x.o.Dir) {
		t.Error("told for ever")
	}
	for range 2 {
		x.teller.Since = x.now
		x.check("started again", 2, 2)
	}
	x.teller.Since = x.now
	x.check("and again", 3, 3)
}

// A receiver that takes nothing gets both notices later, in their order; others wait for
// nothing. What was before a boot of the machine is no outage, and damaged state is none.
func TestAnObserverTriesAgain(t *testing.T) {
	x := newOutside(t)
	x.check("it runs", 0, 0)
	x.r.Become("down")
	x.down = errors.New("no")
	x.check("", 0, 0)
	x.o.Boot = "two"
	x.now = x.now.Add(time.Hour)
	x.check("after a boot", 0, 0)
	x.check("", 0, 0)
	x.check("dead", 1, 0)
	x.check("still", 1, 0)
	x.down = nil
	x.check("back", 2, 0)
	x.r.Become("")
	for len(x.r.Accepted()) == 0 && x.now.Before(time.Now().Add(24*time.Hour)) {
		x.now = x.now.Add(10 * time.Minute)
		_ = x.o.Check(t.Context())
	}
	if got := x.r.Accepted(); len(got) != 2 || !strings.Contains(got[0], "not been proven") || !strings.Contains(got[1], "proven to work again") {
		t.Errorf("%q", got)
	}
	x.check("all is delivered", 2, 2)
	if s, err := readObserved(x.o.Dir); err != nil || len(s.Notices) > 0 || s.Outage {
		t.Errorf("%+v %v", s, err)
	}
	must(t, os.WriteFile(filepath.Join(x.o.Dir, observerFile), []byte("{\x00"), 0o600))
	x.check("damaged", 2, 2)
	if fi, err := os.Stat(filepath.Join(x.o.Dir, observerFile)); err != nil || fi.Size()%observerBlock != 0 {
		t.Errorf("%v %v", fi, err)
	}
}

// Where no new file can be made, as on a full disk, the state is written over the old one.
func TestAnObserverOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	must(t, observed{RunDir: "first", Mailed: map[string]control.Mailbox{"eva": {Address: strings.Repeat("e", 1000)}}}.write(dir))
	if os.Geteuid() == 0 {
		must(t, errors.Join(os.Chown(dir, 65534, 65534), os.Chown(filepath.Join(dir, observerFile), 65534, 65534), os.Chmod(filepath.Dir(dir), 0o755)))
	}
	must(t, os.Chmod(dir, 0o500))
	failed := make(chan error, 2)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the user it has
		if os.Geteuid() == 0 {
			_ = syscall.Setfsuid(65534)
		}
		failed <- os.WriteFile(filepath.Join(dir, "new"), nil, 0o600)
		failed <- observed{RunDir: "second"}.write(dir)
	}()
	if err := <-failed; err == nil {
		t.Error("this test cannot see: a new file can be made")
	}
	must(t, <-failed)
	if s, err := readObserved(dir); err != nil || s.RunDir != "second" || s.Mailed != nil {
		t.Errorf("%+v %v", s, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
