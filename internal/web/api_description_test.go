package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"picday/store"
)

// An apiTry is a question to the API.
type apiTry struct {
	method, path, query string
	header              []string
	body                string
	bad                 bool // the request is not as described
}

// tryAll asks, and compares question and answer with the description. seen is told of
// each answer.
func (b *adminBed) tryAll(doc *openapi3.T, tries []apiTry, seen func(operation string, code int)) {
	b.Helper()
	for _, c := range tries {
		method := c.method
		item := doc.Paths.Value(c.path)
		operation := item.GetOperation(method)
		if operation == nil { // the wrong method: the answer is described with the right one
			for right, op := range item.Operations() {
				method, operation = right, op
			}
		}
		r := b.request(c.method, "/api/v1"+strings.Replace(c.path, "{id}", "12", 1)+c.query, c.header...)
		if c.body != "" {
			r.Body = io.NopCloser(strings.NewReader(c.body))
			r.ContentLength = int64(len(c.body))
		}
		again := r.Clone(b.Context())
		again.Body = io.NopCloser(strings.NewReader(c.body))
		w := httptest.NewRecorder()
		b.gate.ServeHTTP(w, r)
		in := &openapi3filter.RequestValidationInput{
			Request: again, PathParams: map[string]string{"id": "12"}, QueryParams: r.URL.Query(),
			Route:   &routers.Route{Spec: doc, Server: doc.Servers[0], Path: c.path, PathItem: item, Method: method, Operation: operation},
			Options: &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}
		if c.method == method {
			if err := openapi3filter.ValidateRequest(b.Context(), in); (err != nil) != c.bad {
				b.Errorf("%+v: the description says of the request: %v", c, err)
			}
		}
		err := openapi3filter.ValidateResponse(b.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())), Options: in.Options,
		})
		if err != nil {
			b.Errorf("%+v: %d %v\n%s", c, w.Code, err, w.Body)
		}
		if c.bad && (w.Code < 400 || w.Code >= 500) {
			b.Errorf("%+v: %d", c, w.Code)
		}
		seen(method+" "+c.path, w.Code)
	}
}

