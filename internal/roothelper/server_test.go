package roothelper

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/helper"
	"picday/store"
)

func allVerbs() (all []string) {
	for _, v := range helper.Verbs {
		all = append(all, string(v))
	}
	return all
}

// example is a request for the verb that would be done.
func example(r *helper.Request) {
	switch r.Verb {
	case helper.JobAdd:
		r.Job = "job9"
	case helper.JobRemove:
		r.Job = "empty"
	case helper.TrashRestore:
		r.Photo = 1
	case helper.AccountAdd:
		r.Account, r.Layout = "fresh", "jobs"
	case helper.LoginAdd, helper.LoginRemove:
		r.Login = "freda"
	case helper.LoginUntil:
		r.Login, r.Until = "freda", helper.Never
	case helper.AccountKey:
		r.Key = "ssh-ed25519 AAAA"
	}
}

// Of all there is, what picday's user can get done is what web.may lists: with each set of
// verbs the others are refused, for every operator that he might enter, and nobody else
// gets anything done.
func TestTheWorstIsWhatMayLists(t *testing.T) {
	b := newBed(t)
	for _, verb := range helper.Verbs {
		_, err := b.ask(verb, "acme", example)
		b.refuses("with nothing listed, "+string(verb), helper.NotGiven, err)
		b.may = slices.DeleteFunc(allVerbs(), func(v string) bool { return v == string(verb) })
		_, err = b.ask(verb, "acme", example)
		b.refuses("with all others listed, "+string(verb), helper.NotGiven, err)
		b.may = nil
	}
	b.may = allVerbs()
	b.peer = 0
	for _, verb := range helper.Verbs {
		_, err := b.ask(verb, "acme", example)
		b.refuses("as another user, "+string(verb), helper.NotGiven, err)
	}
	b.peer = daemonUser
	b.config = func() (config.Config, error) { return config.Config{}, errors.New("not root's") }
	_, err := b.ask(helper.JobAdd, "acme", example)
	b.refuses("with a configuration that others can write", helper.Failed, err)
	if all := b.activity(); len(all) > 0 {
		t.Errorf("activity of what was not done: %q", all)
	}
}

// Each verb does what it says, by the functions of the tool, and the operator is named in
// the activity.
func TestEveryVerb(t *testing.T) {
	b := newBed(t, allVerbs()...)
	_, err := b.ask(helper.JobAdd, "acme", example)
	b.did("job acme job9", err)
	_, err = b.ask(helper.JobRemove, "acme", example)
	b.did("no job acme empty", err)
	_, err = b.ask(helper.JobRemove, "acme", func(r *helper.Request) { r.Job = "empty" })
	b.refuses("removed already", helper.NotFound, err)
	a, err := b.ask(helper.AccountAdd, "", example)
	b.did("add fresh ", err)
	if len(a.Password) < 20 {
		t.Errorf("no password: %+v", a)
	}
	first := a.Password
	_, err = b.ask(helper.AccountAdd, "", example)
	b.refuses("an account that is there", helper.Refused, err)
	if a, err = b.ask(helper.AccountPasswd, "acme"); len(a.Password) < 20 || a.Password == first {
		t.Errorf("no new password: %+v", a)
	}
	b.did("password acme", err)
	_, err = b.ask(helper.AccountKey, "acme", example)
	b.did("keys acme ssh-ed25519 AAAA", err)
	_, err = b.ask(helper.AccountKey, "acme", func(r *helper.Request) { r.Key = " \n" })
	b.refuses("no key", helper.Invalid, err)
	_, err = b.ask(helper.AccountAllow, "acme", func(r *helper.Request) { r.Allow = []string{"203.0.113.0/24"} })
	b.did("allow acme", err)
	_, err = b.ask(helper.AccountDisable, "acme")
	b.did("disable acme", err)
	_, err = b.ask(helper.AccountEnable, "acme")
	b.did("enable acme", err)
	_, err = b.ask(helper.LoginAdd, "acme", example, func(r *helper.Request) { r.Until = "2099-01-02" })
	b.did("login acme freda", err)
	_, err = b.ask(helper.AccountPasswd, "acme", func(r *helper.Request) { r.Login = "freda" })
	b.did("password freda", err)
	_, err = b.ask(helper.AccountPasswd, "lincoln", func(r *helper.Request) { r.Login = "freda" })
	b.refuses("a log-in of another account", helper.NotFound, err)
	_, err = b.ask(helper.LoginUntil, "lincoln", example)
	b.refuses("a log-in of another account", helper.NotFound, err)
	_, err = b.ask(helper.LoginUntil, "acme", example, func(r *helper.Request) { r.Until = "2020-01-01" })
	b.refuses("a day that is over", helper.Invalid, err)
	_, err = b.ask(helper.LoginUntil, "acme", example, func(r *helper.Request) { r.Until = "2099-01-03" })
	b.did("end acme freda 2099-01-03", err)
	_, err = b.ask(helper.LoginRemove, "lincoln", example)
	b.refuses("a log-in of another account", helper.NotFound, err)
	_, err = b.ask(helper.LoginRemove, "acme", example)
	b.did("no login acme freda", err)
	want := []string{
		"account acme freda login.remove ann", "account acme freda login.until ann", "account acme freda account.passwd ann", "account acme freda login.add ann", "account acme  account.enable ann",
		"account acme  account.disable ann", "account acme  account.allow ann", "account acme  account.key ann", "account acme  account.passwd ann",
		"account fresh  account.add ann", "job-removed acme empty  ann", "job-added acme job9  ann",
	}
	if got := b.activity(); !slices.Equal(got, want) {
		t.Errorf("activity: %q", got)
	}
	log := b.log.String()
	if strings.Contains(log, first) || strings.Contains(log, a.Password) || strings.Contains(log, password) || !strings.Contains(log, `"operator":"ann"`) || !strings.Contains(log, `"job":"job9"`) {
		t.Errorf("the log has a password, or not who asked for what:\n%s", log)
	}
}

