package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"picday/internal/contract"
	"picday/internal/control"
	"picday/internal/layout"
	"picday/store"
)

// get asks the API and takes the answer apart.
func (b *adminBed) get(bearer, path string, into any) int {
	b.Helper()
	w := b.ask("GET", "/api/v1"+path, nil, "Authorization", bearer)
	if into != nil && w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			b.Fatalf("%s: %v in %s", path, err, w.Body)
		}
	}
	return w.Code
}

// description is the OpenAPI document, made strict: to a client a field that it
// does not know is nothing bad, but here it is one that was not described.
func description(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi)
	if err == nil {
		err = doc.Validate(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	no := false
	var strict func(s *openapi3.SchemaRef)
	strict = func(s *openapi3.SchemaRef) {
		if s == nil || s.Value.AdditionalProperties.Has != nil {
			return
		}
		if len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties.Has = &no
		}
		for _, p := range s.Value.Properties {
			strict(p)
		}
		strict(s.Value.Items)
	}
	for _, s := range doc.Components.Schemas {
		strict(s)
	}
	for _, p := range doc.Paths.Map() {
		for _, op := range p.Operations() {
			strict(op.Responses.Value("200").Value.Content.Get("application/json").Schema)
		}
	}
	return doc
}

// fullBed has something of everything; the ID 12 is in two accounts.
func fullBed(t *testing.T) *adminBed {
	t.Helper()
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.put("13", "Ben")
	b.put("14", "Cid")
	b.withdraw("14")
	b.shoot("Class 1", "IMG_1.jpg")
	b.shoot("Class 2", "IMG_2.jpg")
	b.spoil("job00001/Class 1/x.jpg")
	b.spoil("job00001/Class 1/y.jpg")
	at := "third/user-pictures/12.jpg"
	b.tx(func(tx *store.Tx) (err error) {
		b.third, err = tx.AddAccount(store.Account{Name: "third", Layout: layout.Portraits, AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
		if err == nil {
			err = tx.SetHostKeys([]store.HostKey{{Type: "ssh-ed25519", SHA256: "SHA256:x"}})
		}
		return err
	})
	b.publish(b.third, store.Place{Path: at, Shown: at, Person: "12"}, "another Ann")
	now := b.photo("13").IngestedAt
	b.status = control.Status{
		Backlog: []control.Backlog{},
		Running: true, Version: "1", Since: &now, LastProvenAlive: &now, LastScan: &control.Scan{At: now}, Waiting: 3, Warnings: []control.Warning{{Text: "one of acme"}},
		InProgress: []control.Progress{{Account: "acme", Path: "job00001/Class 1/z.jpg", Since: now}, {Account: "lincoln", Path: "lincoln/user-pictures/1.jpg", Since: now}},
		Uploading:  []control.Progress{{Account: "acme", Path: "job00001/Class 1/zz.jpg", Since: now}},
		Unsure:     []control.Unsure{{Account: "acme", Path: "job00001/Class 1/zzz.jpg", Since: now, Why: "too many open files"}},
		PolledDirs: []string{"acme/job00001"}, Rederive: &control.Rederive{Total: 1},
	}
	return b
}

// Whatever a token of one account asks for, nothing in the answers is of others.
func TestATokenOfOneAccount(t *testing.T) {
	b := fullBed(t)
	one := b.token("one", b.acct.ID)
	for _, path := range []string{"/status", "/accounts", "/jobs", "/albums", "/photos", "/photos?changed_since=0", "/problems", "/people/12", "/people/13", "/photos?job=job00001", "/albums?job=job00001"} {
		w := b.ask("GET", "/api/v1"+path, nil, "Authorization", one)
		if text := w.Body.String(); w.Code != http.StatusOK || strings.Contains(text, "acme") || strings.Contains(text, "third") || strings.Contains(text, "job00001") {
			t.Errorf("%s: %d %s", path, w.Code, text)
		}
	}
	var status map[string]any
	if b.get(one, "/status", &status); status["photos"] != 2.0 || status["problems"] != 0.0 || status["waiting"] != nil {
		t.Errorf("status: %v", status)
	}
	if code := b.get(one, "/photos?account=acme", nil); code != http.StatusNotFound {
		t.Errorf("photos of another account: %d", code)
	}
	if code := b.get(b.token("jobs", b.other.ID), "/people/12", nil); code != http.StatusNotFound {
		t.Errorf("a person of another account: %d", code)
	}
}

// An account that was removed is not listed, as in the command; its photos are.
func TestAKeptAccount(t *testing.T) {
	b := fullBed(t)
	b.tx(func(tx *store.Tx) error { return tx.RemoveAccount(b.other, false) })
	all := b.token("all", 0)
	var answer struct{ Accounts, Photos []contract.Photo }
	if code := b.get(all, "/accounts", &answer); code != http.StatusOK || len(answer.Accounts) != 2 {
		t.Errorf("%d %+v", code, answer)
	}
	if code := b.get(all, "/photos?account=acme", &answer); code != http.StatusOK || len(answer.Photos) != 2 {
		t.Errorf("%d %+v", code, answer)
	}
}

func TestOnePerson(t *testing.T) {
	b := fullBed(t)
	all := b.token("all", 0)
	var p contract.Photo
	if code := b.get(all, "/people/12", nil); code != http.StatusConflict {
		t.Errorf("an ID of two accounts: %d", code)
	}
	if code := b.get(all, "/people/12?account=third", &p); code != http.StatusOK || p.Account != "third" || p.Person != "12" || p.URL != "https://pics.example/"+p.Link+".jpg" || len(p.Renditions) != 2 {
		t.Errorf("%d %+v", code, p)
	}
	if code := b.get(all, "/people/13", &p); code != http.StatusOK || p.Person != "13" {
		t.Errorf("%d %+v", code, p)
	}
	for _, path := range []string{"/people/14", "/people/99", "/people/012", "/people/%00", "/people/a%2Fb", "/people/%FF", "/people/12?account=acme"} {
		if code := b.get(all, path, nil); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// Each list, read one row at a time, gives what it gives at once; names are in the order of
// people.
func TestPaging(t *testing.T) {
	b := fullBed(t)
	all := b.token("all", 0)
	b.shoot("Klasse 10", "a.jpg")
	b.shoot("Klasse 2", "b.jpg")
	for _, name := range []string{"zoo10", "zoo2"} {
		b.tx(func(tx *store.Tx) error {
			_, err := tx.AddAccount(store.Account{Name: name, Layout: layout.Jobs})
			return err
		})
	}
	inOrder := map[string][2]string{"accounts": {"zoo2", "zoo10"}, "albums": {"Klasse 2", "Klasse 10"}}
	for list, want := range map[string]int{"accounts": 5, "jobs": 1, "albums": 4, "photos": 7, "problems": 2} {
		read := func(limit int) (rows []string) {
			t.Helper()
			for path := fmt.Sprintf("/%s?limit=%d", list, limit); ; {
				var answer map[string]json.RawMessage
				if code := b.get(all, path, &answer); code != http.StatusOK {
					t.Fatalf("%s: %d", path, code)
				}
				var some []json.RawMessage
				var next *string
				b.must(json.Unmarshal(answer[list], &some))
				b.must(json.Unmarshal(answer["next"], &next))
				for _, row := range some {
					rows = append(rows, string(row))
				}
				if next == nil {
					return rows
				}
				if len(some) != limit || len(rows) > want {
					t.Fatalf("%s: %d rows of %d", path, len(some), len(rows))
				}
				path = fmt.Sprintf("/%s?limit=%d&after=%s", list, limit, url.QueryEscape(*next))
			}
		}
		single, whole := read(1), read(1000)
		if !slices.Equal(single, whole) || len(whole) != want {
			t.Errorf("%s: one by one\n%v\nat once\n%v", list, single, whole)
		}
		if names, text := inOrder[list], strings.Join(whole, ""); strings.Index(text, `"`+names[0]+`"`) > strings.Index(text, `"`+names[1]+`"`) {
			t.Errorf("%s are not in natural order: %s", list, text)
		}
	}
}

func TestParameters(t *testing.T) {
	b := fullBed(t)
	all := b.token("all", 0)
	for query, word := range map[string]string{
		"acount=acme": `\"acount\"`, "account=": "empty", "account=a&account=b": "twice", "limit=1001": "1000", "limit=x": "limit", "area=both": "area",
		"after=x": "after", "after=" + url.QueryEscape(cursor("1")): "after", "after=" + cursor("1", "-1", "1"): "after", "after=" + cursor("01", "1", "1"): "after",
		"after=" + cursor("1", "1", "") + "=": "after", "changed_since=-1": "changed_since", "changed_since=2026-13-01T00:00:00Z": "changed_since", "changed_since=1&wait=51": "wait", "changed_since=1&wait=0": "wait", "wait=5": "changed_since", "a=%zz": "query", "a;b=1": "query",
	} {
		w := b.ask("GET", "/api/v1/photos?"+query, nil, "Authorization", all)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), word) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	var answer struct{ Photos []contract.Photo }
	for query, want := range map[string]int{
		"account=acme": 2, "account=lincoln&person=12": 1, "job=job00001&album=Class%201": 1, "area=individuals": 2, "person=12": 2, "album=none": 0, "job=none": 0,
		"changed_since=2000-01-01T00:00:00%2B02:00": 6, "changed_since=2999-01-01T00:00:00Z": 0,
	} {
		if code := b.get(all, "/photos?"+query, &answer); code != http.StatusOK || len(answer.Photos) != want {
			t.Errorf("%s: %d, %d photos, want %d", query, code, len(answer.Photos), want)
		}
	}
}
