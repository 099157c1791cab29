package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "embed"
)

// The API reads only. Its answers have the fields that the commands' --json
// has; openapi.json describes it, and tests hold the two against each other.

// apiRoutes are the API for programs.
func apiRoutes() []route {
	return []route{
		{"GET", "/api/v1/openapi.json", token, apiDescription},
		{"GET", "/api/v1/status", token, apiStatus},
		{"GET", "/api/v1/accounts", token, apiAccounts},
		{"GET", "/api/v1/jobs", token, apiJobs},
		{"GET", "/api/v1/albums", token, apiAlbums},
		{"GET", "/api/v1/photos", token, apiPhotos},
		{"GET", "/api/v1/people/{id}", token, apiPerson},
		{"GET", "/api/v1/problems", token, apiProblems},
	}
}

//go:embed openapi.json
var openapi []byte

func apiDescription(w http.ResponseWriter, v *visit) error {
	if _, err := v.parameters(); err != nil {
		return err
	}
	return serveJSON(w, v, openapi)
}

// How many rows a list gives at once.
const (
	pageLimit    = 100
	pageLimitMax = 1000
)

// parameters are those of the query. A misspelt filter is not taken for none:
// that would give a shop more pictures than it wanted.
func (v *visit) parameters(allowed ...string) (url.Values, error) {
	q, err := url.ParseQuery(v.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "The query cannot be read: escape it as a URL wants it.")
	}
	for name, values := range q {
		switch {
		case !slices.Contains(allowed, name):
			known := "It has none."
			if len(allowed) > 0 {
				known = "It has " + strings.Join(allowed, ", ") + "."
			}
			return nil, refuse(http.StatusBadRequest, "There is no parameter "+strconv.Quote(name)+" here. "+known)
		case len(values) > 1:
			return nil, refuse(http.StatusBadRequest, name+" is given twice.")
		case values[0] == "":
			return nil, refuse(http.StatusBadRequest, name+" is empty: leave it out, or give a value.")
		}
	}
	return q, nil
}

// limit is how many rows are wanted.
func limit(q url.Values) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return pageLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > pageLimitMax {
		return 0, refuse(http.StatusBadRequest, "limit is a number from 1 to "+strconv.Itoa(pageLimitMax)+".")
	}
	return n, nil
}

// A cursor says behind which row a list goes on. To clients it is a word
// without a meaning.
func cursor(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = url.QueryEscape(p)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(escaped, "&")))
}

// after takes a cursor apart into n parts, all empty if none was given.
func after(q url.Values, n int) ([]string, error) {
	if !q.Has("after") {
		return make([]string, n), nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(q.Get("after"))
	parts := strings.Split(string(text), "&")
	if err != nil || len(parts) != n {
		return nil, errCursor
	}
	for i, p := range parts {
		if parts[i], err = url.QueryUnescape(p); err != nil || url.QueryEscape(parts[i]) != p {
			return nil, errCursor
		}
	}
	return parts, nil
}

var errCursor = refuse(http.StatusBadRequest, "after is what next said in an answer of this list, and this is not.")

// number is a number in a cursor, at least so large; 0 for none.
func number(part string, least int64) (int64, error) {
	if part == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(part, 10, 64)
	if err != nil || n < least || strconv.FormatInt(n, 10) != part {
		return 0, errCursor
	}
	return n, nil
}

// page cuts off the row that shows that there are more, and tells where they
// begin.
func page[T any](rows []T, limit int, key func(T) string) (some []T, next *string) {
	if len(rows) <= limit {
		return rows, nil
	}
	at := key(rows[limit-1])
	return rows[:limit], &at
}

// shown makes rows what they look like from outside; none are [] in JSON.
func shown[T, V any](rows []T, show func(T) V) []V {
	all := make([]V, len(rows))
	for i, r := range rows {
		all[i] = show(r)
	}
	return all
}

// sinceTime reads changed_since: what changed_until said, or a time.
func sinceTime(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return n, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UnixMilli() < 0 {
		return 0, refuse(http.StatusBadRequest, "changed_since is what changed_until said in an earlier answer, or a time such as 2026-09-01T08:00:00Z (write + as %2B).")
	}
	return t.UnixMilli(), nil
}

// tell answers with JSON, or 304 to who has it already.
func tell(w http.ResponseWriter, v *visit, value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return err
	}
	return serveJSON(w, v, b.Bytes())
}

func serveJSON(w http.ResponseWriter, v *visit, text []byte) error {
	sum := sha256.Sum256(text)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Etag", `"`+hex.EncodeToString(sum[:16])+`"`)
	http.ServeContent(w, v.Request, "", time.Time{}, bytes.NewReader(text))
	return nil
}
