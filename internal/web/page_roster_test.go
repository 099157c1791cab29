package web

import (
	"archive/zip"
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"picday/internal/language"
	"picday/internal/roster"
	"picday/store"
)

// bring sends a file as a browser's form does.
func (b *adminBed) bring(cookie, path, name, content string) *httptest.ResponseRecorder {
	b.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("list", name)
	b.must(err)
	_, err = part.Write([]byte(content))
	b.must(err)
	b.must(form.Close())
	r := httptest.NewRequest("POST", "http://admin.example"+path, &body)
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Cookie", cookie)
	return b.answer(r)
}

// accepting is the form with which a page accepts a list.
func accepting(html string) (action, seen string) {
	if m := regexp.MustCompile(`action="(/lists/\d+/accept)"><input type="hidden" name="seen" value="(\w+)"`).FindStringSubmatch(html); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

func (b *adminBed) listed(job string) (all []store.Subject) {
	b.Helper()
	s := b.scope(job)
	all, err := b.s.All().Subjects(b.Context(), store.SubjectQuery{AccountID: s.AccountID, JobID: s.JobID})
	b.must(err)
	return all
}

// A list that is brought on the pages says first what it changes, with what is easily
// mistaken, and changes it once it is accepted: exactly what was shown, and once.
func TestAListOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	b.tx(func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: "lou", AccountID: b.other.ID, Role: store.Look}, passwordHash())
	})
	b.addOperator("max", b.acct.ID)
	cookie, looker, stranger := b.session("eva"), b.session("lou"), b.session("max")
	at := placeURL("rosters", "acme", "job00001")
	if html := b.page(cookie, jobURL("acme", "job00001")); strings.Count(html, at) != 1 || strings.Contains(html, placeURL("people", "acme", "job00001")) {
		t.Error("a job without people has more, or less, than one quiet link")
	}
	if html := b.page(looker, jobURL("acme", "job00001")); strings.Contains(html, at) {
		t.Error("who may only look is offered to bring a list")
	}
	if html := b.page(looker, at); strings.Contains(html, "<form method=\"post\" action=\"/rosters") {
		t.Error(html)
	}
	for who, c := range map[string]string{"a looker": looker, "a stranger": stranger} {
		if w := b.bring(c, at, "list.csv", fourPeople); w.Code != http.StatusForbidden && w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", who, w.Code)
		}
	}
	if w := b.bring(cookie, at, "list.csv", fourPeople); w.Code != http.StatusSeeOther || w.Header().Get("Location") != at+"#waiting" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if n := len(b.listed("job00001")); n != 0 {
		t.Errorf("%d people before anybody has accepted the list", n)
	}
	html := b.page(cookie, at)
	first, seen := accepting(html)
	if !strings.Contains(html, "Ann Özil (12)") || first == "" {
		t.Fatal(html)
	}
	for who, c := range map[string]string{"a looker": looker, "a stranger": stranger} {
		for _, path := range []string{first, strings.Replace(first, "accept", "drop", 1)} {
			if w := b.ask("POST", path, map[string][]string{"seen": {seen}}, "Cookie", c); w.Code != http.StatusForbidden && w.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d", who, path, w.Code)
			}
		}
	}
	if w := b.ask("POST", first, map[string][]string{"seen": {"other"}}, "Cookie", cookie); w.Code != http.StatusConflict {
		t.Errorf("another diff than was seen: %d", w.Code)
	}
	if w := b.ask("POST", first, map[string][]string{"seen": {seen}}, "Cookie", cookie); w.Code != http.StatusSeeOther {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := b.ask("POST", first, map[string][]string{"seen": {seen}}, "Cookie", cookie); w.Code != http.StatusNotFound {
		t.Errorf("accepted twice: %d", w.Code)
	}
	if n := len(b.listed("job00001")); n != 4 {
		t.Errorf("%d people", n)
	}
	if html := b.page(cookie, "/activity?event=roster"); !strings.Contains(html, "job00001/list.csv") || !strings.Contains(html, "4 added") || !strings.Contains(html, "by eva") {
		t.Error(html)
	}
	if w := b.bring(cookie, at, "list.csv", fourPeople); !strings.HasSuffix(w.Header().Get("Location"), "done=list-same") {
		t.Errorf("the same list: %d %v", w.Code, w.Header())
	}

	// A list of half of them: what is missing, changed and easily mistaken is named.
	if w := b.bring(cookie, at, "half.csv", "ID;Last;First;Class\n012;Özil;Ann;5b\n13;Berg;Bo;6a\n"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	html = b.page(cookie, at)
	for _, want := range []string{"More than a tenth", "did a program drop or add zeros?", "<del><bdi>5a</bdi></del> → <ins><bdi>6a</bdi></ins>", "Cy Cole (15)", "half.csv", `class="danger"`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in\n%s", want, html)
		}
	}
	german := language.Marked(language.German, "", "")
	b.gate.wordsOf = func(language.Language) *language.Words { return german }
	if html := b.page(cookie, at); !strings.Contains(html, "Sind das zwei Personen, oder hat ein Programm Nullen weggelassen") {
		t.Error(html)
	}
	b.gate.wordsOf = language.In
	_, before := accepting(html)
	b.take("", fourPeople) // of another place: it changes nothing here
	if _, now := accepting(b.page(cookie, at)); now != before {
		t.Error("the diff changes with another account's people")
	}
	action, _ := accepting(html)
	if w := b.ask("POST", strings.Replace(action, "accept", "drop", 1), nil, "Cookie", cookie); w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
	if all := b.listed("job00001"); len(all) != 4 || all[1].Class != "5a" {
		t.Errorf("%+v", all)
	}
}

