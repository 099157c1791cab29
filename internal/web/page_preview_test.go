package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

// The pages of problems show small pictures of files that lie in a wrong place or have a
// wrong name. Only who may see the account gets one, no cache but the own browser's keeps
// it, and a file that shows nothing leaves its place empty.
func TestPreviewsOfProblems(t *testing.T) {
	b := newAdminBed(t)
	b.wrong("job00001/A/odd/photo.jpg", layout.UnknownFolder)
	b.wrong("job00001/A/odd/list.pdf", layout.UnknownFolder)
	b.wrong("job00001/A/torn.jpg", layout.Damaged)
	b.addOperator("ann", 0)
	b.addOperator("lin", b.acct.ID)
	b.tx(func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: "looker", AccountID: b.other.ID, Role: store.Look}, passwordHash())
	})
	ann, lin, looker := b.session("ann"), b.session("lin"), b.session("looker")
	b.has(b.page(ann, "/problems"), "!preview.jpg") // nothing makes any
	var asked []string
	var failure error
	b.gate.Preview = func(_ context.Context, a store.Account, p store.Problem) ([]byte, error) {
		asked = append(asked, a.Name+"/"+p.RawPath)
		return []byte("a picture of " + p.RawPath), failure
	}
	file := map[string]int64{}
	all, err := b.s.All().Problems(t.Context(), store.ProblemQuery{Account: "acme"})
	b.must(err)
	for _, p := range all {
		file[p.RawPath] = p.ID
	}
	of := func(path string) string { return fmt.Sprintf("/problems/files/%d/preview.jpg", file[path]) }
	good := of("job00001/A/odd/photo.jpg")
	for _, g := range b.groups() {
		want := []string{`src="` + good + "?v=", "!" + of("job00001/A/odd/list.pdf")}
		if g.Reason == layout.Damaged {
			want = []string{"!preview.jpg"}
		}
		b.has(b.page(looker, groupURL(g.ID, false)), want...)
	}
	list := b.page(looker, "/problems")
	b.has(list, `src="`+good+"?v=")
	if asked != nil {
		t.Errorf("made for a page that nobody looks at: %v", asked)
	}

	_, src, _ := strings.Cut(list, `src="`+good)
	src, _, _ = strings.Cut(src, `"`)
	for address, cached := range map[string]string{good + src: "private, max-age=3600, immutable", good: "no-store", good + "?v=0": "no-store"} {
		w := b.ask("GET", address, nil, "Cookie", looker)
		if w.Code != http.StatusOK || w.Body.String() != "a picture of job00001/A/odd/photo.jpg" || w.Header().Get("Content-Type") != "image/jpeg" ||
			w.Header().Get("Cache-Control") != cached || w.Header().Get("Content-Security-Policy") != policy {
			t.Errorf("%s: %d %v %s", address, w.Code, w.Header(), w.Body)
		}
	}
	asked = nil
	for what, status := range map[[2]string]int{
		{lin, good}: http.StatusNotFound, {"", good}: http.StatusSeeOther, {"picday=x", good}: http.StatusSeeOther,
		{ann, of("job00001/A/odd/list.pdf")}: http.StatusNotFound, {ann, of("job00001/A/torn.jpg")}: http.StatusNotFound,
		{ann, "/problems/files/0/preview.jpg"}: http.StatusNotFound, {ann, "/problems/files/999/preview.jpg"}: http.StatusNotFound,
	} {
		if w := b.ask("GET", what[1], nil, "Cookie", what[0]); w.Code != status || strings.Contains(w.Body.String(), "a picture of") {
			t.Errorf("%v: %d %s", what, w.Code, w.Body)
		}
	}
	if asked != nil {
		t.Errorf("made for who may not see it: %v", asked)
	}
	failure = store.ErrNotFound
	if w := b.ask("GET", good+src, nil, "Cookie", ann); w.Code != http.StatusNoContent || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a file that shows nothing: %d %v %s", w.Code, w.Header(), w.Body)
	}
	failure = errors.New("decoder does not start")
	if w := b.ask("GET", good+src, nil, "Cookie", ann); w.Code != http.StatusInternalServerError || strings.Contains(w.Header().Get("Cache-Control"), "max-age") {
		t.Errorf("an error of the machine: %d %v", w.Code, w.Header())
	}
}
