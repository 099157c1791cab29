package web

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"picday/internal/contract"
	"picday/internal/roster"
	"picday/store"
)

// A program finds people with their names by code, job and change, and those of its own
// account only.
func TestPeopleHaveNames(t *testing.T) {
	b := fullBed(t)
	all, one := b.token("all", 0), b.token("one", b.acct.ID)
	job, err := b.s.All().Job(t.Context(), "acme", "job00001")
	b.must(err)
	var cid store.Subject
	b.tx(func(tx *store.Tx) error {
		l, err := roster.Parse([]byte("ID,Last,First,Class\n12,Abel,Ann,5b\n"))
		if err != nil {
			return err
		}
		if _, err := tx.TakeRoster(store.RosterFile{Scope: store.Scope{AccountID: b.acct.ID}, File: "list.csv", Operator: "olga"}, l, false); err != nil {
			return err
		}
		cid, err = tx.AddSubject(store.Subject{AccountID: b.other.ID, JobID: job.ID, Kind: store.Person, Code: "K7Q2", First: "Cid"})
		return err
	})
	var person struct {
		contract.Photo
		Subject *contract.Subject
	}
	if code := b.get(one, "/people/12", &person); code != http.StatusOK || person.Subject == nil || person.Subject.First != "Ann" || person.Person != "12" {
		t.Errorf("%d %+v", code, person)
	}
	if w := b.ask("GET", "/api/v1/people/13", nil, "Authorization", one); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "subject") {
		t.Errorf("of nobody on the list: %s", w.Body)
	}
	for query, want := range map[string]string{
		"":                                  "Ann Cid",
		"?account=acme":                     "Cid",
		"?account=acme&job=job00001":        "Cid",
		"?account=acme&code=k7q2":           "Cid",
		"?account=lincoln&code=k7q2":        "",
		"?changed_since=" + stamp(cid):      "",
		"?changed_since=" + stamp(cid, -1):  "Ann Cid",
		"?limit=1":                          "Ann",
		"?account=acme&job=job00001&code=x": "",
	} {
		var answer struct{ Subjects []contract.Subject }
		code := b.get(all, "/subjects"+query, &answer)
		var names []string
		for _, s := range answer.Subjects {
			names = append(names, s.First)
		}
		if got := strings.Join(names, " "); code != http.StatusOK || got != want {
			t.Errorf("%s: %d %q instead of %q", query, code, got, want)
		}
	}
	var lists struct{ Rosters []contract.Roster }
	if code := b.get(one, "/rosters", &lists); code != http.StatusOK || len(lists.Rosters) != 1 || lists.Rosters[0].By != "olga" || lists.Rosters[0].Account != "lincoln" {
		t.Errorf("%d %+v", code, lists)
	}
	for _, path := range []string{"/subjects", "/rosters", "/subjects?code=K7Q2"} {
		if w := b.ask("GET", "/api/v1"+path, nil, "Authorization", one); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "Cid") || strings.Contains(w.Body.String(), "acme") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if code := b.get(all, "/subjects?job=job00001", nil); code != http.StatusBadRequest {
		t.Errorf("a job of no account: %d", code)
	}
	if code := b.get(one, "/subjects?account=acme&job=job00001", nil); code != http.StatusNotFound {
		t.Errorf("of another account: %d", code)
	}
}

func stamp(s store.Subject, plus ...int64) string {
	n := s.ChangedAt
	for _, p := range plus {
		n += p
	}
	return strconv.FormatInt(n, 10)
}