// A photo is restored by its row, and only of the account that is named.
func TestRestoreByRow(t *testing.T) {
	b := newBed(t, allVerbs()...)
	photos, err := b.s.All().Photos(t.Context(), store.PhotoQuery{Account: "acme"})
	must(t, err)
	p := photos[0]
	row := func(r *helper.Request) { r.Photo = p.ID }
	must(t, b.s.Update(t.Context(), func(tx *store.Tx) error { return tx.WithdrawBy(p.ID, "eve") }))
	_, err = b.ask(helper.TrashRestore, "lincoln", row)
	b.refuses("by another account's name", helper.NotFound, err)
	_, err = b.ask(helper.TrashRestore, "acme", func(r *helper.Request) { r.Photo = 99 })
	b.refuses("no such row", helper.NotFound, err)
	_, err = b.ask(helper.TrashRestore, "acme", row)
	must(t, err)
	if p, err = b.s.All().Photo(t.Context(), p.ID); err != nil || !p.WithdrawnAt.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	if got := b.activity(); got[0] != "restored acme "+p.Path+"  ann" {
		t.Errorf("activity: %q", got)
	}
}

// A job of which there is anything stays, and so does an operator's account.
func TestWhatIsNotDone(t *testing.T) {
	b := newBed(t, allVerbs()...)
	_, err := b.ask(helper.JobRemove, "acme", func(r *helper.Request) { r.Job = "job1" })
	if b.calls = slices.DeleteFunc(b.calls, func(c string) bool { return strings.HasSuffix(c, " acme job1") }); true { // taken away, and put back
		b.refuses("a job with photos", helper.Refused, err)
	}
	for _, name := range []string{"", ".", "..", "a/b", "../lincoln", "x\x00y", "-rf", "x\ny", strings.Repeat("j", 101), " x", "\xff"} {
		_, err := b.ask(helper.JobAdd, "acme", func(r *helper.Request) { r.Job = name })
		b.refuses(fmt.Sprintf("the job %q", name), helper.Invalid, err)
	}
	_, err = b.ask(helper.JobAdd, "lincoln", func(r *helper.Request) { r.Job = "x" })
	b.refuses("a job of portraits", helper.Invalid, err)
	for _, name := range []string{"", "..", "../acme", "root/x", "picday", "a\nb", "-acme", strings.Repeat("a", 40), "ACME"} {
		_, err := b.ask(helper.AccountDisable, name)
		b.refuses(fmt.Sprintf("the account %q", name), helper.Invalid, err)
		if name != "" {
			_, err = b.ask(helper.LoginAdd, "acme", func(r *helper.Request) { r.Login = name })
			b.refuses(fmt.Sprintf("the log-in %q", name), helper.Invalid, err)
		}
	}
	_, err = b.ask(helper.AccountDisable, "nobody")
	b.refuses("no such account", helper.NotFound, err)
	for _, r := range []helper.Request{{Layout: "x"}, {Layout: ""}, {Layout: "jobs", Allow: []string{"0.0.0.0/99"}}, {Layout: "jobs", Job: "x"}, {Layout: "jobs", Photo: 1}} {
		_, err := b.ask(helper.AccountAdd, "fresh", func(q *helper.Request) { q.Layout, q.Allow, q.Job, q.Photo = r.Layout, r.Allow, r.Job, r.Photo })
		b.refuses(fmt.Sprintf("%+v", r), helper.Invalid, err)
	}
	for _, until := range []string{"yesterday", "2020-01-01", "2099-13-01"} {
		_, err := b.ask(helper.LoginAdd, "acme", func(r *helper.Request) { r.Login, r.Until = "freda", until })
		b.refuses("until "+until, helper.Invalid, err)
	}
	// An operator of one account.
	as := func(name string) func(*helper.Request) { return func(r *helper.Request) { r.Operator = name } }
	_, err = b.ask(helper.AccountAdd, "", example, as("lea"))
	b.refuses("an account by lea", helper.NotGiven, err)
	for _, verb := range helper.Verbs {
		if verb != helper.AccountAdd {
			_, err = b.ask(verb, "acme", example, as("lea"))
			b.refuses("for another account, "+string(verb), helper.NotFound, err)
		}
		_, err = b.ask(verb, "acme", example, as("nobody"))
		b.refuses("by nobody, "+string(verb), helper.NotGiven, err)
	}
	later := b.later(1)
	for _, verb := range helper.Verbs {
		_, err = b.ask(verb, "acme", example, as("lou"), later)
		b.refuses("by one who may look, "+string(verb), helper.NotGiven, err)
		if verb.Part() == helper.Accounts {
			_, err = b.ask(verb, "acme", example, as("wes"), later)
			b.refuses("by one who may work, "+string(verb), helper.NotGiven, err)
		}
	}
	_, err = b.ask(helper.JobAdd, "acme", example, as("wes"), later)
	b.did("job acme job9", err)
	_, err = b.ask(helper.AccountDisable, "lincoln", as("lea"), later)
	b.did("disable lincoln", err)
}

