package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"picday/internal/control"
	"picday/store"
)

// The page of a job says how far its upload is, green only if all is known to be there,
// and who may work says how many photos are to come.
func TestAJobSaysWhetherAllHasArrived(t *testing.T) {
	b := newAdminBed(t)
	b.shoot("A", "1.jpg")
	b.shoot("A", "2.jpg")
	b.addOperator("ann", 0)
	b.addOperator("lin", b.acct.ID)
	b.tx(func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: "looker", AccountID: b.other.ID, Role: store.Look}, passwordHash())
	})
	ann, looker, lin := b.session("ann"), b.session("looker"), b.session("lin")
	const page, green = "/jobs/acme/job00001", `<span class="pill good">complete</span>`
	now := time.Now()
	b.has(b.page(ann, page), "Did everything arrive?", "picdayd has just started", "!"+green)
	b.status.LastProvenAlive, b.status.BacklogKnown = &now, true
	for _, who := range []string{ann, looker} {
		b.has(b.page(who, page), green)
		b.has(b.page(who, "/accounts/acme"), green)
	}
	expect := func(who, text string, want int) {
		t.Helper()
		if w := b.ask("POST", page+"/expect", url.Values{"expected": {text}}, "Cookie", who); w.Code != want {
			t.Errorf("%q: %d %s", text, w.Code, w.Body)
		}
	}
	expect(looker, "3", http.StatusForbidden)
	expect(lin, "3", http.StatusNotFound)
	expect(lin, "x", http.StatusNotFound)
	for _, text := range []string{"x", "-1", "99999999999", "1.5"} {
		expect(ann, text, http.StatusBadRequest)
	}
	expect(ann, "3", http.StatusSeeOther)
	b.has(b.page(ann, page), "2 of 3", "1 photo is still to come.", "!"+green)
	b.has(b.page(ann, "/jobs"), "2 of 3")
	b.has(b.page(ann, "/activity"), "Photos expected", "3 photos", "by ann")
	b.shoot("A", "3.jpg")
	b.has(b.page(ann, page), green, "3 of 3")
	b.status.Backlog = []control.Backlog{{Account: "acme", Job: "job00001", Waiting: 1}, {Account: "lincoln", Arriving: 4}}
	b.has(b.page(ann, page), "Files wait for their turn", "!"+green)
	w := b.ask("GET", "/api/v1/jobs", nil, "Authorization", b.token("till", b.other.ID))
	b.has(w.Body.String(), `"expected":3`, `"arrival":"waiting"`, `"waiting":1`)
	w = b.ask("GET", "/api/v1/status", nil, "Authorization", b.token("part", b.other.ID))
	if !strings.Contains(w.Body.String(), "job00001") || strings.Contains(w.Body.String(), "lincoln") {
		t.Errorf("the status of one account: %s", w.Body)
	}
	b.status.Backlog = b.status.Backlog[1:]
	b.wrong("job00001/A/x.png", "not-jpeg")
	b.has(b.page(ann, page), "Files could not become photos.", "!"+green)
	expect(ann, "", http.StatusSeeOther)
	b.has(b.page(ann, page), "!3 of 3")
}
