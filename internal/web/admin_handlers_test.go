package web

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/store"
	"picday/store/pictures"
)

// visiting is a visit as a handler gets it.
func (b *adminBed) visiting(cookie string) *visit {
	b.Helper()
	v, err := b.gate.admit(nil, operator, b.request("GET", "/", "Cookie", cookie))
	b.must(err)
	return v
}

// What a handler can change is what its operator can see.
func TestChangesAreScoped(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.addOperator("ann", b.acct.ID)
	b.addOperator("eve", b.other.ID)
	p := b.photo("12")
	eve, ann := b.visiting(b.session("eve")), b.visiting(b.session("ann"))
	for _, what := range []alteration{
		(*store.Tx).WithdrawBy, (*store.Tx).RestoreBy,
		func(tx *store.Tx, id int64, by string) error { _, err := tx.Rotate(id, by); return err },
	} {
		if err := eve.change(p.ID, what); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another account's: %v", err)
		}
	}
	if now := b.photo("12"); now.ChangedAt != p.ChangedAt {
		t.Errorf("changed: %+v", now)
	}
	b.must(ann.change(p.ID, (*store.Tx).WithdrawBy))
	if now := b.photo("12"); now.WithdrawnBy != "ann" {
		t.Errorf("not withdrawn: %+v", now)
	}
}