// The operator's password is compared by the helper, a few times only, however many ask at
// once.
func TestThePasswordIsCompared(t *testing.T) {
	b := newBed(t, allVerbs()...)
	with := func(p string) func(*helper.Request) { return func(r *helper.Request) { r.Password = p } }
	for _, verb := range []helper.Verb{helper.AccountAdd, helper.AccountPasswd, helper.AccountKey, helper.LoginAdd} {
		_, err := b.ask(verb, "acme", example, with(""))
		b.refuses("without a password, "+string(verb), helper.Password, err)
	}
	_, err := b.ask(helper.AccountDisable, "acme")
	b.did("disable acme", err) // and the wrong ones are forgotten
	results := make(chan error)
	for range 8 {
		go func() { _, err := b.ask(helper.AccountEnable, "acme", with("wrong")); results <- err }()
	}
	wrong := 0
	for range 8 {
		var refused *helper.RefusalError
		if err := <-results; !errors.As(err, &refused) {
			t.Error(err)
		} else if refused.Why == helper.Password {
			wrong++
		}
	}
	if wrong != wrongAllowed {
		t.Errorf("%d wrong passwords were compared", wrong)
	}
	_, err = b.ask(helper.AccountEnable, "acme")
	b.refuses("with the right one, after too many", helper.TooOften, err)
	_, err = b.ask(helper.AccountEnable, "lincoln", func(r *helper.Request) { r.Operator = "lea" })
	b.did("enable lincoln", err)
}