// Every answer that is described is given, as it is described, and nothing else
// is; every path is a route, and every route a path.
func TestOpenAPI(t *testing.T) {
	doc := description(t)
	b := fullBed(t)
	b.tx(func(tx *store.Tx) error { _, _, err := tx.EmptyTrash(0, store.SweepPosition{}, 100); return err })
	all, one := b.token("all", 0), b.token("one", b.acct.ID)
	missing := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				missing[method+" "+path+" "+status] = true
			}
		}
	}
	// It is a constant: only a web server in front can fail.
	delete(missing, "GET /openapi.json 5XX")
	for _, rt := range b.gate.routes() {
		path, api := strings.CutPrefix(rt.pattern, "/api/v1")
		if item := doc.Paths.Value(path); api && (item == nil || item.GetOperation(rt.method) == nil) {
			t.Errorf("%s %s is not described", rt.method, rt.pattern)
		}
	}
	tag := func(path string) string {
		return b.ask("GET", "/api/v1"+path, nil, "Authorization", all).Header().Get("Etag")
	}
	const ids = `{"ids": ["12", "99"]}`
	asAll := func(more ...string) []string { return append([]string{"Authorization", all}, more...) }
	asJSON := func(bearer string) []string {
		return []string{"Authorization", bearer, "Content-Type", "application/json"}
	}
	var tries []apiTry
	for path, item := range doc.Paths.Map() {
		tries = append(tries, apiTry{"DELETE", path, "", asAll(), "", false})
		if item.Get == nil {
			continue
		}
		tries = append(tries, apiTry{"GET", path, "", nil, "", false}, apiTry{"GET", path, "", asAll(), "", false},
			apiTry{"GET", path, "", []string{"Authorization", one}, "", false}, apiTry{"GET", path, "?unheard=of", asAll(), "", false})
		if path != "/people/{id}" {
			tries = append(tries, apiTry{"GET", path, "", asAll("If-None-Match", tag(path)), "", false})
		}
		if !slices.Contains([]string{"/openapi.json", "/status", "/accounts"}, path) {
			tries = append(tries, apiTry{"GET", path, "?account=nobody", asAll(), "", false}, apiTry{"GET", path, "?account=acme", []string{"Authorization", one}, "", false})
		}
	}
	tries = append(tries,
		apiTry{"GET", "/people/{id}", "?account=lincoln", asAll(), "", false},
		apiTry{"GET", "/people/{id}", "?account=lincoln", asAll("If-None-Match", tag("/people/12?account=lincoln")), "", false},
		apiTry{"GET", "/photos", "?changed_since=0&limit=1000", asAll(), "", false},
		apiTry{"GET", "/photos", "?changed_since=1", asAll(), "", false},
		apiTry{"GET", "/photos", "?changed_since=2000000000000000&wait=1", asAll(), "", false},
		apiTry{"GET", "/photos", "?changed_since=1&wait=51", asAll(), "", true},
		apiTry{"GET", "/photos", "?limit=1", asAll(), "", false},
		apiTry{"GET", "/photos", "?area=group", asAll(), "", false},
		apiTry{"GET", "/photos", "?limit=0", asAll(), "", true},
		apiTry{"GET", "/photos", "?area=both", asAll(), "", true},
		apiTry{"GET", "/photos", "?changed_since=yesterday", asAll(), "", true},
		apiTry{"POST", "/people/lookup", "?account=lincoln", asJSON(all), ids, false},
		apiTry{"POST", "/people/lookup", "", asJSON(one), ids, false},
		apiTry{"POST", "/people/lookup", "?account=nobody", asJSON(all), ids, false},
		apiTry{"POST", "/people/lookup", "?account=acme", asJSON(one), ids, false},
		apiTry{"POST", "/people/lookup", "", asJSON(all), ids, false}, // of which account?
		apiTry{"POST", "/people/lookup", "", []string{"Content-Type", "application/json"}, ids, false},
		apiTry{"POST", "/people/lookup", "", []string{"Authorization", one, "Content-Type", "text/plain"}, ids, true},
		apiTry{"POST", "/people/lookup", "", asJSON(one), `{"ids": []}`, true},
		apiTry{"POST", "/people/lookup", "", asJSON(one), `{"ids": [""]}`, true},
		apiTry{"POST", "/people/lookup", "", asJSON(one), `{"ids": [12]}`, true},
		apiTry{"POST", "/people/lookup", "", asJSON(one), `{"ids": ["12"], "more": 1}`, true},
		apiTry{"POST", "/people/lookup", "", asJSON(one), `{"ids": ["12"]`, true},
		apiTry{"POST", "/people/lookup", "", asJSON(one), `{"ids": ["1"` + strings.Repeat(`, "1"`, maxLookup) + `]}`, true},
		apiTry{"POST", "/people/lookup", "", asJSON(one), `{"ids": ["` + strings.Repeat("1", maxBody) + `"]}`, false},
	)
	seen := func(operation string, code int) {
		delete(missing, fmt.Sprint(operation, " ", code))
		delete(missing, fmt.Sprintf("%s %dXX", operation, code/100))
	}
	b.tryAll(doc, tries, seen)

	maxWaiting, tries = 0, []apiTry{{"GET", "/photos", "?changed_since=2000000000000000&wait=1", asAll(), "", false}}
	defer func() { maxWaiting = maxConns / 2 }()
	b.tryAll(doc, tries, seen)

	b.must(b.s.Close()) // what follows cannot be answered
	tries = nil
	for path, item := range doc.Paths.Map() {
		switch {
		case path == "/openapi.json":
		case item.Get != nil:
			tries = append(tries, apiTry{"GET", path, "", asAll(), "", false})
		default:
			tries = append(tries, apiTry{"POST", path, "", asJSON(all), ids, false})
		}
	}
	b.tryAll(doc, tries, seen)
	if len(missing) > 0 {
		t.Errorf("described, and not seen: %v", missing)
	}
}