// Half a picture is not shown to operators either, nor given away as the whole.
func TestADamagedFileOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.addOperator("ann", b.acct.ID)
	cookie, p := b.session("ann"), b.photo("12")
	b.write(b.s.Files().Path(pictures.Original(p.SHA)), strings.Repeat("x", int(p.Bytes)))
	for path, file := range map[string]string{
		p.Renditions[0].Name + ".jpg?v=" + p.SHA.String()[:8]: b.s.Files().Path(pictures.Rendition(p.SHA, p.Renditions[0].Spec)),
		"original": b.s.Files().Path(pictures.Original(p.SHA)),
	} {
		path = target("/photos/{id}/", p.ID) + path
		whole, err := os.ReadFile(file)
		b.must(err)
		b.must(os.Chmod(file, 0o640))
		b.write(file, string(whole[:len(whole)/2]))
		w := b.ask("GET", path, nil, "Cookie", cookie)
		if h := w.Header(); w.Code != http.StatusInternalServerError || h.Get("Cache-Control") != "no-store" || h.Get("Content-Disposition") != "" {
			t.Errorf("half of %s: %d %v", path, w.Code, h)
		}
		b.write(file, string(whole))
		if w := b.ask("GET", path, nil, "Cookie", cookie); w.Code != http.StatusOK || w.Body.String() != string(whole) {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// No field of a visit leads to the catalogue as a whole: what a handler can
// read goes through its view.
func TestAVisitHasNoWayOut(t *testing.T) {
	never := []reflect.Type{reflect.TypeFor[*store.Store](), reflect.TypeFor[Admin](), reflect.TypeFor[*gate](), reflect.TypeFor[Writer]()}
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		for _, n := range never {
			if typ == n {
				t.Errorf("%s is a %v", path, typ)
			}
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ.PkgPath() != "picday/internal/web" {
			return
		}
		for i := range typ.NumField() {
			walk(typ.Field(i).Type, path+"."+typ.Field(i).Name)
		}
	}
	walk(reflect.TypeFor[visit](), "visit")
}

func TestPicturesForOperators(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.shoot("Class 1", `"><img src=x> ä.jpg`)
	b.addOperator("ann", b.acct.ID)
	b.addOperator("all", 0)
	ann, all := b.session("ann"), b.session("all")
	p := b.photo("12")
	at := target("/photos/{id}/", p.ID)
	for range 2 { // published, then withdrawn
		w := b.ask("GET", at+"thumb.jpg", nil, "Cookie", ann)
		if w.Code != http.StatusOK || w.Body.String() != string(rendered("thumb", "Ann")) || w.Header().Get("Cache-Control") != "private, no-cache" || w.Header().Get("Content-Type") != "image/jpeg" {
			t.Errorf("thumb: %d %v", w.Code, w.Header())
		}
		if again := b.ask("GET", at+"thumb.jpg", nil, "Cookie", ann, "If-None-Match", w.Header().Get("Etag")); again.Code != http.StatusNotModified {
			t.Errorf("again: %d", again.Code)
		}
		b.must(b.visiting(ann).change(p.ID, (*store.Tx).WithdrawBy))
	}
	for _, path := range []string{"huge.jpg", "thumb", "thumb.png", ".jpg"} {
		if w := b.ask("GET", at+path, nil, "Cookie", ann); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	photos, err := b.s.View(b.other.ID).Photos(t.Context(), store.PhotoQuery{})
	b.must(err)
	other := target("/photos/{id}/", photos[0].ID)
	b.write(b.s.Files().Path(pictures.Original(photos[0].SHA)), strings.Repeat("x", int(photos[0].Bytes)))
	for _, path := range []string{"thumb.jpg", "original"} {
		if w := b.ask("GET", other+path, nil, "Cookie", ann); w.Code != http.StatusNotFound {
			t.Errorf("%s of another account: %d", path, w.Code)
		}
	}
	w := b.ask("GET", other+"original", nil, "Cookie", all)
	kind, names, err := mime.ParseMediaType(w.Header().Get("Content-Disposition"))
	if w.Code != http.StatusOK || w.Body.Len() != int(photos[0].Bytes) || err != nil || kind != "attachment" || names["filename"] != "___img src=x_ ä.jpg" {
		t.Errorf("original: %d %v, %q %v", w.Code, w.Header(), names, err)
	}
	// Deleted behind our back: an error with a page, not a hang.
	b.must(os.Remove(b.s.Files().Path(pictures.Original(photos[0].SHA))))
	if w := b.ask("GET", other+"original", nil, "Cookie", all); w.Code != http.StatusInternalServerError || !strings.Contains(b.log.String(), "an answer failed") {
		t.Errorf("a missing file: %d", w.Code)
	}
}

// Whatever the answer, it carries what keeps browsers from doing more with it.
func TestHeaders(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	cookie, bearer := b.session("ann"), b.token("till", 0)
	for _, path := range []string{"/login", "/healthz", "/nothing", "/api/v1/status", "/api/v1/nothing", asset("picday.css"), "/metrics"} {
		for _, header := range [][]string{nil, {"Cookie", cookie, "Authorization", bearer}} {
			h := b.ask("GET", path, nil, header...).Header()
			if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") == "" {
				t.Errorf("%s: %v", path, h)
			}
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
}

func TestTooMuch(t *testing.T) {
	b := newAdminBed(t)
	r := b.request("POST", "/login", "Content-Type", "application/x-www-form-urlencoded")
	r.Body = io.NopCloser(strings.NewReader("name=" + strings.Repeat("x", maxBody)))
	if w := b.answer(r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of more than %d: %d", maxBody, w.Code)
	}
}

// A session in use is marked as such, but not by every request.
func TestSessionSeen(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	cookie := b.session("ann")
	seen := func() time.Time {
		t.Helper()
		_, at, err := b.s.Session(t.Context(), strings.TrimPrefix(cookie, "picday="))
		b.must(err)
		return at
	}
	first := seen()
	b.visiting(cookie)
	if at := seen(); !at.Equal(first) {
		t.Errorf("marked at once: %v %v", first, at)
	}
	old := time.Now().Add(-2 * seenEvery)
	b.must(catalogues.InTransaction(t.Context(), b.s, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE session SET seen_at = ?`, old.UnixMilli())
		return err
	}))
	b.visiting(cookie)
	if at := seen(); at.Before(old.Add(seenEvery)) {
		t.Errorf("not marked: %v", at)
	}
}

// An answer without an end ends when picdayd stops, at once.
func TestStop(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	cookie := b.session("ann")
	b.gate.mux.Handle("GET /endless", b.gate.guard(operator, maxBody, func(w http.ResponseWriter, v *visit) error {
		_, _ = w.Write([]byte("begun\n"))
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		select {
		case <-v.stopping:
			_, _ = w.Write([]byte("stopped\n"))
		case <-v.Context().Done():
		}
		return nil
	}))
	server, err := New("web.admin", "127.0.0.1:0", nil, b.gate, zerolog.Nop())
	b.must(err)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	r, err := http.NewRequest("GET", "http://"+server.Addr()+"/endless", nil)
	b.must(err)
	r.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(r)
	b.must(err)
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); line != "begun\n" {
		t.Fatalf("%d %q %v", res.StatusCode, line, err)
	}
	stop()
	if line, err := lines.ReadString('\n'); line != "stopped\n" {
		t.Errorf("%q %v", line, err)
	}
	b.must(<-ended)
}

// Whoever could see an account that is gone sees nothing of the next one of
// its name.
func TestANameThatIsUsedAgain(t *testing.T) {
	for _, withFiles := range []bool{true, false} {
		b := newAdminBed(t)
		bearer := b.token("till", b.acct.ID)
		b.addOperator("ann", b.acct.ID)
		cookie := b.session("ann")
		v := b.visiting(cookie)
		b.tx(func(tx *store.Tx) error { return tx.RemoveAccount(b.acct, withFiles) })
		b.tx(func(tx *store.Tx) error {
			_, err := tx.AddAccount(store.Account{Name: b.acct.Name, Layout: layout.Portraits})
			return err
		})
		b.status.InProgress = []control.Progress{{Account: b.acct.Name, Path: "of the next one"}}
		if n := len(v.status().InProgress); (n == 0) != withFiles {
			t.Errorf("removed with files %v: %d in progress are shown", withFiles, n)
		}
		w := b.ask("GET", "/api/v1/status", nil, "Authorization", bearer)
		if (w.Code == http.StatusUnauthorized) != withFiles {
			t.Errorf("removed with files %v: %d %s", withFiles, w.Code, w.Body)
		}
		if v.loggedIn() == withFiles {
			t.Errorf("removed with files %v: the session goes on: %v", withFiles, v.loggedIn())
		}
	}
}
