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

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// The API reads only. Its answers have the fields that the commands' --json
// has; openapi.json describes it, and tests hold the two against each other.

// apiRoutes are the API for programs.
func apiRoutes() []route {
	return []route{
		{"GET", "/api/v1/openapi.json", open, apiDescription},
		{"GET", "/api/v1/status", token, apiStatus},
		{"GET", "/api/v1/accounts", token, apiAccounts},
		{"GET", "/api/v1/jobs", token, apiJobs},
		{"GET", "/api/v1/albums", token, apiAlbums},
		{"GET", "/api/v1/photos", token, apiPhotos},
		{"GET", "/api/v1/people/{id}", token, apiPerson},
		{"POST", "/api/v1/people/lookup", token, apiLookup},
		{"GET", "/api/v1/subjects", token, apiSubjects},
		{"GET", "/api/v1/rosters", token, apiRosters},
		{"GET", "/api/v1/problems", token, apiProblems},
		{"GET", "/api/v1/proposals", token, apiProposals},
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

// parameters are those of the query. A misspelt one is an error: ignoring a filter would
// give a shop more pictures than it asked for.
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

// A cursor says after which row a list goes on. To clients it is an opaque text.
func cursor(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = url.QueryEscape(p)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(escaped, "&")))
}

// after splits the cursor into n parts, which are empty if none was given.
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

// number parses a part of a cursor, which must not be below least; 0 if it is empty.
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

// page cuts off the extra row that was read to know whether there are more, and returns
// where they begin.
func page[T any](rows []T, limit int, key func(T) string) (some []T, next *string) {
	if len(rows) <= limit {
		return rows, nil
	}
	at := key(rows[limit-1])
	return rows[:limit], &at
}

// shown converts rows for JSON; none become [], not null.
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

// packed packs answers of some length with gzip, if the client takes that. It is for JSON:
// pictures do not get smaller.
func packed(h http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypes([]string{"application/json"}),
		gzhttp.EnableZstd(false), gzhttp.CompressionLevel(gzip.BestSpeed))
	if err != nil {
		panic(err) // the options are wrong
	}
	return wrap(h)
}

// tell answers with JSON, or with 304 if the client has it already.
func tell(w http.ResponseWriter, v *visit, value any) error {
	text, err := encode(value)
	if err != nil {
		return err
	}
	return serveJSON(w, v, text)
}

func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return b.Bytes(), err
}

func serveJSON(w http.ResponseWriter, v *visit, text []byte) error {
	sum := sha256.Sum256(text)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if v.Method == http.MethodPost { // nothing that a cache may keep
		_, _ = w.Write(text) // fails only if the client is gone
		return nil
	}
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Etag", `W/"`+hex.EncodeToString(sum[:16])+`"`) // weak: of the content, packed or not
	http.ServeContent(w, v.Request, "", time.Time{}, bytes.NewReader(text))
	return nil
}