// packed is a zip with one file.
func packedFile(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is no list is answered with a sentence, in the visitor's language, and changes nothing.
func TestWhatIsNoListOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	cookie, at := b.session("eva"), placeURL("rosters", "lincoln", "")
	for name, c := range map[string]struct {
		content string
		code    int
		says    string
	}{
		"empty":           {"", http.StatusBadRequest, "The file is empty."},
		"a JPEG":          {"\xff\xd8\xff\xe0\x00\x10JFIF\x00", http.StatusBadRequest, "this is no list of people: it looks like image/jpeg"},
		"text":            {"Dear Sir or Madam,\nhere is the list.\n", http.StatusBadRequest, "no column has a name that picday knows"},
		"only a header":   {"ID;Name\n", http.StatusBadRequest, "there is nobody below"},
		"the same ID":     {"ID;Name\n1;Ann\n1;Ben\n", http.StatusBadRequest, "lines 2 and 3 have the same ID 1"},
		"a rounded ID":    {"ID;Name\n2,01212E+11;Ann\n", http.StatusBadRequest, "what a spreadsheet has made of a long number"},
		"an old workbook": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600), http.StatusBadRequest, "an old Excel file"},
		"a zip":           {packedFile(t, "x.txt", "x"), http.StatusBadRequest, "no Excel workbook"},
		"a bomb":          {packedFile(t, "xl/worksheets/sheet1.xml", strings.Repeat(" ", 65<<20)), http.StatusBadRequest, "no Excel workbook"},
		"too large":       {strings.Repeat("x", roster.MostBytes+1), http.StatusBadRequest, "more than 10 MB"},
		"far too large":   {strings.Repeat("x", maxList+1), http.StatusBadRequest, "more than 10 MB"},
	} {
		w := b.bring(cookie, at, "list.csv", c.content)
		if text := htmlTag.ReplaceAllString(w.Body.String(), ""); w.Code != c.code || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d\n%s", name, w.Code, text)
		}
	}
	if w := b.ask("POST", at, map[string][]string{"list": {"x"}}, "Cookie", cookie); w.Code != http.StatusBadRequest {
		t.Errorf("no file: %d", w.Code)
	}
	if w := b.bring(cookie, at, "<b>"+strings.Repeat("x", 300)+".csv", fourPeople); w.Code != http.StatusSeeOther {
		t.Errorf("a long name: %d", w.Code)
	}
	if html := b.page(cookie, at); strings.Contains(html, "<b>") || !strings.Contains(html, "&lt;b&gt;xxx") {
		t.Error(html)
	}
	if n := len(b.listed("")); n != 0 {
		t.Errorf("%d people", n)
	}
}

// Two operators who accept the same list at once take it once.
func TestAListIsAcceptedOnce(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	cookie, at := b.session("eva"), placeURL("rosters", "lincoln", "")
	if w := b.bring(cookie, at, "list.csv", fourPeople); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	action, seen := accepting(b.page(cookie, at))
	codes := make([]int, 4)
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() {
			codes[i] = b.ask("POST", action, map[string][]string{"seen": {seen}}, "Cookie", cookie).Code
		})
	}
	all.Wait()
	taken := 0
	for _, c := range codes {
		switch c {
		case http.StatusSeeOther:
			taken++
		case http.StatusNotFound:
		default:
			t.Errorf("%v", codes)
		}
	}
	if n := len(b.listed("")); taken != 1 || n != 4 {
		t.Errorf("%v, %d people", codes, n)
	}
}
