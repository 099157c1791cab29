package roothelper

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/helper"
	"picday/store"
)

// hostileNames cannot be the name of an account or a log-in.
var hostileNames = []string{
	".", "..", "../acme", "/etc", "root/x", "a\nb", "a\x00b", "-acme", "--files", "ACME", "acme ", " acme", "ac:me", "ac,me", "$(id)", "`id`", "a;b", "a*", "ä", "\u202eemca", "picday", strings.Repeat("a", 40), strings.Repeat("a", 500), "\xff", "%s",
}

// later moves the clock by a minute, so that no request is one too many, and gives what makes
// a request of that time.
func (b *bed) later(n int) func(*helper.Request) {
	b.now = time.Unix(int64(61*n), 0)
	return func(r *helper.Request) { r.At += int64(61_000 * n) }
}

// No verb takes a name, a date, a network or an operator that cannot be one; nothing is done.
func TestNoVerbTakesAHostileName(t *testing.T) {
	b := newBed(t, allVerbs()...)
	takes := func(verb helper.Verb, verbs ...helper.Verb) bool {
		return strings.Contains(fmt.Sprint(verbs), string(verb))
	}
	for n, verb := range helper.Verbs {
		at := b.later(n)
		try := func(what, value string, change func(*helper.Request)) {
			t.Helper()
			_, err := b.ask(verb, "acme", example, at, change)
			b.refuses(fmt.Sprintf("%s, %s %.60q", verb, what, value), helper.Invalid, err)
		}
		for _, name := range append([]string{""}, hostileNames...) {
			try("account", name, func(r *helper.Request) { r.Account = name })
			if name != "" && takes(verb, helper.LoginAdd, helper.LoginUntil, helper.LoginRemove, helper.AccountPasswd, helper.AccountKey) {
				try("log-in", name, func(r *helper.Request) { r.Login = name })
			}
			if verb == helper.AccountAdd {
				try("layout", name, func(r *helper.Request) { r.Layout = name })
			}
		}
		for _, name := range []string{"", "a\nb", "a\x00b", strings.Repeat("o", 500)} {
			try("operator", name, func(r *helper.Request) { r.Operator = name })
		}
		if takes(verb, helper.AccountAdd, helper.AccountAllow) {
			for _, network := range []string{"0.0.0.0/99", "any", "$(id)", "192.0.2.1\nMatch all", "::1%eth0", "-1"} {
				try("network", network, func(r *helper.Request) { r.Allow = []string{network} })
			}
		}
		if takes(verb, helper.LoginAdd, helper.LoginUntil) {
			for _, day := range []string{"2099-01-02\n", "$(id)", "2099-01-02; id", "02.01.2099", "9999999-01-01", "Never"} {
				try("day", day, func(r *helper.Request) { r.Until = day })
			}
		}
		if verb == helper.JobRemove { // job.add: TestWhatIsNotDone
			for _, job := range []string{"", ".", "..", "a/b", "../lincoln", "x\x00y", "-rf", "x\ny", strings.Repeat("j", 101), " x", "\xff"} {
				var refused *helper.RefusalError
				if _, err := b.ask(verb, "acme", at, func(r *helper.Request) { r.Job = job }); !errors.As(err, &refused) || refused.Why != helper.Invalid && refused.Why != helper.NotFound || len(b.calls) > 0 {
					t.Errorf("the job %q: %v, %q", job, err, b.calls)
				}
			}
		}
		if verb == helper.TrashRestore {
			try("photo", "-1", func(r *helper.Request) { r.Photo = -1 })
		}
	}
	if all := b.activity(); len(all) > 0 {
		t.Errorf("activity of what was not done: %q", all)
	}
}

// Of every verb: what is too long, half or not complete in time is refused, the whole one
// is done, and once only.
func TestEveryVerbIsDoneOnceAndWhole(t *testing.T) {
	b := newBed(t, allVerbs()...)
	photos, err := b.s.All().Photos(t.Context(), store.PhotoQuery{Account: "acme"})
	must(t, err)
	must(t, b.s.Update(t.Context(), func(tx *store.Tx) error { return tx.WithdrawBy(photos[0].ID, "eve") }))
	var slow sync.WaitGroup
	defer slow.Wait()
	for _, verb := range helper.Verbs {
		r := helper.New(verb, "ann", "acme")
		if example(&r); verb == helper.TrashRestore {
			r.Photo = photos[0].ID
		}
		if verb.Part() == helper.Accounts {
			r.Password = password
		}
		text, err := json.Marshal(r)
		must(t, err)
		slow.Go(func() {
			if a := b.raw(verb.Part(), string(text[:len(text)-1]), true); a.Why != helper.Invalid || !strings.Contains(a.Sentence, "in time") {
				t.Errorf("%s, slowly: %+v", verb, a)
			}
		})
		for what, bad := range map[string]string{"half": string(text[:len(text)/2]), "too long": string(text) + strings.Repeat(" ", helper.MaxRequest), "twice": string(text) + string(text)} {
			if a := b.raw(verb.Part(), bad, false); a.Why != helper.Invalid {
				t.Errorf("%s, %s: %+v", verb, what, a)
			}
		}
		b.refuses(string(verb), helper.Invalid, &helper.RefusalError{Why: helper.Invalid, Sentence: "nothing was done"})
		if a := b.raw(verb.Part(), string(text), false); a.Why != "" {
			t.Errorf("%s: %+v", verb, a)
		}
		b.calls = nil
		if a := b.raw(verb.Part(), string(text), false); a.Why != helper.Invalid || len(b.calls) > 0 {
			t.Errorf("%s, replayed: %+v, %q", verb, a, b.calls)
		}
	}
}