// The examples of the description are as it says that answers are.
func TestExamples(t *testing.T) {
	doc := description(t)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			content := op.Responses.Value("200").Value.Content.Get("application/json")
			if path == "/openapi.json" {
				continue
			}
			if content.Example == nil {
				t.Errorf("%s %s has no example", method, path)
			} else if err := content.Schema.Value.VisitJSON(content.Example, openapi3.EnableFormatValidation()); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
			if op.OperationID == "" || len(op.Tags) != 1 || op.Description == "" {
				t.Errorf("%s %s lacks an operationId, a tag or a description", method, path)
			}
		}
	}
}

// Many people are looked up at once, each in the account that is meant.
func TestManyPeople(t *testing.T) {
	b := fullBed(t)
	all, one := b.token("all", 0), b.token("one", b.acct.ID)
	look := func(bearer, query, body string) (int, string) {
		r := b.request("POST", "/api/v1/people/lookup"+query, "Authorization", bearer, "Content-Type", "application/json; charset=utf-8")
		r.Body = io.NopCloser(strings.NewReader(body))
		w := b.answer(r)
		return w.Code, w.Body.String()
	}
	for _, c := range []struct{ bearer, query string }{{one, ""}, {one, "?account=lincoln"}, {all, "?account=lincoln"}} {
		code, text := look(c.bearer, c.query, `{"ids": ["13", "14", "12", "13", "99", "99"]}`)
		if code != http.StatusOK || strings.Count(text, `"link"`) != 2 || !strings.Contains(text, `"missing":["14","99"]`) || strings.Contains(text, "third") ||
			strings.Index(text, "13.jpg") > strings.Index(text, "12.jpg") {
			t.Errorf("%+v: %d %s", c, code, text)
		}
	}
	if code, text := look(all, "?account=third", `{"ids": ["13", "12"]}`); code != http.StatusOK || strings.Count(text, `"account":"third"`) != 1 || strings.Contains(text, "lincoln") {
		t.Errorf("%d %s", code, text)
	}
}

// Answers of some length are packed for those who take that, and only those; the tag is
// the same, and pictures are never packed.
func TestAnswersArePacked(t *testing.T) {
	b := fullBed(t)
	all := b.token("all", 0)
	plain := b.ask("GET", "/api/v1/photos", nil, "Authorization", all)
	packed := b.ask("GET", "/api/v1/photos", nil, "Authorization", all, "Accept-Encoding", "br, gzip")
	if plain.Header().Get("Content-Encoding") != "" || packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") == "" {
		t.Errorf("plain %v\npacked %v", plain.Header(), packed.Header())
	}
	text, err := gunzip(packed.Body)
	if err != nil || text != plain.Body.String() || packed.Body.Len() >= len(text) {
		t.Errorf("%v: unpacked %.100q, plain %.100q", err, text, plain.Body)
	}
	if tag := packed.Header().Get("Etag"); tag == "" || tag != plain.Header().Get("Etag") {
		t.Errorf("the tags are %q and %q", plain.Header().Get("Etag"), tag)
	} else if w := b.ask("GET", "/api/v1/photos", nil, "Authorization", all, "Accept-Encoding", "gzip", "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("asked again: %d %v %q", w.Code, w.Header(), w.Body)
	}
	b.addOperator("ann", 0)
	cookie, p := b.session("ann"), b.photo("13")
	if w := b.ask("GET", target("/photos/{id}/large.jpg", p.ID), nil, "Cookie", cookie, "Accept-Encoding", "gzip"); w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a picture on the pages: %d %v", w.Code, w.Header())
	}
	if w := b.bed.ask("GET", "/"+b.link("13")+".jpg", "Accept-Encoding", "gzip"); w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a published picture: %d %v", w.Code, w.Header())
	}
}

func gunzip(from io.Reader) (string, error) {
	z, err := gzip.NewReader(from)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(z)
	return string(text), err
}
