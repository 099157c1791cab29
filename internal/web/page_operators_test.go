package web

import (
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"

	"picday/store"
	"picday/store/pictures"
)

// Each role gets to the routes of its access and to no other.
func TestRoles(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	photo := b.photo("12").ID
	original := b.s.Files().Path(pictures.Original(b.photo("12").SHA))
	b.must(os.MkdirAll(path.Dir(original), 0o750))
	b.write(original, "Ann") // or a download of it would be cut off
	cookies := map[store.Role]string{}
	for _, role := range append([]store.Role{"", "root"}, store.Roles...) {
		name := "has-" + string(role) + "x"
		b.addOperator(name, 0)
		b.tx(func(tx *store.Tx) error { return tx.SetOperatorRole(name, role) })
		cookies[role] = b.session(name)
	}
	b.gate.Stop() // or a stream of events would not end
	for _, rt := range b.gate.routes() {
		if !rt.operators() || rt.pattern == "/logout" {
			continue
		}
		for role, cookie := range cookies {
			var form url.Values
			if rt.method == "POST" {
				form = url.Values{}
			}
			w := b.ask(rt.method, target(rt.pattern, photo), form, "Cookie", cookie)
			refused := w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), "takes the role")
			if may := role.May(needed[rt.access]); may == refused {
				t.Errorf("%s %s as %q: %d", rt.method, rt.pattern, role, w.Code)
			}
		}
	}
	// What may not be done is not offered.
	for role, cookie := range cookies {
		for _, page := range []string{photoURL(photo), "/problems", "/jobs/acme/job00001", "/accounts/lincoln", "/"} {
			body := b.ask("GET", page, nil, "Cookie", cookie).Body.String()
			if offers := strings.Count(body, `method="post"`) > 2; offers && !role.May(store.Work) { // to log out, and the language
				t.Errorf("%s offers %q a change", page, role)
			}
			if strings.Contains(body, "/operators") && !role.May(store.Admin) {
				t.Errorf("%s offers %q the log-ins", page, role)
			}
		}
	}
}

// An administrator of one account makes, sees and ends log-ins of that account only.
func TestAnAdministratorOfOneAccount(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", b.acct.ID)
	b.addOperator("mate", b.acct.ID)
	b.addOperator("eve", b.other.ID)
	b.addOperator("chief", 0)
	b.token("till", b.acct.ID)
	b.token("shop", b.other.ID)
	ann := b.session("ann")
	body := b.ask("GET", "/operators", nil, "Cookie", ann).Body.String()
	for name, want := range map[string]bool{"mate": true, "till": true, "eve": false, "chief": false, "shop": false, "acme": false} {
		if strings.Contains(body, ">"+name+"<") != want {
			t.Errorf("the page shows %s: %v", name, !want)
		}
	}
	post := func(path string, form url.Values) int {
		t.Helper()
		return b.ask("POST", path, form, "Cookie", ann).Code
	}
	for _, name := range []string{"eve", "chief", "nobody"} {
		for _, do := range []string{"/password", "/role", "/remove"} {
			if code := post("/operators/"+name+do, url.Values{"role": {"look"}}); code != http.StatusNotFound {
				t.Errorf("%s of %s: %d", do, name, code)
			}
		}
	}
	if code := post("/tokens/shop/remove", url.Values{}); code != http.StatusNotFound {
		t.Errorf("a token of another account: %d", code)
	}
	for _, path := range []string{"/operators", "/tokens"} {
		if code := post(path, url.Values{"name": {"new"}, "role": {"admin"}, "account": {"acme"}}); code != http.StatusNotFound {
			t.Errorf("%s for another account: %d", path, code)
		}
		if code := post(path, url.Values{"name": {"bad\nname"}, "role": {"look"}}); code != http.StatusBadRequest {
			t.Errorf("%s of a name with a line end: %d", path, code)
		}
	}
	if code := post("/operators", url.Values{"name": {"new"}, "role": {"root"}}); code != http.StatusBadRequest {
		t.Errorf("a role that is none: %d", code)
	}
	if code := post("/operators", url.Values{"name": {"chief"}, "role": {"look"}}); code != http.StatusConflict {
		t.Errorf("a name that is taken: %d", code)
	}
	for _, do := range []string{"/password", "/role", "/remove"} {
		if code := post("/operators/ann"+do, url.Values{"role": {"look"}}); code != http.StatusConflict {
			t.Errorf("%s of the own log-in: %d", do, code)
		}
	}
	// Without an account named, it is the own one.
	if code := post("/operators", url.Values{"name": {"new"}, "role": {"look"}}); code != http.StatusOK {
		t.Errorf("a new operator: %d", code)
	}
	operators, err := b.s.Operators(t.Context())
	b.must(err)
	for _, o := range operators {
		if o.Name == "new" && (o.AccountID != b.acct.ID || o.Role != store.Look) {
			t.Errorf("%+v", o)
		}
	}
	mate := b.session("mate")
	if code := post("/operators/mate/role", url.Values{"role": {"look"}}); code != http.StatusSeeOther {
		t.Errorf("another role: %d", code)
	}
	if code := b.ask("POST", photoURL(1)+"/withdraw", url.Values{}, "Cookie", mate).Code; code != http.StatusForbidden {
		t.Errorf("the open session has the old role: %d", code)
	}
	if code := post("/operators/mate/password", url.Values{}); code != http.StatusOK {
		t.Errorf("a new password: %d", code)
	}
	if code := b.ask("GET", "/", nil, "Cookie", mate).Code; code != http.StatusSeeOther {
		t.Errorf("the session of the old password goes on: %d", code)
	}
	if log := b.log.String(); strings.Contains(log, "password\":") || !strings.Contains(log, "an operator was added") {
		t.Errorf("%s", log)
	}
}

