package notify

import (
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/language"
	"picday/internal/test/receivers"
	"picday/store"
)

// everyNotice is at least one notice of each kind, with all that its sentence can say.
func everyNotice() (all []store.Notice) {
	now := time.Now()
	disk := Disk{"uploads", "/srv", 1_000_000_000}
	unproven := func(d Unproven) store.Notice { return newNotice(now, DaemonUnproven, 0, "", d, "English") }
	return []store.Notice{
		quietNotice(now, store.ArrivingUpload{Account: "acme", AccountID: 1, Job: "job1", Added: 812, Replaced: 1, Open: 3, Began: now, Last: now}, 2),
		quietNotice(now, store.ArrivingUpload{Account: "lincoln", AccountID: 2, Added: 1, Open: 1, Began: now, Last: now}, 0),
		oldNotice(now, store.OldProblems{Account: "acme", AccountID: 1, Count: 1, All: 1, Oldest: now}, 24*time.Hour),
		oldNotice(now, store.OldProblems{Account: "acme", AccountID: 1, Count: manyProblems, All: 5000, Oldest: now}, 24*time.Hour),
		newNotice(now, WaitingLong, 1, "acme", Stuck{5, now}, "English"),
		newNotice(now, WaitingOver, 1, "acme", Stuck{5, now}, "English"),
		roomNotice(now, DiskLow, disk, 5_000_000_000),
		roomNotice(now, DiskEnough, Disk{"photos", "/var/lib/picday", 9_000_000_000}, 5_000_000_000),
		unproven(Unproven{Since: now, Why: "it has no proof of it"}), unproven(Unproven{Since: now, Until: &now, Why: "it did not run"}),
		newNotice(now, DaemonProven, 0, "", Unproven{Since: now, Until: &now}, "English"),
		TestNotice(now, hostName()),
	}
}

// Every kind of notice is said in German, and no word of it is outside of the texts that
// have a translation.
func TestEveryNoticeHasItsGerman(t *testing.T) {
	source, err := os.ReadFile("events.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t\w+ += "([\w.]+)" +// data: `).FindAllStringSubmatch(string(source), -1) {
		kinds[m[1]] = true
	}
	if len(kinds) < 8 {
		t.Fatalf("this test sees only the kinds %v", kinds)
	}
	marked := language.Marked(language.German, "⟦", "⟧")
	innermost := regexp.MustCompile(`⟦[^⟦⟧]*⟧`)
	for _, n := range everyNotice() {
		delete(kinds, n.Kind)
		rest := said(marked, n)
		for innermost.MatchString(rest) {
			rest = innermost.ReplaceAllString(rest, "")
		}
		if rest != "" {
			t.Errorf("%s: %q is in English only: write it with w.T in text.go, and add its German to internal/language/de/notices.toml", n.Kind, rest)
		}
		if german := said(language.In(language.German), n); german == n.Message || strings.Contains(german, "%!") || strings.Contains(german, "ENGLISH") {
			t.Errorf("%s: %q", n.Kind, german)
		}
		if english := said(language.In(language.English), n); english != n.Message {
			t.Errorf("%s: %q is not what programs get, %q", n.Kind, english, n.Message)
		}
	}
	for kind := range kinds {
		t.Errorf("no notice of the kind %s is in this test: add it to everyNotice, and its German to text.go", kind)
	}
}

// Each text of a mail has its German, with both forms where it has a number.
func TestEveryTextOfAMailHasItsGerman(t *testing.T) {
	texts := 0
	for _, file := range []string{"text.go", "mail.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bw\.T\(("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(string(source), -1) {
			key, err := strconv.Unquote(m[1])
			if err != nil {
				t.Fatal(err)
			}
			texts++
			if !language.Has(key) || strings.Contains(key, "%d") && !language.Plural(key) {
				t.Errorf("%s: %q has no German. Add to internal/language/de/notices.toml:\n%q = \"…\"", file, key, key)
			}
		}
	}
	if texts < 15 {
		t.Errorf("this test sees only %d texts", texts)
	}
}

// A notice of another release, whose data are something else, is said in English.
func TestANoticeThatIsNotUnderstood(t *testing.T) {
	w := language.In(language.German)
	for kind, data := range map[string]string{UploadQuiet: `{"photos":"many"}`, "cards.read": `{}`, Test: `[]`, ProblemsOld: `nonsense`} {
		n := store.Notice{Kind: kind, Message: "what it says", Data: json.RawMessage(data)}
		if got := said(w, n); got != n.Message {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

// Mail is in the operator's language, else in the account's, else in the installation's;
// what programs get stays English.
func TestMailIsInTheReadersLanguage(t *testing.T) {
	var m *receivers.Mail
	var hook *receivers.Webhook
	w := newWorld(t, func(dir string, c *config.Config) {
		m, hook = receivers.NewMail(t, dir), receivers.NewWebhook(t, dir, "shop")
		c.Mail, c.Webhooks, c.Language = m.Config, []config.Webhook{hook.Config}, "de"
	})
	w.operator("eva", store.Operator{})
	w.operator("otto", store.Operator{})
	w.Update(func(tx *store.Tx) error { return tx.SetOperatorLanguage("otto", language.English) })
	w.Update(func(tx *store.Tx) error { return tx.SetLanguage(w.Lincoln, language.German) })
	tell := func(n store.Notice) {
		t.Helper()
		w.Must(w.n.addNotices(t.Context(), "look", []finding{{&n, func(*store.Tx) error { return nil }}}))
	}
	quiet := func(a store.Account) store.Notice {
		return quietNotice(w.now, store.ArrivingUpload{Account: a.Name, AccountID: a.ID, Added: 812, Open: 3, Began: w.now, Last: w.now}, 0)
	}
	tell(quiet(w.Acme))
	tell(quiet(w.Lincoln))
	tell(quiet(w.Lincoln))
	tell(roomNotice(w.now, DiskLow, Disk{"uploads", "/srv", 1_000_000_000}, 5_000_000_000))
	w.run(w.now.Add(time.Hour))
	got := map[string]string{}
	for _, msg := range m.Messages() {
		_, body, _ := strings.Cut(msg.Text, "\r\n\r\n")
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
		w.Must(err)
		for _, about := range []string{"acme", "lincoln", "/srv"} {
			if strings.Contains(string(text), about) {
				got[msg.To+" "+about] = string(text)
			}
		}
	}
	const german, english = "Die Seite „Probleme“", "The page Problems"
	for key, want := range map[string][]string{
		"eva@example.org acme": {"acme is quiet: 812 photos, 3 problems", english}, "eva@example.org lincoln": {"lincoln: Der Upload ist zu Ende, 812 Fotos, 3 Probleme", german},
		"eva@example.org /srv":  {"nur noch 1,0 GB frei", german},
		"otto@example.org acme": {"acme is quiet", english}, "otto@example.org lincoln": {"lincoln is quiet", english}, "otto@example.org /srv": {"has 1.0 GB free", english},
	} {
		for _, words := range want {
			if !strings.Contains(got[key], words) {
				t.Errorf("%s: no %q in\n%s", key, words, got[key])
			}
		}
	}
	if text := fmt.Sprint(hook.Accepted()); !strings.Contains(text, "lincoln is quiet: 812 photos, 3 problems") {
		t.Errorf("programs get %s", text)
	}
}