// What is not one whole request of the right form and time is refused, and the next one is
// answered as ever.
func TestWhatIsNoRequest(t *testing.T) {
	b := newBed(t, allVerbs()...)
	good := helper.New(helper.JobAdd, "ann", "acme")
	good.Job = "job9"
	encode := func(change func(*helper.Request)) string {
		r := good
		change(&r)
		text, err := json.Marshal(r)
		must(t, err)
		return string(text)
	}
	text := encode(func(*helper.Request) {})
	for what, bad := range map[string]string{
		"nothing": "", "half": text[:len(text)/2], "no JSON": "job.add acme", "a list": "[" + text + "]", "two": text + text, "null": "null",
		"oversized":        text + strings.Repeat(" ", helper.MaxRequest),
		"an unknown field": strings.Replace(text, `"job"`, `"path":"/etc","job"`, 1),
		"another type":     strings.Replace(text, `"job9"`, `{"a":1}`, 1),
		"no verb":          encode(func(r *helper.Request) { r.Verb = "account.remove" }),
		"the other part's": encode(func(r *helper.Request) { r.Verb, r.Job = helper.AccountDisable, "" }),
		"a password":       encode(func(r *helper.Request) { r.Password = "x" }),
		"no id":            encode(func(r *helper.Request) { r.ID = "" }),
		"from the past":    encode(func(r *helper.Request) { r.At -= 61_000 }),
		"from the future":  encode(func(r *helper.Request) { r.At += 90_000 }),
		"a negative photo": encode(func(r *helper.Request) { r.Verb, r.Job, r.Photo = helper.TrashRestore, "", -1 }),
	} {
		if a := b.raw(helper.Files, bad, false); a.Why != helper.Invalid || len(b.calls) > 0 {
			t.Errorf("%s: %+v, %q", what, a, b.calls)
		}
	}
	if a := b.raw(helper.Files, text, false); a.Why != "" {
		t.Errorf("%+v", a)
	}
	b.did("job acme job9", nil)
	if a := b.raw(helper.Files, text, false); a.Why != helper.Invalid || len(b.calls) > 0 {
		t.Errorf("replayed: %+v, %q", a, b.calls)
	}
	// Killed while it wrote, it left half a file: nothing is refused for good.
	must(t, os.WriteFile(b.dir+"/recent", []byte(`{"asked":[{`), 0o600))
	_, err := b.ask(helper.JobAdd, "acme", example)
	b.did("job acme job9", err)
}

// Who does not send a whole request is not waited for, and keeps nobody else out.
func TestASlowRequestTimesOut(t *testing.T) {
	b := newBed(t, allVerbs()...)
	b.within.Store(int64(500 * time.Millisecond))
	answer := make(chan helper.Answer)
	go func() { answer <- b.raw(helper.Files, `{"id":`, true) }()
	for b.accepted.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	b.within.Store(int64(time.Minute)) // for the others
	_, err := b.ask(helper.JobAdd, "acme", example)
	b.did("job acme job9", err)
	if a := <-answer; a.Why != helper.Invalid || !strings.Contains(a.Sentence, "in time") {
		t.Errorf("%+v", a)
	}
}

// Many requests within a minute are refused, and not later.
func TestTooMuchIsRefused(t *testing.T) {
	b := newBed(t, string(helper.JobAdd))
	for range perMinute {
		_, err := b.ask(helper.JobAdd, "acme", func(r *helper.Request) { r.Job = "." }) // counts too
		b.refuses("no name of a job", helper.Invalid, err)
	}
	_, err := b.ask(helper.JobAdd, "acme", example)
	b.refuses("one too many", helper.TooOften, err)
	b.now = time.Unix(61, 0)
	_, err = b.ask(helper.JobAdd, "acme", example, func(r *helper.Request) { r.At += 61_000 })
	b.did("job acme job9", err)
}

// What fails in the middle says so without what the machine said, which is in the log, and
// can be asked for again.
func TestAFailureInTheMiddle(t *testing.T) {
	b := newBed(t, allVerbs()...)
	b.fail = errors.New("secret of the machine")
	_, err := b.ask(helper.AccountAdd, "", example)
	if b.calls = nil; err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	if !strings.Contains(b.log.String(), "secret of the machine") {
		t.Error("it is not in the log")
	}
	if _, err := b.s.All().Account(t.Context(), "fresh"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the account is in the catalogue: %v", err)
	}
	b.fail = nil
	_, err = b.ask(helper.AccountAdd, "", example)
	b.did("add fresh ", err)
}
