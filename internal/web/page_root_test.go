package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"picday/internal/helper"
	"picday/store"
)

// What takes root is offered and asked for only if the configuration lists it, for accounts
// in the operator's view and by the role that it takes; else pages show what to type.
func TestPagesAskRootsHelper(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.addOperator("ann", 0)
	b.addOperator("eve", b.acct.ID)
	b.tx(func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: "wes", Role: store.Work}, passwordHash())
	})
	ann, eve, wes := b.session("ann"), b.session("eve"), b.session("wes")
	var asked []helper.Request
	answer, failing := helper.Answer{Password: "shown-once"}, error(nil)
	b.gate.Root = Root{Ask: func(_ context.Context, r helper.Request) (helper.Answer, error) {
		asked = append(asked, r)
		return answer, failing
	}}
	posts := map[string]url.Values{
		"/jobs": {"account": {"acme"}, "job": {" job9 "}}, "/jobs/acme/job00001/remove": {}, "/accounts": {"name": {"fresh"}, "layout": {"jobs"}, "password": {"secret"}},
		"/accounts/acme/password": {"password": {"secret"}}, "/accounts/acme/key": {"key": {"k"}}, "/accounts/acme/allow": {"allow": {"1.2.3.4 ::1"}},
		"/accounts/acme/disable": {}, "/accounts/acme/enable": {}, "/accounts/acme/logins": {"login": {"freda"}, "until": {"2099-01-02"}}, "/accounts/acme/logins/freda/remove": {},
		"/accounts/acme/logins/freda/until": {"until": {"2099-01-03"}},
	}
	for path, form := range posts {
		if w := b.ask("POST", path, form, "Cookie", ann); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "web.may") {
			t.Errorf("%s, not listed: %d", path, w.Code)
		}
	}
	for path, command := range map[string]string{"/accounts": "picday account add", "/accounts/acme": "picday account passwd acme", "/jobs/acme/job00001": "picday job remove acme"} {
		if body := b.ask("GET", path, nil, "Cookie", ann).Body.String(); !strings.Contains(body, command) {
			t.Errorf("%s does not say %q", path, command)
		}
	}
	for _, v := range helper.Verbs {
		b.gate.Root.May = append(b.gate.Root.May, string(v))
	}
	for path, form := range posts {
		if w := b.ask("POST", path, form, "Cookie", eve); w.Code != http.StatusNotFound && w.Code != http.StatusForbidden {
			t.Errorf("%s, of another account: %d", path, w.Code)
		}
		if w := b.ask("POST", path, form, "Cookie", wes); strings.HasPrefix(path, "/accounts") && w.Code != http.StatusForbidden {
			t.Errorf("%s, by the role work: %d", path, w.Code)
		}
	}
	for _, r := range asked {
		if r.Operator != "wes" || r.Verb.Part() != helper.Files {
			t.Errorf("asked for %+v", r)
		}
	}
	asked = nil
	if body := b.ask("GET", "/accounts/acme", nil, "Cookie", wes).Body.String(); strings.Contains(body, "/disable") {
		t.Error("the role work is offered to close an account")
	}
	body := b.ask("GET", "/accounts/acme", nil, "Cookie", ann).Body.String()
	for _, want := range []string{`action="/accounts/acme/disable"`, `action="/accounts/acme/password"`, `action="/jobs"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the account's page has no %s", want)
		}
	}
	w := b.ask("POST", "/accounts/acme/password", posts["/accounts/acme/password"], "Cookie", ann)
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, "shown-once") || strings.Contains(body, "data-follows") || strings.Contains(body, "secret") {
		t.Errorf("%d %s", w.Code, body)
	}
	b.ask("POST", "/accounts/acme/allow", posts["/accounts/acme/allow"], "Cookie", ann)
	w = b.ask("POST", "/jobs", posts["/jobs"], "Cookie", wes)
	if w.Header().Get("Location") != "/jobs/acme/job9?done=job-added" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if len(asked) != 3 || asked[0].Password != "secret" || asked[0].Operator != "ann" || len(asked[1].Allow) != 2 || asked[2].Job != "job9" || asked[2].Password != "" {
		t.Errorf("asked for %+v", asked)
	}
	for why, code := range map[helper.Why]int{helper.Password: 403, helper.TooOften: 429, helper.Refused: 409, helper.Failed: 500, helper.Invalid: 400} {
		failing = &helper.RefusalError{Why: why, Sentence: "It <is> so."}
		if w := b.ask("POST", "/accounts/acme/disable", url.Values{}, "Cookie", ann); w.Code != code || !strings.Contains(w.Body.String(), "It &lt;is&gt; so.") {
			t.Errorf("%s: %d %s", why, w.Code, w.Body)
		}
	}
	body = b.ask("GET", "/activity?event=refused", nil, "Cookie", ann).Body.String()
	for _, want := range []string{"close the account: It &lt;is&gt; so.", "by ann"} {
		if !strings.Contains(body, want) {
			t.Errorf("the activity says no %q", want)
		}
	}
	if n := strings.Count(body, "close the account"); n != 4 { // what comes too often is not entered
		t.Errorf("%d refusals in the activity", n)
	}
	failing = helper.ErrNotRunning
	if w := b.ask("POST", "/accounts/acme/disable", url.Values{}, "Cookie", ann); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", w.Code)
	}
}