func TestTheOwnPassword(t *testing.T) {
	b := newAdminBed(t)
	b.ownClock()
	b.addOperator("ann", b.acct.ID)
	b.tx(func(tx *store.Tx) error { return tx.SetOperatorRole("ann", store.Look) })
	here, elsewhere := b.session("ann"), b.session("ann")
	change := func(old, now, again string) (int, string) {
		t.Helper()
		w := b.ask("POST", "/me/password", url.Values{"old": {old}, "new": {now}, "again": {again}}, "Cookie", here)
		cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		return w.Code, cookie
	}
	for what, try := range map[string][4]any{
		"wrong":    {"not it, sorry", "new password", "new password", http.StatusForbidden},
		"short":    {password, "short", "short", http.StatusBadRequest},
		"mistyped": {password, "new password", "new passwort", http.StatusBadRequest},
	} {
		if code, _ := change(try[0].(string), try[1].(string), try[2].(string)); code != try[3] {
			t.Errorf("%s: %d", what, code)
		}
	}
	if code := b.ask("GET", "/me", nil, "Cookie", elsewhere).Code; code != http.StatusOK {
		t.Errorf("after failed tries: %d", code)
	}
	code, cookie := change(password, "new password", "new password")
	if code != http.StatusSeeOther || b.ask("GET", "/me", nil, "Cookie", cookie).Code != http.StatusOK {
		t.Errorf("changed: %d %q", code, cookie)
	}
	for _, old := range []string{here, elsewhere} {
		if code := b.ask("GET", "/me", nil, "Cookie", old).Code; code != http.StatusSeeOther {
			t.Errorf("an old session: %d", code)
		}
	}
	if _, err := b.s.LogIn(t.Context(), "ann", "new password"); err != nil {
		t.Error(err)
	}
	// Guessing the old password is bounded as at the log-in; one try was wrong already.
	b.tx(func(tx *store.Tx) error { return tx.SetOperatorPassword("ann", passwordHash()) })
	here = b.session("ann")
	for n := 2; n <= nameFailures; n++ {
		if code, _ = change("a guess, a guess", "new password", "new password"); code != http.StatusForbidden {
			t.Errorf("guess %d: %d", n, code)
		}
	}
	if code, _ = change(password, "new password", "new password"); code != http.StatusTooManyRequests {
		t.Errorf("after %d guesses: %d", nameFailures, code)
	}
}

// An operator says where mail goes, and only a real address is taken; about what stays.
func TestAnOperatorsOwnAddress(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	b.tx(func(tx *store.Tx) error { return tx.SetMailbox("ann", "old@example.com", []int64{b.other.ID}) })
	cookie := b.session("ann")
	if page := b.page(cookie, "/me"); !strings.Contains(page, `value="old@example.com"`) {
		t.Error("the address is not shown")
	}
	for _, bad := range []string{"ann", "Ann <ann@example.com>", "a@b.c\r\nBcc: x@y.z", "a b@example.com", strings.Repeat("a", 250) + "@example.com"} {
		if w := b.ask("POST", "/me/email", url.Values{"email": {bad}}, "Cookie", cookie); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, w.Code)
		}
	}
	for _, address := range []string{"ann@example.com", ""} {
		w := b.ask("POST", "/me/email", url.Values{"email": {" " + address}}, "Cookie", cookie)
		boxes, err := b.s.Mailboxes(t.Context())
		b.must(err)
		if w.Code != http.StatusSeeOther || (address == "") != (len(boxes) == 0) || len(boxes) > 0 && (boxes[0].Address != address || strings.Join(boxes[0].Accounts, " ") != b.other.Name) {
			t.Errorf("%q: %d %+v", address, w.Code, boxes)
		}
	}
}
